package token

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// grant is what a mint request comes down to: for whom, as whose, and how far narrowed.
type grant struct {
	user        identity.User
	actor       *identity.Actor // who will act as user, nil when it is the user himself
	permissions []string        // nil is not narrowed
	readOnly    bool
}

func (s *Service) grantFor(ctx context.Context, c identity.Caller, r MintRequest, forOther bool) (grant, error) {
	wanted, err := identity.ParsePermissions(r.Permissions...)
	if err != nil {
		return grant{}, err
	}
	if r.Permissions == nil {
		wanted = identity.All()
	}
	if forOther {
		return s.grantForOther(ctx, c, r, wanted)
	}
	return s.grantForSelf(ctx, c, r, wanted)
}

// grantForOther asks whether the caller may act as the user.
func (s *Service) grantForOther(ctx context.Context, c identity.Caller, r MintRequest, wanted identity.Set) (grant, error) {
	if err := c.Require(identity.AdminsWrite); err != nil {
		return grant{}, err // before anything can be learnt about the user
	}
	if r.For == "" {
		return grant{}, fault.New(fault.Invalid, "the user whom the token is for is missing: the command line has no account of its own")
	}
	st, err := s.users.Resolve(ctx, r.For)
	switch {
	case fault.Is(err, fault.Unauthenticated): // about him, not about the caller
		return grant{}, fault.Because(fault.Denied, err, "user %q is disabled", r.For)
	case fault.Is(err, fault.NotFound):
		return grant{}, fault.Because(fault.NotFound, err, "no user %q", r.For)
	case err != nil:
		return grant{}, err
	}
	g := grant{user: st.User, readOnly: r.ReadOnly}
	effective := narrow(st.Permissions, wanted, r.ReadOnly)
	if err := s.users.MayActAs(ctx, c, st.User, effective); err != nil {
		return grant{}, err
	}
	if r.Permissions != nil {
		if g.permissions, err = names(effective); err != nil {
			return grant{}, err
		}
	}
	if r.Kind == KindImpersonation || c.Via != identity.ViaCommand {
		g.actor = &identity.Actor{Name: c.User.Name, ID: c.User.ID, TokenID: c.TokenID}
	}
	return g, nil
}

// grantForSelf carries the limits of the caller's own credential over into the new one.
func (s *Service) grantForSelf(ctx context.Context, c identity.Caller, r MintRequest, wanted identity.Set) (grant, error) {
	if c.TokenKind != string(KindRefresh) && r.Kind == KindService {
		if err := c.Require(identity.AdminsWriteSelf); err != nil {
			return grant{}, err
		}
	}
	st, err := s.users.ResolveID(ctx, c.User.ID)
	if err != nil {
		return grant{}, err
	}
	g := grant{user: st.User, readOnly: r.ReadOnly}
	if r.Permissions == nil && st.Permissions.SubsetOf(c.Permissions) {
		return g, nil
	}
	g.permissions, err = names(narrow(st.Permissions, wanted, r.ReadOnly).Intersect(c.Permissions))
	return g, err
}

// narrow returns what is left of has.
func narrow(has, wanted identity.Set, readOnly bool) identity.Set {
	has = has.Intersect(wanted)
	if readOnly {
		has = has.Intersect(identity.ReadOnly())
	}
	return has
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
