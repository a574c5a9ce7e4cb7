package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// KeyLogins logs people in with their SSH keys. *authn.KeyLogins is one.
type KeyLogins interface {
	// Challenge returns what has to be signed, whoever asks for whomever.
	Challenge(user, fingerprint string) authn.Challenge
	// Login returns the user whose key has answered a challenge; fault.Unauthenticated, fault.TooMany.
	Login(ctx context.Context, a identity.Attempt, challenge, signature string) (identity.User, error)
}

func (d *door) sshRoutes() []api.Route {
	return []api.Route{
		api.Row("GET", base+"/login/methods", api.Public(), "How one can log in here.", d.loginMethods),
		api.Row("POST", base+"/login/ssh/challenge", api.Public(), "Begin a login with an SSH key: what has to be signed. The reply is the same for users that do not exist.", d.sshChallenge).
			WithMaxBody(4 << 10),
		api.Row("POST", base+"/login/ssh", api.Public(), "Log in with the signature of a challenge and get an access and a refresh token.", d.sshLogin).
			WithMaxBody(32 << 10),
	}
}

// loginMethods is what a login page or a tool offers.
type loginMethods struct {
	Password bool        `json:"password" doc:"With a name and a password, at POST /login."`
	OIDC     *oidcMethod `json:"oidc" doc:"At another provider; null when there is none."`
	SSH      bool        `json:"ssh" doc:"With an SSH key, at POST /api/v1/login/ssh."`
}

type oidcMethod struct {
	Label string `json:"label" doc:"What the provider is called."`
	URL   string `json:"url" doc:"Where the browser goes."`
}

func (d *door) loginMethods(context.Context, api.Request[api.None, api.None]) (reply[loginMethods], error) {
	m := loginMethods{Password: true, SSH: true}
	if d.SingleSignOn != "" {
		m.OIDC = &oidcMethod{Label: d.SingleSignOn, URL: "/oidc-login"}
	}
	return ok(m), nil
}

type challengeBody struct {
	Username    string `json:"username" required:"true" doc:"Login name."`
	Fingerprint string `json:"fingerprint" required:"true" doc:"Of the key, as ssh-keygen -l shows it." example:"SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"`
}

type challengeObject struct {
	Head    string   `json:"head" doc:"Name of the head, which is signed as well."`
	Nonce   string   `json:"nonce" doc:"Good for one login."`
	Expires *float64 `json:"expires" doc:"Until when it can be answered, Unix seconds."`
}

func (d *door) sshChallenge(_ context.Context, r api.Request[api.None, challengeBody]) (reply[challengeObject], error) {
	if r.Body.Username == "" || r.Body.Fingerprint == "" {
		return reply[challengeObject]{}, fault.New(fault.Invalid, `a user and the fingerprint of a key are needed: {"username": "...", "fingerprint": "SHA256:..."}`)
	}
	c := d.SSH.Challenge(r.Body.Username, r.Body.Fingerprint)
	return ok(challengeObject{c.Head, c.Nonce, epoch(c.Expires)}), nil
}

type signatureBody struct {
	Username  string `json:"username" required:"true" doc:"Login name."`
	Nonce     string `json:"nonce" required:"true" doc:"From the challenge."`
	Signature string `json:"signature" required:"true" doc:"Of \"head HEAD\\nuser USER\\nnonce NONCE\\n\" for the namespace bridgehead-login: what ssh-keygen -Y sign writes, or an agent's answer in base64."`
}

func (d *door) sshLogin(ctx context.Context, r api.Request[api.None, signatureBody]) (reply[tokenObject], error) {
	a := d.attempt(ctx, r.HTTP, r.Body.Username)
	u, err := d.SSH.Login(ctx, a, r.Body.Nonce, r.Body.Signature)
	if err != nil {
		return reply[tokenObject]{}, err
	}
	return d.loggedIn(ctx, u, a, identity.ViaSSH)
}
