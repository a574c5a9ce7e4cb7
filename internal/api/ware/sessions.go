package ware

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Sessions lists and ends logins of browsers. *token.Sessions is one.
type Sessions interface {
	// List returns the living sessions of a user, "" for the caller; fault.Denied.
	List(ctx context.Context, c identity.Caller, user identity.UserID) ([]token.SessionInfo, error)
	// Revoke ends the session with that id; fault.NotFound, fault.Denied.
	Revoke(ctx context.Context, c identity.Caller, id string) error
	// RevokeAll ends all sessions of a user, "" for the caller, but the one that the caller comes with, and returns how
	// many; fault.Denied.
	RevokeAll(ctx context.Context, c identity.Caller, user identity.UserID) (int, error)
}

func (d *door) sessionRoutes() []api.Route {
	read := api.Needs(identity.TokensRead, identity.AdminsWriteSelf)
	write := api.Needs(identity.TokensWrite, identity.AdminsWriteSelf)
	return []api.Route{
		api.Row("GET", base+"/sessions", read, "List the browser sessions of the caller, or of another user with TokensRead.", d.listSessions),
		api.Row("DELETE", base+"/sessions", write,
			"End all browser sessions of the caller, or of another user with TokensWrite, but the one of the request; data is how many.", d.endSessions),
		api.Row("DELETE", base+"/session/{id}", write, "End a browser session: an own one, or any with TokensWrite.", d.endSession),
	}
}

type sessionRecord struct {
	ID      string   `json:"id" doc:"Names the session. It opens nothing."`
	User    string   `json:"user" doc:"Whose rights apply in it."`
	Actor   string   `json:"actor,omitempty" doc:"Who acts as the user in it."`
	Method  string   `json:"method" doc:"How the login was made: password, ldap, oidc, jwt, ..."`
	Created *float64 `json:"created" doc:"Unix seconds."`
	Seen    *float64 `json:"seen" doc:"When it was last used, to the minute; Unix seconds."`
	Expires *float64 `json:"expires" doc:"When it ends at the latest, Unix seconds."`
	Addr    string   `json:"addr" doc:"Where it began."`
	Agent   string   `json:"agent" doc:"The browser, as it calls itself."`
	Current bool     `json:"current" doc:"Whether it is the one of the request."`
}

func newSessionRecord(s token.SessionInfo) sessionRecord {
	return sessionRecord{
		ID: s.ID(), User: s.User, Actor: s.Actor, Method: s.Method, Created: epoch(s.Created), Seen: epoch(s.Seen),
		Expires: epoch(s.Expires), Addr: s.Addr, Agent: s.Agent, Current: s.Current,
	}
}

type sessionParams struct {
	User string `query:"user" doc:"Only sessions of this user; your own when absent."`
}

// owner returns the account that p names, "" for none.
func (d *door) owner(ctx context.Context, c identity.Caller, p sessionParams) (identity.UserID, error) {
	if p.User == "" {
		return "", nil
	}
	u, err := d.Users.Get(ctx, c, p.User)
	if err != nil {
		return "", noAdmin(err, p.User)
	}
	return u.ID, nil
}

func (d *door) listSessions(ctx context.Context, r api.Request[sessionParams, api.None]) (reply[[]sessionRecord], error) {
	user, err := d.owner(ctx, r.Caller, r.Params)
	if err != nil {
		return reply[[]sessionRecord]{}, err
	}
	sessions, err := d.Sessions.List(ctx, r.Caller, user)
	records := make([]sessionRecord, len(sessions))
	for i, s := range sessions {
		records[i] = newSessionRecord(s)
	}
	return ok(records), err
}

// nothing is a body that says nothing. A call that ends everything refuses one that says more than it understands.
type nothing struct{}

func (d *door) endSessions(ctx context.Context, r api.Request[sessionParams, *nothing]) (reply[int], error) {
	user, err := d.owner(ctx, r.Caller, r.Params)
	if err != nil {
		return reply[int]{}, err
	}
	n, err := d.Sessions.RevokeAll(ctx, r.Caller, user)
	return ok(n), err
}

type bySessionID struct {
	ID string `path:"id" doc:"The session's id."`
}

func (d *door) endSession(ctx context.Context, r api.Request[bySessionID, api.None]) (reply[string], error) {
	err := d.Sessions.Revoke(ctx, r.Caller, r.Params.ID)
	if fault.Is(err, fault.NotFound) {
		err = fault.Because(fault.NotFound, err, "No session found for ID=%s", r.Params.ID)
	}
	return ok(r.Params.ID), err
}
