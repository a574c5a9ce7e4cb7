package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

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

// revocation says which tokens to revoke. What is given has to fit all at once; all stands alone.
type revocation struct {
	User   string `json:"user" doc:"Those of this user."`
	Issuer string `json:"issuer" doc:"Those that this user had made."`
	Key    string `json:"key" doc:"Those that this key signed. Needs TokensWrite."`
	Type   string `json:"type" doc:"Those of this type." enum:"access,refresh,service,impersonation"`
	All    bool   `json:"all" doc:"Every token of everybody, the one of this request too. Needs TokensWrite."`
	DryRun bool   `json:"dry_run" doc:"Only count."`
}

type revoked struct {
	Count int      `json:"count" doc:"How many tokens were revoked, or would be."`
	IDs   []string `json:"ids" doc:"The first thousand of them; empty when only counting."`
}

// mostIDs is how many ids of revoked tokens a reply lists.
const mostIDs = 1000

func (d *door) revokeTokens(ctx context.Context, r api.Request[api.None, revocation]) (reply[revoked], error) {
	what := token.Revocation{Filter: token.Filter{KeyID: r.Body.Key, Kind: token.Kind(r.Body.Type)}, All: r.Body.All, DryRun: r.Body.DryRun}
	var err error
	if what.UserID, err = d.idOf(ctx, r.Caller, r.Body.User); err != nil {
		return reply[revoked]{}, err
	}
	if what.IssuerID, err = d.idOf(ctx, r.Caller, r.Body.Issuer); err != nil {
		return reply[revoked]{}, err
	}
	ids, n, err := d.Tokens.RevokeMany(ctx, r.Caller, what)
	return ok(revoked{n, listOf(ids[:min(len(ids), mostIDs)])}), err
}
