package ware

import (
	"context"
	"encoding/json"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

// foundText is a text that may be a token. It is in the body because addresses are logged.
type foundText struct {
	Token string `json:"token" required:"true" doc:"The text. It is kept nowhere."`
}

type inspection struct {
	What   string          `json:"what" doc:"What the text is, in words."`
	Signed bool            `json:"signed" doc:"Whether a key of this head signed it. Otherwise its claims are only what somebody wrote."`
	Valid  bool            `json:"valid" doc:"Whether it opens something here now."`
	Reason string          `json:"reason,omitempty" doc:"Why it does not."`
	Header json.RawMessage `json:"header" doc:"The token's header as it stands; null when it has none."`
	Claims json.RawMessage `json:"claims" doc:"The token's claims as they stand; null when it has none."`
	Token  *tokenRecord    `json:"token" doc:"What is known of it here; null when nothing is."`
}

func (d *door) inspectToken(ctx context.Context, r api.Request[api.None, foundText]) (reply[inspection], error) {
	i, err := d.Tokens.Inspect(ctx, r.Caller, r.Body.Token)
	if err != nil {
		return reply[inspection]{}, err
	}
	out := inspection{What: i.What, Signed: i.Signed, Valid: i.Good, Reason: i.Reason, Header: i.Header, Claims: i.Body}
	if i.Record != nil {
		t := newTokenRecord(*i.Record, d.Clock.Now())
		out.Token = &t
	}
	return ok(out), nil
}
