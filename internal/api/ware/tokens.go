package ware

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Tokens makes, lists and revokes tokens. *token.Service is one.
type Tokens interface {
	// Mint makes a token; fault.Denied, fault.NotFound, fault.Invalid, fault.Unavailable without a private key.
	Mint(ctx context.Context, c identity.Caller, r token.MintRequest) (token.Minted, error)
	// Refresh makes an access token for a refresh token; fault.Unauthenticated.
	Refresh(ctx context.Context, raw, addr, requestID string) (token.Minted, error)
	// List returns the matching tokens, newest first; fault.Denied.
	List(ctx context.Context, c identity.Caller, f token.Filter) ([]token.Token, error)
	// Revoke revokes the matching tokens and returns how many; fault.Denied, fault.NotFound.
	Revoke(ctx context.Context, c identity.Caller, f token.Filter) (int, error)
}

// tokenObject is a fresh token (contract clusterware 2.3).
type tokenObject struct {
	AccessToken    string   `json:"access_token" doc:"The token. It is shown once."`
	RefreshToken   string   `json:"refresh_token,omitempty" doc:"Good only for a new access token; comes with a login."`
	TokenType      string   `json:"token_type" doc:"Always Bearer."`
	Expires        *float64 `json:"expires" doc:"When the token ends, Unix seconds."`
	RefreshExpires *float64 `json:"refresh_expires,omitempty" doc:"When the refresh token ends, Unix seconds."`
	User           string   `json:"user" doc:"Whom the token stands for."`
	IssuedBy       string   `json:"issued_by" doc:"Who had it made."`
	ID             string   `json:"jti" doc:"Names the token in lists and when it is revoked."`
	Type           string   `json:"type" doc:"access, service or impersonation."`
}

func newTokenObject(m token.Minted) tokenObject {
	return tokenObject{
		AccessToken: m.Text, TokenType: "Bearer", Expires: epoch(m.Expires), User: m.User, IssuedBy: m.IssuedBy,
		ID: m.ID, Type: string(m.Kind),
	}
}

// lifetime is a duration in a request: a number of seconds, or a text as token.ParseLifetime reads it.
type lifetime string

// UnmarshalJSON reads a number or a string.
func (l *lifetime) UnmarshalJSON(data []byte) error {
	text := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return fault.Because(fault.Invalid, err, "the lifetime is not text")
		}
	}
	*l = lifetime(text)
	return nil
}

// tokenBody says which token is wanted. Both spellings of the lifetime are in use.
type tokenBody struct {
	Lifetime    *lifetime `json:"lifetime" doc:"How long: seconds, or a number with s, m, h, d or w, as in 1d."`
	Lifespan    *lifetime `json:"lifespan" doc:"The same as lifetime."`
	Name        string    `json:"name" doc:"A label for people."`
	Purpose     string    `json:"purpose" doc:"What the token is for."`
	Permissions *nameList `json:"permissions" doc:"Narrows the token to these permissions."`
	ReadOnly    bool      `json:"read_only" doc:"Narrows the token to permissions that read."`
}

