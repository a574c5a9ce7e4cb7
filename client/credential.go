package client

import (
	"context"
)

// Credential proves who asks.
type Credential interface {
	// Bearer returns the token to send, "" for none.
	Bearer(ctx context.Context, c *Client) (string, error)
	// Renew is called when the head refused token. It returns a fresh one, or "" when there is none to be had.
	Renew(ctx context.Context, c *Client, token string) (string, error)
}

// StaticToken is a token that the caller has in hand.
func StaticToken(token string) Credential { return staticToken(token) }

type staticToken string

// Bearer returns the token.
func (t staticToken) Bearer(context.Context, *Client) (string, error) { return string(t), nil }

// Renew has nothing else to offer.
func (t staticToken) Renew(context.Context, *Client, string) (string, error) { return "", nil }

// FileToken takes the token from a token file. A file that also holds a refresh token is kept up to date.
func FileToken(path string) Credential {
	return &renewable{
		begin: func(context.Context, *Client) (TokenFile, error) { return ReadTokenFile(path) },
		keep: func(t TokenFile) {
			// A file that cannot be written only costs another refresh the next time.
			_ = t.WriteFile(path)
		},
		source: path,
	}
}

// Password logs in with a password and renews the login as long as the head allows. ask is called when a password is
// needed.
func Password(user string, ask func(ctx context.Context) (string, error)) Credential {
	return Login{User: user, Password: ask}.Credential()
}

// KeptPassword is Password with a file that keeps the login for the next program that runs, as long as the head allows.
// The file is a token file, readable by its owner only.
func KeptPassword(user, path string, ask func(ctx context.Context) (string, error)) Credential {
	return Login{User: user, Password: ask, Keep: path}.Credential()
}
