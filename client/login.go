package client

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

// Login is a way to log in that leads to tokens, which are renewed as long as the head allows.
type Login struct {
	User string
	// Password is called when a password is needed.
	Password func(ctx context.Context) (string, error)
	// Code is called when the password was right and the account wants a one-time code as well; nil gives up there.
	Code func(ctx context.Context) (string, error)
	// Keys, when set, gives keys to log in with instead of a password. They are tried in their order.
	Keys func(ctx context.Context) ([]ssh.Signer, error)
	// Keep is a file that keeps the login for the next program that runs, readable by its owner only; "" keeps it in
	// memory.
	Keep string
}

// Credential returns the credential that logs in when it is first needed.
func (l Login) Credential() Credential {
	r := &renewable{begin: l.begin, source: "the login of " + l.User, again: true}
	if l.Keep == "" {
		return r
	}
	r.stored = func() TokenFile {
		t, err := ReadTokenFile(l.Keep)
		if err != nil {
			return TokenFile{} // whatever is wrong with it, a login puts it right
		}
		return t
	}
	r.keep = func(t TokenFile) {
		// A login that cannot be kept only costs the next program a question.
		_ = t.WriteFile(l.Keep)
	}
	return r
}

func (l Login) begin(ctx context.Context, c *Client) (TokenFile, error) {
	if l.Keys != nil {
		return l.beginWithKey(ctx, c)
	}
	password, err := l.Password(ctx)
	if err != nil {
		return TokenFile{}, err
	}
	t, err := c.LoginWithCode(ctx, l.User, password, "")
	if l.Code == nil || !needsCode(err) {
		return t, err
	}
	code, err := l.Code(ctx)
	if err != nil {
		return TokenFile{}, err
	}
	return c.LoginWithCode(ctx, l.User, password, code)
}

// needsCode reports whether the head let the password pass and wants a code as well.
func needsCode(err error) bool {
	var told *Error
	return errors.As(err, &told) && errors.Is(err, ErrUnauthenticated) && strings.Contains(told.Reason, "one-time code is required")
}

// beginWithKey tries the keys. Only that a key is refused leads to the next one.
func (l Login) beginWithKey(ctx context.Context, c *Client) (TokenFile, error) {
	keys, err := l.Keys(ctx)
	if err != nil {
		return TokenFile{}, err
	}
	err = errors.New("there is no SSH key to log in with")
	for _, key := range keys {
		var t TokenFile
		if t, err = c.LoginWithKey(ctx, l.User, key); !errors.Is(err, ErrUnauthenticated) {
			return t, err
		}
	}
	return TokenFile{}, err
}

// LoginWithCode is Login for an account with a second factor; ErrUnauthenticated.
func (c *Client) LoginWithCode(ctx context.Context, user, password, code string) (TokenFile, error) {
	var t TokenFile
	body := map[string]string{"username": user, "password": password}
	if code != "" {
		body["code"] = code
	}
	err := c.ware(ctx, request{method: http.MethodPost, path: "/login", body: body, anonymous: true}, &t)
	return t, err
}

// LoginWithKey logs in with an SSH key that is in the user's account, from a file or an agent; ErrUnauthenticated. What
// is signed is made here, of the head's name, the user's and the head's nonce: no head gets a signature of anything else.
func (c *Client) LoginWithKey(ctx context.Context, user string, key ssh.Signer) (TokenFile, error) {
	var challenge struct{ Head, Nonce string }
	body := map[string]string{"username": user, "fingerprint": ssh.FingerprintSHA256(key.PublicKey())}
	if err := c.ware(ctx, request{method: http.MethodPost, path: "/login/ssh/challenge", body: body, anonymous: true}, &challenge); err != nil {
		return TokenFile{}, err
	}
	signature, err := sshsig.Sign(key, sshsig.Message(challenge.Head, user, challenge.Nonce))
	if err != nil {
		return TokenFile{}, err
	}
	var t TokenFile
	body = map[string]string{"username": user, "nonce": challenge.Nonce, "signature": signature}
	err = c.ware(ctx, request{method: http.MethodPost, path: "/login/ssh", body: body, anonymous: true}, &t)
	return t, err
}
