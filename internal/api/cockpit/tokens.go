package cockpit

import (
	"context"
	"io"
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

type makeTokenParams struct {
	Username string `query:"username" doc:"Whose token. Default: one's own."`
}

// tokenText is a token, which no cache may keep.
type tokenText string

// Respond writes the token.
func (t tokenText) Respond(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, string(t)) // the client has gone; nobody is left to tell
	return nil
}

// makeToken makes a service token for oneself. For somebody else it is an impersonation, which names who made it and
// follows the rules for that (contract clustercockpit 3.13).
func (d *dialect) makeToken(ctx context.Context, r api.Request[makeTokenParams, api.None]) (tokenText, error) {
	if fromElsewhere(r.HTTP) {
		return "", fault.New(fault.Denied, "a page of another origin may not make a token")
	}
	req := token.MintRequest{Kind: token.KindService, Lifetime: d.TokenLifetime, Cut: true, Purpose: "made with GET /frontend/jwt/"}
	if name := r.Params.Username; name != "" && name != r.User.Name {
		// Before anything else, so that others do not learn which accounts there are.
		if err := r.Require(identity.AdminsWrite); err != nil {
			return "", err
		}
		req.For, req.Kind, req.Lifetime = name, token.KindImpersonation, 0
	}

	minted, err := d.Tokens.Mint(ctx, r.Caller, req)

	return tokenText(minted.Text), err
}
