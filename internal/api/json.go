package api

// DecodeJSON reads one JSON value and nothing behind it, as bodies of requests are read, and says in the words of JSON
// what is wrong with it; fault.Invalid. It is for what comes on other ways than HTTP.
func DecodeJSON(data []byte, into any) error { return decodeJSON(data, false, into) }
