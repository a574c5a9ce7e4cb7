package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
)

// identityRecord is the answer to whoami (contract clusterware 2.5).
type identityRecord struct {
	Name        string     `json:"name" doc:"Whose rights apply."`
	UID         string     `json:"uid" doc:"Identifies the account."`
	Roles       []string   `json:"roles" doc:"The account's roles."`
	Permissions []string   `json:"permissions" doc:"What the credential permits now, sorted."`
	Token       credential `json:"token" doc:"The credential."`
	Enrols      bool       `json:"totp_required,omitempty" doc:"The roles ask for one-time codes; nothing is permitted before they are set up."`
	Head        string     `json:"head" doc:"The head that answers."`
	Expiring    int        `json:"expiring" doc:"How many of the account's own service tokens expire within 30 days."`
	TmpAdmin    bool       `json:"tmpadmin" doc:"Always false: there are no accounts without authentication."`
}

type credential struct {
	Type           string   `json:"type" doc:"access, service or impersonation for tokens; else session, socket or password."`
	ID             string   `json:"jti,omitempty" doc:"Names the token."`
	Expires        *float64 `json:"expires" doc:"When it ends, Unix seconds; null for never."`
	ExpiresIn      *int64   `json:"expires_in" doc:"How many seconds are left; null for no end."`
	Actor          string   `json:"actor" doc:"Who really acts."`
	ImpersonatedBy string   `json:"impersonated_by,omitempty" doc:"Who acts as this account."`
	ActorToken     string   `json:"actor_jti,omitempty" doc:"Names the token with which who acts as this account had this one made."`
	Narrowed       bool     `json:"narrowed,omitempty" doc:"Whether the credential gives less than the account has."`
	Nodes          string   `json:"nodes,omitempty" doc:"The nodes that it is narrowed to."`
	CIDR           []string `json:"cidr,omitempty" doc:"The networks from which it is good."`
	Clusters       []string `json:"clusters,omitempty" doc:"The clusters that it reaches."`
}

func (d *door) whoami(ctx context.Context, r api.Request[api.None, api.None]) (reply[identityRecord], error) {
	c := credential{
		Type: r.TokenKind, ID: r.TokenID, Expires: epoch(r.Expires), ExpiresIn: secondsLeft(r.Expires, d.Clock.Now()),
		Actor: r.ActorName(), Narrowed: r.Narrowed, Nodes: r.Nodes, CIDR: r.CIDRs, Clusters: r.Caller.Clusters,
	}
	if c.Type == "" {
		c.Type = string(r.Via)
	}
	if r.Actor != nil {
		c.ImpersonatedBy, c.ActorToken = r.Actor.Name, r.Actor.TokenID
	}
	expiring, err := d.Tokens.ExpiringSoon(ctx, r.Caller)
	if err != nil {
		return reply[identityRecord]{}, err
	}
	return ok(identityRecord{
		Name: r.User.Name, UID: string(r.User.ID), Roles: roleNames(r.User.Roles), Permissions: r.Permissions.Names(),
		Token: c, Enrols: r.Enrols, Head: d.Head, Expiring: expiring,
	}), nil
}
