package token

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Policy says how long tokens live. It holds on every path on which a token is made. A zero lifetime stands for that of
// DefaultPolicy.
type Policy struct {
	// MaxLifetime caps tokens of every kind.
	MaxLifetime time.Duration

	// What a token gets for which no lifetime is asked. The caps cut it.
	AccessLifetime        time.Duration
	RefreshLifetime       time.Duration
	ServiceLifetime       time.Duration
	ImpersonationLifetime time.Duration

	// The caps of single kinds. The default of service tokens is MaxLifetime.
	MaxAccessLifetime        time.Duration
	MaxRefreshLifetime       time.Duration
	MaxServiceLifetime       time.Duration
	MaxImpersonationLifetime time.Duration

	// RequirePurpose refuses service and impersonation tokens that do not say what they are for.
	RequirePurpose bool
}

const day = 24 * time.Hour

// DefaultPolicy returns the lifetimes that a site gets which configures none.
func DefaultPolicy() Policy {
	return Policy{
		MaxLifetime:    366 * day,
		AccessLifetime: 15 * time.Minute, RefreshLifetime: 7 * day, ServiceLifetime: day, ImpersonationLifetime: day,
		MaxAccessLifetime: time.Hour, MaxRefreshLifetime: 30 * day, MaxImpersonationLifetime: 30 * day,
	}
}

func (p Policy) withDefaults() Policy {
	d := DefaultPolicy()
	return Policy{
		MaxLifetime:              cmp.Or(p.MaxLifetime, d.MaxLifetime),
		AccessLifetime:           cmp.Or(p.AccessLifetime, d.AccessLifetime),
		RefreshLifetime:          cmp.Or(p.RefreshLifetime, d.RefreshLifetime),
		ServiceLifetime:          cmp.Or(p.ServiceLifetime, d.ServiceLifetime),
		ImpersonationLifetime:    cmp.Or(p.ImpersonationLifetime, d.ImpersonationLifetime),
		MaxAccessLifetime:        cmp.Or(p.MaxAccessLifetime, d.MaxAccessLifetime),
		MaxRefreshLifetime:       cmp.Or(p.MaxRefreshLifetime, d.MaxRefreshLifetime),
		MaxServiceLifetime:       cmp.Or(p.MaxServiceLifetime, p.MaxLifetime, d.MaxLifetime),
		MaxImpersonationLifetime: cmp.Or(p.MaxImpersonationLifetime, d.MaxImpersonationLifetime),
		RequirePurpose:           p.RequirePurpose,
	}
}

// limits returns what a token of that kind gets unasked, and at most.
func (p Policy) limits(k Kind) (usual, most time.Duration) {
	switch k {
	case KindAccess:
		return p.AccessLifetime, p.MaxAccessLifetime
	case KindRefresh:
		return p.RefreshLifetime, p.MaxRefreshLifetime
	case KindService:
		return p.ServiceLifetime, p.MaxServiceLifetime
	case KindImpersonation:
		return p.ImpersonationLifetime, p.MaxImpersonationLifetime
	}
	return 0, 0
}

// most returns the longest lifetime of a token of that kind for a user, and says in words which of the caps it is.
func (p Policy) most(k Kind, st identity.Standing) (most time.Duration, because string) {
	_, most = p.limits(k)
	because = fmt.Sprintf("%s tokens live at most %s here", k, spell(most))
	if p.MaxLifetime <= most {
		most, because = p.MaxLifetime, fmt.Sprintf("no token lives longer than %s here", spell(p.MaxLifetime))
	}
	if st.MaxLifetime > 0 && st.MaxLifetime < most {
		most = st.MaxLifetime
		because = fmt.Sprintf("by his roles, tokens for user %q live at most %s", st.User.Name, spell(most))
	}
	return most, because
}

// lifetime returns how long the token of a request lives that c makes at now, in whole seconds. More than a cap is
// refused rather than cut, unless the request says so: whoever asks for a year must not find out after a month.
//
// The one thing that cuts silently is the end of the caller's own token. It may not leave behind one that outlives it,
// and nobody can name a lifetime to the second that fits. Credentials that people renew as they work (sessions, access
// tokens, the local socket) do not cut: their end is not the end of what the person may do.
func (p Policy) lifetime(r MintRequest, st identity.Standing, c identity.Caller, now time.Time) (time.Duration, error) {
	asked := r.Lifetime
	most, because := p.most(r.Kind, st)
	if asked == 0 {
		asked, _ = p.limits(r.Kind)
		asked = min(asked, most)
	}
	if r.Cut {
		asked = min(asked, most)
	}
	if asked < time.Second {
		return 0, fault.New(fault.Invalid, "a lifetime of %s is not possible: one second is the shortest", asked)
	}
	if asked > most {
		return 0, fault.New(fault.Invalid, "a lifetime of %s is too long: %s", spell(asked), because)
	}
	if c.Via == identity.ViaToken && c.TokenKind != string(KindAccess) && !c.Expires.IsZero() {
		asked = min(asked, c.Expires.Sub(now.Truncate(time.Second)))
	}
	if asked = asked.Truncate(time.Second); asked < time.Second {
		return 0, fault.New(fault.Denied, "your own token is about to expire")
	}
	return asked, nil
}

// spell writes a lifetime as people ask for it: in days when it is whole days.
func spell(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return d.String()
}
