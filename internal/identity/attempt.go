package identity

// Attempt is somebody who says that he is the user of that name, and what he has to prove it.
type Attempt struct {
	Name      string
	Password  string
	Code      string // one-time code of a second factor, "" when none was given
	Addr      string // client address without port
	Agent     string // User-Agent, for lists of logins
	RequestID string
}
