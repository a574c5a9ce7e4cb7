package client

import (
	"context"
	"net/http"
)

// SecondFactor is the state of an account's one-time codes.
type SecondFactor struct {
	Enabled      bool `json:"enabled"`       // logins with a password need a code
	Pending      bool `json:"pending"`       // begun, and waits for its first code
	RecoveryLeft int  `json:"recovery_left"` // recovery codes that have not been used
}

// Enrolment is what a generator of one-time codes is set up with. The head shows it once.
type Enrolment struct {
	Secret string `json:"secret"` // base32
	URI    string `json:"uri"`    // the same for generators, otpauth://
	QR     string `json:"qr"`     // the same as a picture, as data: URL
}

// GetSecondFactor returns the state of an account's second factor; ErrNotFound, ErrDenied.
func (c *Client) GetSecondFactor(ctx context.Context, id string) (SecondFactor, error) {
	var f SecondFactor
	err := c.ware(ctx, request{method: http.MethodGet, path: factorPath(id)}, &f)
	return f, err
}

// BeginSecondFactor makes a secret for the caller's own account. Logins need a code once it is confirmed; ErrConflict,
// ErrDenied.
func (c *Client) BeginSecondFactor(ctx context.Context, id string) (Enrolment, error) {
	var e Enrolment
	err := c.ware(ctx, request{method: http.MethodPost, path: factorPath(id)}, &e)
	return e, err
}

// ConfirmSecondFactor switches the second factor on with a first code, and returns the recovery codes, which the head
// shows once; ErrInvalid, ErrConflict.
func (c *Client) ConfirmSecondFactor(ctx context.Context, id, code string) ([]string, error) {
	var r struct {
		Codes []string `json:"recovery_codes"`
	}
	err := c.ware(ctx, request{method: http.MethodPost, path: factorPath(id) + "/confirm", body: map[string]string{"code": code}}, &r)
	return r.Codes, err
}

// DeleteSecondFactor removes a second factor: the caller's own with a one-time code or a recovery code, that of others
// without; ErrNotFound, ErrInvalid, ErrDenied.
func (c *Client) DeleteSecondFactor(ctx context.Context, id, code string) error {
	r := request{method: http.MethodDelete, path: factorPath(id)}
	if code != "" {
		r.body = map[string]string{"code": code}
	}
	return c.ware(ctx, r, nil)
}

func factorPath(id string) string { return "/admin/" + segment(id) + "/totp" }
