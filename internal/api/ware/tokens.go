package ware

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Tokens makes, lists, inspects and revokes tokens. *token.Service is one.
type Tokens interface {
	// Mint makes a token; fault.Denied, fault.NotFound, fault.Invalid, fault.Conflict, fault.Unavailable without a key.
	Mint(ctx context.Context, c identity.Caller, r token.MintRequest) (token.Minted, error)
	// Refresh makes an access token for a refresh token; fault.Unauthenticated.
	Refresh(ctx context.Context, raw, addr, requestID string) (token.Minted, error)
	// Get returns the record of a token; fault.NotFound.
	Get(ctx context.Context, c identity.Caller, id string) (token.Token, error)
	// List returns the matching tokens, newest first; fault.Denied.
	List(ctx context.Context, c identity.Caller, f token.Filter) ([]token.Token, error)
	// Rename changes what people call a token; fault.NotFound, fault.Denied, fault.Invalid.
	Rename(ctx context.Context, c identity.Caller, id string, l token.Labels) (token.Token, error)
	// Revoke revokes the matching tokens and returns how many; fault.Denied, fault.NotFound.
	Revoke(ctx context.Context, c identity.Caller, f token.Filter) (int, error)
	// RevokeMany revokes or only counts; fault.Denied, fault.NotFound, fault.Invalid.
	RevokeMany(ctx context.Context, c identity.Caller, r token.Revocation) (ids []string, n int, err error)
	// Inspect tells what a text is; fault.Denied.
	Inspect(ctx context.Context, c identity.Caller, text string) (token.Inspection, error)
	// ExpiringSoon counts the caller's own service tokens that are about to expire.
	ExpiringSoon(ctx context.Context, c identity.Caller) (int, error)
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
	Warnings       []string `json:"warnings,omitempty" doc:"What may not be meant, as that there is no such cluster."`
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
	Nodes       string    `json:"nodes" doc:"Narrows the token to permissions about single nodes, and to these nodes." example:"n[1-16],login*"`
	CIDR        *nameList `json:"cidr" doc:"Narrows the token to requests from these networks."`
	Clusters    *nameList `json:"clusters" doc:"Narrows the token to what is in these clusters."`
}

func (b *tokenBody) request() (token.MintRequest, error) {
	if b == nil {
		return token.MintRequest{}, nil
	}
	r := token.MintRequest{Name: b.Name, Purpose: b.Purpose, Narrowing: token.Narrowing{
		ReadOnly: b.ReadOnly, Permissions: value(b.Permissions), Nodes: b.Nodes, CIDRs: value(b.CIDR), Clusters: value(b.Clusters),
	}}
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
	object := newTokenObject(m)
	object.Warnings = d.unknownClusters(r.Caller, wish.Clusters)
	return ok(object), err
}

// unknownClusters says which of the clusters are not among the monitored ones. A token may be made before its cluster is set
// up here, or for a metric store elsewhere; but it may be a slip as well, and nothing else would ever tell.
func (d *door) unknownClusters(c identity.Caller, names []string) (warnings []string) {
	if len(names) == 0 || d.Clusters == nil {
		return nil
	}
	known := slices.DeleteFunc(slices.Clone(d.Clusters()), func(name string) bool { return !c.InCluster(name) })
	have := "none"
	if len(known) > 0 {
		have = strings.Join(known, ", ")
	}
	for _, name := range names {
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			warnings = append(warnings, fmt.Sprintf("there is no cluster %q here (there is %s), so the token reaches nothing there", name, have))
		}
	}
	return warnings
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
