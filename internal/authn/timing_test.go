package authn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

const (
	few = 60 // pairs, enough for a difference as large as that of a hash that is not made
	// byChance is how likely a difference must be by chance alone to be believed in. Three times in a row that is once in
	// 10^18 runs.
	byChance = 1e-6
	rounds   = 3
)

// TestTimeDoesNotTellWhoExists times refusals of a user who exists beside those of one who does not, pair by pair and in a
// random order, so that a machine that is busy delays both alike. What is looked at is the order of the times, not their
// size (the test of Mann and Whitney). Hashes are cheap here, so that whatever else might differ is larger beside them.
//
// That it would see a difference is shown as well, by a user whose hash takes eight times as long as it should.
func TestTimeDoesNotTellWhoExists(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it hashes many passwords")
	}
	w := newWorld(t)
	w.use(authn.NewCheapPasswords(1, 16))
	w.add(t, identity.NewUser{Name: "slow", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.use(authn.NewCheapPasswords(1, 2))
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	w.add(t, identity.NewUser{Name: "off", Roles: []identity.Role{"user"}, Password: "guess"})
	w.add(t, identity.NewUser{Name: "script", Roles: []identity.Role{"api"}})
	w.Audit = noTrail{} // each refusal has one record, for which the disk takes longer than all else, and its own time
	if _, err := w.users.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		what  string
		pairs int
	}{"alice": {"another password", 200}, "off": {"disabled, with the right password", few}, "script": {"no password", few}} {
		what := c.what
		if p, longer := w.tells(t, name, c.pairs, rounds); p < byChance {
			t.Errorf("%s: takes longer than nobody in %.0f %% of the pairs, by chance with p = %.1g", what, 100*longer, p)
		} else {
			t.Logf("%s: longer in %.0f %% of the pairs, p = %.2g", what, 100*longer, p)
		}
	}
	for round := 1; ; round++ { // on a machine that is very busy, hashes are as nothing
		p, longer := w.tells(t, "slow", few, 1)
		if p < byChance && longer > 0.5 {
			break
		}
		if round == 2*rounds {
			t.Fatalf("a hash that takes eight times as long is not seen: longer in %.0f %% of the pairs, p = %.1g", 100*longer, p)
		}
	}
}

// use makes all hashes from now on with p.
func (w *world) use(p *authn.Passwords) {
	w.passwords = p
	w.users = identity.New(identity.Config{Store: w.store.Users(), Roles: identity.DefaultRoles(), Hasher: p, Clock: w.clock})
	w.Users, w.Passwords = w.users, p
}

// tells returns how likely it is that chance alone makes the times of a user and of nobody as different as they are, in
// the round in which that was most likely, and how often the user takes longer.
func (w *world) tells(t *testing.T, name string, pairs, rounds int) (p, longer float64) {
	t.Helper()
	for range rounds {
		var known, unknown []time.Duration
		for range pairs {
			if rand.IntN(2) == 0 {
				known = append(known, w.took(t, name))
				unknown = append(unknown, w.took(t, "nobody"))
			} else {
				unknown = append(unknown, w.took(t, "nobody"))
				known = append(known, w.took(t, name))
			}
		}
		if once, how := mannWhitney(known, unknown); once >= p {
			p, longer = once, how
		}
		if p >= byChance {
			break
		}
	}
	return p, longer
}

// took returns how long a refusal takes.
func (w *world) took(t *testing.T, name string) time.Duration {
	t.Helper()
	w.clock.Advance(time.Hour) // the limiter is not what is measured
	a := identity.Attempt{Name: name, Password: "guess", Addr: fmt.Sprintf("10.%d.%d.%d", rand.IntN(250), rand.IntN(250), rand.IntN(250))}
	var wall clock.System
	begin := wall.Now()
	_, err := w.Login(t.Context(), a)
	took := wall.Now().Sub(begin)
	if !fault.Is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	return took
}

// mannWhitney returns the probability that chance alone makes a and b as different as they are, or more, and how often a
// value of a is above one of b. With so many values the sum of ranks is as good as normal.
func mannWhitney(a, b []time.Duration) (p, above float64) {
	type value struct {
		of int
		d  time.Duration
	}
	var all []value
	for of, list := range [][]time.Duration{a, b} {
		for _, d := range list {
			all = append(all, value{of, d})
		}
	}
	slices.SortFunc(all, func(x, y value) int { return int(x.d - y.d) })
	ranks := 0.0 // of a
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		mean := float64(i+1+j) / 2 // of the ranks of those that are equal
		for ; i < j; i++ {
			if all[i].of == 0 {
				ranks += mean
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	z := (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return math.Erfc(math.Abs(z) / math.Sqrt2), u / (n * m)
}

func TestTheRankTestKnowsItsCases(t *testing.T) {
	t.Parallel()
	seq := func(from, step, n int) (list []time.Duration) {
		for i := range n {
			list = append(list, time.Duration(from+i*step))
		}
		return list
	}
	for what, c := range map[string]struct {
		a, b     []time.Duration
		p, above float64
	}{
		"the same":                {seq(0, 1, 50), seq(0, 1, 50), 1, 0.5},
		"taking turns":            {seq(0, 2, 50), seq(1, 2, 50), 0.863, 0.49},
		"all above":               {seq(100, 1, 50), seq(0, 1, 50), 6.9e-18, 1},
		"all below":               {seq(0, 1, 50), seq(100, 1, 50), 6.9e-18, 0},
		"all ties":                {seq(7, 0, 50), seq(7, 0, 50), 1, 0.5},
		"a quarter of them is up": {seq(25, 1, 100), seq(0, 1, 100), 9.05e-8, 0.719},
	} {
		p, above := mannWhitney(c.a, c.b)
		if math.Abs(p-c.p) > 0.1*c.p || math.Abs(above-c.above) > 0.01 {
			t.Errorf("%s: p = %.3g, above in %.3f; want %.3g, %.3f", what, p, above, c.p, c.above)
		}
	}
}