func (b *tokenBody) request() (token.MintRequest, error) {
	if b == nil {
		return token.MintRequest{}, nil
	}
	r := token.MintRequest{Name: b.Name, Purpose: b.Purpose, Narrowing: token.Narrowing{ReadOnly: b.ReadOnly, Permissions: value(b.Permissions)}}
	if b.Lifetime != nil && b.Lifespan != nil && *b.Lifetime != *b.Lifespan {
		return r, fault.New(fault.Invalid, "lifetime and lifespan are the same thing and contradict each other")
	}
	for _, text := range []*lifetime{b.Lifetime, b.Lifespan} {
		if text == nil {
			continue
		}
		var err error
		if r.Lifetime, err = token.ParseLifetime(string(*text)); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (d *door) mintToken(ctx context.Context, r api.Request[byID, *tokenBody]) (reply[tokenObject], error) {
	wish, err := r.Body.request()
	if err != nil {
		return reply[tokenObject]{}, err
	}
	u, err := d.Users.Get(ctx, r.Caller, r.Params.ID)
	if err != nil {
		return reply[tokenObject]{}, noAdmin(err, r.Params.ID)
	}
	wish.For = u.Name
	m, err := d.Tokens.Mint(ctx, r.Caller, wish)
	return ok(newTokenObject(m)), err
}

type tokenRecord struct {
	ID        string   `json:"jti" doc:"Names the token."`
	User      string   `json:"user" doc:"Whom the token stands for."`
	Type      string   `json:"type" doc:"access, refresh, service or impersonation."`
	IssuedBy  string   `json:"issued_by" doc:"Who had it made."`
	Name      string   `json:"name" doc:"A label for people."`
	Purpose   string   `json:"purpose" doc:"What it is for."`
	Issued    *float64 `json:"issued" doc:"Unix seconds."`
	Expires   *float64 `json:"expires" doc:"Unix seconds."`
	LastUsed  *float64 `json:"last_used" doc:"Unix seconds; null for never."`
	LastAddr  string   `json:"last_addr" doc:"The address of the last use."`
	Revoked   *float64 `json:"revoked" doc:"Unix seconds; null while it is good."`
	RevokedBy string   `json:"revoked_by" doc:"Who revoked it."`
}

func newTokenRecord(t token.Token) tokenRecord {
	return tokenRecord{
		ID: t.ID, User: t.User, Type: string(t.Kind), IssuedBy: t.IssuedBy, Name: t.Name, Purpose: t.Purpose,
		Issued: epoch(t.Issued), Expires: epoch(t.Expires), LastUsed: epoch(t.LastUsed), LastAddr: t.LastAddr,
		Revoked: epoch(t.Revoked), RevokedBy: t.RevokedBy,
	}
}

type tokenListParams struct {
	User  string `query:"user" doc:"Only tokens of this user; your own when absent."`
	All   bool   `query:"all" doc:"The tokens of everybody. Needs TokensRead."`
	Type  string `query:"type" doc:"Only tokens of this type." enum:"access,refresh,service,impersonation"`
	Dead  bool   `query:"dead" doc:"Also tokens that have expired or been revoked."`
	After string `query:"after" doc:"The jti behind which the page begins."`
	Limit int    `query:"limit" doc:"How many at most." default:"1000"`
}

func (d *door) listTokens(ctx context.Context, r api.Request[tokenListParams, api.None]) (reply[[]tokenRecord], error) {
	p := r.Params
	if p.Limit < 1 {
		return reply[[]tokenRecord]{}, fault.New(fault.Invalid, "limit must be at least 1")
	}
	f := token.Filter{UserID: r.User.ID, Kind: token.Kind(p.Type), After: p.After, Limit: p.Limit}
	if !p.Dead {
		f.Live = d.Clock.Now()
	}
	if p.User != "" {
		u, err := d.Users.Get(ctx, r.Caller, p.User)
		if err != nil {
			return reply[[]tokenRecord]{}, noAdmin(err, p.User)
		}
		f.UserID = u.ID
	} else if p.All {
		if err := r.Require(identity.TokensRead); err != nil { // List would answer with the caller's own
			return reply[[]tokenRecord]{}, err
		}
		f.UserID = ""
	}
	tokens, err := d.Tokens.List(ctx, r.Caller, f)
	records := make([]tokenRecord, len(tokens))
	for i, t := range tokens {
		records[i] = newTokenRecord(t)
	}
	return ok(records), err
}

type byTokenID struct {
	ID string `path:"jti" doc:"The token's jti."`
}

func (d *door) revokeToken(ctx context.Context, r api.Request[byTokenID, api.None]) (reply[string], error) {
	n, err := d.Tokens.Revoke(ctx, r.Caller, token.Filter{ID: r.Params.ID})
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "nothing to revoke")
	}
	if fault.Is(err, fault.NotFound) {
		err = fault.Because(fault.NotFound, err, "No live token found for ID=%s", r.Params.ID)
	}
	return ok(r.Params.ID), err
}

// bearer returns the token in a request's header, "" when there is none.
func bearer(authorization string) string {
	scheme, raw, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return raw
}

// secondsLeft returns how long it is until a time, nil for no time.
func secondsLeft(until, now time.Time) *int64 {
	if until.IsZero() {
		return nil
	}
	left := max(0, int64(until.Sub(now)/time.Second))
	return &left
}
