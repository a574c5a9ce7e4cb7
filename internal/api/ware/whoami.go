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
	Head        string     `json:"head" doc:"The head that answers."`
	TmpAdmin    bool       `json:"tmpadmin" doc:"Always false: there are no accounts without authentication."`
}

type credential struct {
	Type           string   `json:"type" doc:"access, service or impersonation for tokens; else session, socket or password."`
	ID             string   `json:"jti,omitempty" doc:"Names the token."`
	Expires        *float64 `json:"expires" doc:"When it ends, Unix seconds; null for never."`
	ExpiresIn      *int64   `json:"expires_in" doc:"How many seconds are left; null for no end."`
	Actor          string   `json:"actor" doc:"Who really acts."`
	ImpersonatedBy string   `json:"impersonated_by,omitempty" doc:"Who acts as this account."`
}

func (d *door) whoami(_ context.Context, r api.Request[api.None, api.None]) (reply[identityRecord], error) {
	c := credential{
		Type: r.TokenKind, ID: r.TokenID, Expires: epoch(r.Expires), ExpiresIn: secondsLeft(r.Expires, d.Clock.Now()),
		Actor: r.ActorName(),
	}
	if c.Type == "" {
		c.Type = string(r.Via)
	}
	if r.Actor != nil {
		c.ImpersonatedBy = r.Actor.Name
	}
	return ok(identityRecord{
		Name: r.User.Name, UID: string(r.User.ID), Roles: roleNames(r.User.Roles), Permissions: r.Permissions.Names(),
		Token: c, Head: d.Head,
	}), nil
}
