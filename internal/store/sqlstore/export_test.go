package sqlstore

// Rebind is the text of a statement for the database.
func (d Dialect) Rebind(query string) string { return d.rebind(query) }

// Fault is an error of the driver with its kind.
func (d Dialect) Fault(err error) error { return d.fault(err) }
