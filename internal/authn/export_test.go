package authn

// NewCheapPasswords returns a hasher whose hashes take megabytes and passes as given, for tests that make many.
func NewCheapPasswords(megabytes, passes uint32) *Passwords {
	p := NewPasswords()
	p.costs = params{memory: megabytes << 10, time: passes, lanes: 1}
	return p
}
