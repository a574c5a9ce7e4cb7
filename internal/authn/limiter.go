package authn

import (
	"net/netip"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// window is how long an emptied budget takes to fill again.
const window = 15 * time.Minute

// The budgets of failures in a window. The one for an account from one address stops guessing; the wider ones stop who
// tries one password on every account, or one account from every address. A budget for an account can be emptied by a
// stranger to lock its owner out, so it is the widest.
const (
	perPair    = 5
	perAddress = 30
	perAccount = 60
)

// maxBudgets is how many budgets are remembered. Every one costs its maker a failed login, and the hashing of passwords
// allows some 50 of these a second: within a window it cannot come to so many, and if it does, some are forgotten.
const maxBudgets = 1 << 17

// Limiter counts failed logins. It is safe for concurrent use.
type Limiter struct {
	clock clock.Clock

	mu      sync.Mutex // guards all below
	budgets map[budgetKey]*budget
	swept   time.Time
}

type budgetKey struct{ account, addr string } // one is "" in the wider ones

type budget struct {
	left   float64
	at     time.Time // when left was right
	warned bool      // somebody has been told since it was emptied
}

// NewLimiter returns a limiter with full budgets.
func NewLimiter(c clock.Clock) *Limiter {
	return &Limiter{clock: c, budgets: map[budgetKey]*budget{}, swept: c.Now()}
}

// Take takes one attempt from the account's and the address's budgets. Where one is empty nothing is taken, and first
// says whether this is the first refusal since. An attempt that has not failed must be given back with Return: taking it
// first is what keeps a thousand attempts at the same time from all seeing the budget of the first.
func (l *Limiter) Take(account, addr string) (ok, first bool) {
	keys := budgetKeys(account, addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	var have [len(keys)]*budget
	for i, k := range keys {
		b := l.budget(k, now)
		if b.left < 1 {
			first, b.warned = !b.warned, true
			return false, first
		}
		have[i] = b
	}
	for _, b := range have {
		b.left--
	}
	return true, false
}

// Return gives back what one Take has taken, and no more: a success must not refill the budgets of somebody who has one
// account of his own and guesses at others.
func (l *Limiter) Return(account, addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range budgetKeys(account, addr) {
		if b, ok := l.budgets[k]; ok {
			b.left = min(b.left+1, size(k))
		}
	}
}

// budget returns the budget of k as it is now. It needs mu.
func (l *Limiter) budget(k budgetKey, now time.Time) *budget {
	b, ok := l.budgets[k]
	if !ok {
		l.makeRoom(now)
		b = &budget{left: size(k), at: now}
		l.budgets[k] = b
		return b
	}
	b.refill(size(k), now)
	return b
}

func (b *budget) refill(size float64, now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.left = min(size, b.left+size*passed.Seconds()/window.Seconds())
	}
	b.at = now
	if b.left >= 1 {
		b.warned = false
	}
}

// makeRoom forgets full budgets, at most once a minute, and any budget when that does not help. It needs mu.
func (l *Limiter) makeRoom(now time.Time) {
	if len(l.budgets) < maxBudgets {
		return
	}
	if now.Sub(l.swept) >= time.Minute {
		l.swept = now
		for k, b := range l.budgets {
			if b.refill(size(k), now); b.left >= size(k) {
				delete(l.budgets, k)
			}
		}
	}
	for k := range l.budgets {
		if len(l.budgets) < maxBudgets {
			return
		}
		delete(l.budgets, k)
	}
}

func size(k budgetKey) float64 {
	switch {
	case k.account == "":
		return perAddress
	case k.addr == "":
		return perAccount
	default:
		return perPair
	}
}

// budgetKeys returns the keys of the three budgets that an attempt takes from. Names that cannot be anybody's share one.
func budgetKeys(account, addr string) [3]budgetKey {
	if account == "" || len(account) > 100 {
		account = "?"
	}
	addr = network(addr)
	return [...]budgetKey{{account, addr}, {"", addr}, {account, ""}}
}

// network returns what counts as one address: for IPv6 the /64, of which every customer has one to choose from.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "local"
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64) // cannot fail for 128 bits
	return p.String()
}
