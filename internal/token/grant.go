package token

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// grant is what a mint request comes down to: for whom, as whose, and how far narrowed.
type grant struct {
	identity.Standing
	Narrowing
	actor *identity.Actor // who will act as the user, nil when it is the user himself
}

func (s *Service) grantFor(ctx context.Context, c identity.Caller, r MintRequest, forOther bool) (grant, error) {
	if forOther {
		return s.grantForOther(ctx, c, r)
	}
	return s.grantForSelf(ctx, c, r)
}

// grantForOther asks whether the caller may act as the user.
func (s *Service) grantForOther(ctx context.Context, c identity.Caller, r MintRequest) (grant, error) {
	if err := c.Require(identity.AdminsWrite); err != nil {
		return grant{}, err // before anything can be learnt about the user
	}
	if r.For == "" {
		return grant{}, fault.New(fault.Invalid, "the user whom the token is for is missing: the command line has no account of its own")
	}
	g := grant{}
	var err error
	if g.Narrowing, err = r.narrowing(c); err != nil {
		return grant{}, err
	}
	g.Standing, err = s.users.Resolve(ctx, r.For)
	switch {
	case fault.Is(err, fault.Unauthenticated): // about him, not about the caller
		return grant{}, fault.Because(fault.Denied, err, "user %q is disabled", r.For)
	case fault.Is(err, fault.NotFound):
		return grant{}, fault.Because(fault.NotFound, err, "no user %q", r.For)
	case err != nil:
		return grant{}, err
	}
	left := g.Narrow(g.Standing.Permissions)
	if err := s.users.MayActAs(ctx, c, g.User, left); err != nil {
		return grant{}, err
	}
	if err := g.spell(left); err != nil {
		return grant{}, err
	}
	if r.Kind == KindImpersonation || c.Via != identity.ViaCommand {
		g.actor = &identity.Actor{Name: c.User.Name, ID: c.User.ID, TokenID: c.TokenID}
	}
	return g, nil
}

// grantForSelf carries the limits of the caller's own credential over into the new one.
func (s *Service) grantForSelf(ctx context.Context, c identity.Caller, r MintRequest) (grant, error) {
	if c.TokenKind != string(KindRefresh) && r.Kind == KindService {
		if err := c.Require(identity.AdminsWriteSelf); err != nil {
			return grant{}, err
		}
	}
	g := grant{}
	var err error
	if g.Narrowing, err = r.narrowing(c); err != nil {
		return grant{}, err
	}
	if g.Standing, err = s.users.ResolveID(ctx, c.User.ID); err != nil {
		return grant{}, err
	}
	left := g.Narrow(g.Standing.Permissions)
	if !left.SubsetOf(c.Permissions) { // the caller's credential lacks some
		g.Narrowing.Permissions = []string{}
		left = left.Intersect(c.Permissions)
	}
	return g, g.spell(left)
}

// narrowing returns how far the token is to be narrowed: as it is asked, and as the caller's own credential is.
func (r MintRequest) narrowing(c identity.Caller) (Narrowing, error) {
	n, err := r.checked()
	if err != nil {
		return Narrowing{}, err
	}
	return n.inherit(c)
}

// spell writes into a token that is narrowed to permissions those that are left, so that it does not come to mean more
// when the user is given more. It refuses a token with which nothing could be done.
func (g *grant) spell(left identity.Set) error {
	if !g.narrowsRights() {
		return nil
	}
	list, err := names(left)
	if g.Narrowing.Permissions != nil {
		g.Narrowing.Permissions = list
	}
	return err
}

// names refuses to spell out the empty set: a token that names no permission is one that is not narrowed.
func names(s identity.Set) ([]string, error) {
	if s == (identity.Set{}) {
		return nil, fault.New(fault.Invalid, "the token would allow nothing: the user has none of the permissions that it is narrowed to")
	}
	return s.Names(), nil
}

// mayHave refuses kinds that do not fit the way in which the caller came. Access and refresh tokens continue a login, so
// they come from one, or from a refresh token; otherwise a stolen short-lived token could be turned into a long-lived one
// of a kind that nobody made on purpose.
func mayHave(c identity.Caller, k Kind, forOther bool) error {
	login := c.Via != identity.ViaToken
	switch k {
	case KindService:
		return nil
	case KindImpersonation:
		if !forOther {
			return fault.New(fault.Invalid, "an impersonation token is for another user")
		}
		return nil
	case KindAccess:
		if !forOther && (login || c.TokenKind == string(KindRefresh)) {
			return nil
		}
	case KindRefresh:
		if !forOther && login {
			return nil
		}
	default:
		return fault.New(fault.Invalid, "unknown kind of token %q", string(k))
	}
	return fault.New(fault.Denied, "%s tokens are only given to who logs in", k)
}
