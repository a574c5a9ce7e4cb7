package access

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// introspection is what is said of a token (RFC 7662, 2.2). Of one that is not good, it is nothing but that.
type introspection struct {
	Active    bool        `json:"active" doc:"Whether the token is good now."`
	Scope     string      `json:"scope,omitempty" doc:"The permissions that it has now."`
	Username  string      `json:"username,omitempty" doc:"Whom it stands for."`
	TokenType string      `json:"token_type,omitempty" doc:"Bearer; absent of refresh tokens."`
	Expires   int64       `json:"exp,omitempty" doc:"Unix seconds."`
	IssuedAt  int64       `json:"iat,omitempty" doc:"Unix seconds."`
	NotBefore int64       `json:"nbf,omitempty" doc:"Unix seconds."`
	Subject   string      `json:"sub,omitempty" doc:"Whom it stands for."`
	Audience  string      `json:"aud,omitempty" doc:"Whom it is for."`
	Issuer    string      `json:"iss,omitempty" doc:"The claim iss."`
	ID        string      `json:"jti,omitempty" doc:"Names it in lists."`
	Actor     *actorClaim `json:"act,omitempty" doc:"Who acts as the subject (RFC 8693)."`

	Kind        string   `json:"kind,omitempty" doc:"access, refresh, service or impersonation."`
	Roles       []string `json:"roles,omitempty" doc:"The claim roles; what counts is scope."`
	Permissions []string `json:"permissions,omitempty" doc:"What it is narrowed to."`
	ReadOnly    bool     `json:"read_only,omitempty" doc:"Whether it is narrowed to permissions that read."`
	Nodes       string   `json:"nodes,omitempty" doc:"The nodes that it is narrowed to."`
	CIDRs       []string `json:"cidr,omitempty" doc:"The addresses that it is good from."`
	Clusters    []string `json:"clusters,omitempty" doc:"The clusters that it is narrowed to."`
}

type actorClaim struct {
	Subject string `json:"sub" doc:"The actor's name."`
	ID      string `json:"jti,omitempty" doc:"The token with which he had it made."`
}

// Respond writes what is true at this moment only.
func (i introspection) Respond(w http.ResponseWriter, _ *http.Request) error {
	noStore(w.Header())
	return api.JSON(w, http.StatusOK, i)
}

func (d door) introspect(ctx context.Context, r api.Request[api.None, tokenText]) (introspection, error) {
	if err := r.Body.check(); err != nil {
		return introspection{}, err
	}
	t, err := d.OAuth.Introspect(ctx, r.Caller, r.Body.Token)
	if isRefusal(err) {
		return introspection{}, nil
	}
	if err != nil {
		return introspection{}, err
	}
	return describe(t), nil
}

func describe(t token.Introspection) introspection {
	i := introspection{
		Active: true, Scope: strings.Join(t.Effective.Names(), " "), Username: t.Subject, Subject: t.Subject, TokenType: "Bearer",
		Expires: unix(t.Expires), IssuedAt: unix(t.IssuedAt), NotBefore: unix(t.NotBefore), Audience: strings.Join(t.Audience, " "),
		Issuer: t.Issuer, ID: t.ID, Kind: string(t.Kind), Roles: t.Roles, Permissions: t.Permissions, ReadOnly: t.ReadOnly,
		Nodes: t.Nodes, CIDRs: t.CIDRs, Clusters: t.Clusters, Actor: actorOf(t.Actor),
	}
	if t.Kind == token.KindRefresh { // it opens nothing, whatever its user may do
		i.Scope, i.TokenType = "", ""
	}
	return i
}

func actorOf(a *identity.Actor) *actorClaim {
	if a == nil {
		return nil
	}
	return &actorClaim{a.Name, a.TokenID}
}

// unix returns a time in Unix seconds, 0 for no time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
