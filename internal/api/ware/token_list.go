package ware

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Narrowing is how much less a token may do than its user. It is exported because the document takes no members from
// embedded structs that are not.
type Narrowing struct {
	Permissions []string `json:"permissions,omitempty" doc:"Only these permissions."`
	ReadOnly    bool     `json:"read_only,omitempty" doc:"Only permissions that read."`
	Nodes       string   `json:"nodes,omitempty" doc:"Only permissions about single nodes, and only on these."`
	CIDR        []string `json:"cidr,omitempty" doc:"Only from these networks."`
	Clusters    []string `json:"clusters,omitempty" doc:"Only what is in these clusters."`
}

func newNarrowing(n token.Narrowing) Narrowing {
	return Narrowing{Permissions: n.Permissions, ReadOnly: n.ReadOnly, Nodes: n.Nodes, CIDR: n.CIDRs, Clusters: n.Clusters}
}

type tokenRecord struct {
	ID        string   `json:"jti" doc:"Names the token."`
	User      string   `json:"user" doc:"Whom the token stands for."`
	Type      string   `json:"type" doc:"access, refresh, service or impersonation."`
	State     string   `json:"state" doc:"live, expired or revoked."`
	IssuedBy  string   `json:"issued_by" doc:"Who had it made."`
	KeyID     string   `json:"kid" doc:"The key that signed it."`
	Name      string   `json:"name" doc:"A label for people."`
	Purpose   string   `json:"purpose" doc:"What it is for."`
	Issued    *float64 `json:"issued" doc:"Unix seconds."`
	Expires   *float64 `json:"expires" doc:"Unix seconds."`
	LastUsed  *float64 `json:"last_used" doc:"Unix seconds; null for never."`
	LastAddr  string   `json:"last_addr" doc:"The address of the last use."`
	Revoked   *float64 `json:"revoked" doc:"Unix seconds; null while it is good."`
	RevokedBy string   `json:"revoked_by" doc:"Who revoked it."`
	Narrowing
}

func newTokenRecord(t token.Token, now time.Time) tokenRecord {
	return tokenRecord{
		ID: t.ID, User: t.User, Type: string(t.Kind), State: string(t.StateAt(now)), IssuedBy: t.IssuedBy, KeyID: t.KeyID,
		Name: t.Name, Purpose: t.Purpose, Issued: epoch(t.Issued), Expires: epoch(t.Expires), LastUsed: epoch(t.LastUsed),
		LastAddr: t.LastAddr, Revoked: epoch(t.Revoked), RevokedBy: t.RevokedBy, Narrowing: newNarrowing(t.Narrowing),
	}
}

type tokenListParams struct {
	User     string `query:"user" doc:"Only tokens of this user; your own when neither user, issuer, key nor all is given."`
	Issuer   string `query:"issuer" doc:"Only tokens that this user had made."`
	Key      string `query:"key" doc:"Only tokens that this key signed. Needs TokensRead."`
	All      bool   `query:"all" doc:"The tokens of everybody. Needs TokensRead."`
	Type     string `query:"type" doc:"Only tokens of this type." enum:"access,refresh,service,impersonation"`
	State    string `query:"state" doc:"Only tokens in this state; live when absent." enum:"live,expired,revoked,any"`
	Dead     bool   `query:"dead" doc:"The same as state=any."`
	Expiring string `query:"expiring" doc:"Only live tokens that expire within this time, as in 30d."`
	Text     string `query:"text" doc:"Only tokens with this in jti, name, purpose, user or issuer."`
	After    string `query:"after" doc:"The jti behind which the page begins."`
	Limit    int    `query:"limit" doc:"How many at most." default:"1000"`
}

func (d *door) listTokens(ctx context.Context, r api.Request[tokenListParams, api.None]) (reply[[]tokenRecord], error) {
	f, err := r.Params.filter(d.Clock.Now())
	if err != nil {
		return reply[[]tokenRecord]{}, err
	}
	if err := d.whose(ctx, r.Caller, &f, r.Params); err != nil {
		return reply[[]tokenRecord]{}, err
	}
	tokens, err := d.Tokens.List(ctx, r.Caller, f)
	records := make([]tokenRecord, len(tokens))
	for i, t := range tokens {
		records[i] = newTokenRecord(t, d.Clock.Now())
	}
	return ok(records), err
}

// filter returns what is asked for, but for whose tokens they are.
func (p tokenListParams) filter(now time.Time) (token.Filter, error) {
	if p.Limit < 1 {
		return token.Filter{}, fault.New(fault.Invalid, "limit must be at least 1")
	}
	f := token.Filter{KeyID: p.Key, Kind: token.Kind(p.Type), Text: p.Text, After: p.After, Limit: p.Limit}
	switch state := token.State(p.State); {
	case state == token.Live, state == token.Expired, state == token.Revoked:
		f = f.In(state, now)
	case state == "" && !p.Dead:
		f = f.In(token.Live, now)
	case state != "" && state != "any":
		return f, fault.New(fault.Invalid, "unknown state %q of tokens: live, expired, revoked or any is expected", p.State)
	}
	if p.Expiring != "" {
		within, err := token.ParseLifetime(p.Expiring)
		if err != nil {
			return f, err
		}
		f.Live, f.Before = now, now.Add(within)
	}
	return f, nil
}

// whose says in the filter whose tokens are asked for: the caller's own, unless he asks for others.
func (d *door) whose(ctx context.Context, c identity.Caller, f *token.Filter, p tokenListParams) (err error) {
	if f.UserID, err = d.idOf(ctx, c, p.User); err != nil {
		return err
	}
	if f.IssuerID, err = d.idOf(ctx, c, p.Issuer); err != nil {
		return err
	}
	switch {
	case p.User != "" || p.Issuer != "":
	case p.All || p.Key != "":
		return c.Require(identity.TokensRead) // List would answer with the caller's own
	default:
		f.UserID = c.User.ID
	}
	return nil
}

// idOf returns the id of the user with that name, "" for no name.
func (d *door) idOf(ctx context.Context, c identity.Caller, name string) (identity.UserID, error) {
	if name == "" {
		return "", nil
	}
	u, err := d.Users.Get(ctx, c, name)
	return u.ID, noAdmin(err, name)
}

type byTokenID struct {
	ID string `path:"jti" doc:"The token's jti."`
}

func (d *door) getToken(ctx context.Context, r api.Request[byTokenID, api.None]) (reply[tokenRecord], error) {
	t, err := d.Tokens.Get(ctx, r.Caller, r.Params.ID)
	return ok(newTokenRecord(t, d.Clock.Now())), noToken(err, r.Params.ID)
}

// labels are what people call a token. An absent one stays as it is.
type labels struct {
	Name    *string `json:"name" doc:"A label for people."`
	Purpose *string `json:"purpose" doc:"What the token is for."`
}

func (d *door) renameToken(ctx context.Context, r api.Request[byTokenID, labels]) (reply[tokenRecord], error) {
	t, err := d.Tokens.Rename(ctx, r.Caller, r.Params.ID, token.Labels{Name: r.Body.Name, Purpose: r.Body.Purpose})
	return ok(newTokenRecord(t, d.Clock.Now())), noToken(err, r.Params.ID)
}

func noToken(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Because(fault.NotFound, err, "No token found for ID=%s", id)
	}
	return err
}
