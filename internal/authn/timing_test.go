package authn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// TestTimeDoesNotTellWhoExists compares refusals of a user who exists with those of one who does not, pair by pair and in
// a random order, so that a machine that is busy delays both alike. What is looked at is how often the one takes longer
// than the other (the statistic of Mann and Whitney): with sixteen pairs, chance alone stays between 0.1 and 0.9 but once
// in ten thousand times, and a missing hash is 0 or 1.
func TestTimeDoesNotTellWhoExists(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it hashes many passwords")
	}
	w := newWorld(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"user"}, Password: "s3cret"})
	var wall clock.System
	tries := 0
	took := func(name string) time.Duration {
		tries++
		w.clock.Advance(time.Minute) // the limiter is not what is measured
		begin := wall.Now()
		_, err := w.Login(t.Context(), identity.Attempt{Name: name, Password: "guess", Addr: fmt.Sprintf("10.0.%d.%d", tries/250, tries%250)})
		if !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		return wall.Now().Sub(begin)
	}
	var known, unknown []time.Duration
	for range 16 {
		if rand.IntN(2) == 0 {
			known, unknown = append(known, took("alice")), append(unknown, took("nobody"))
		} else {
			unknown, known = append(unknown, took("nobody")), append(known, took("alice"))
		}
	}
	if u := longer(known, unknown); u < 0.1 || u > 0.9 {
		t.Errorf("a refusal of alice takes longer than one of nobody in %.0f %% of the pairs", 100*u)
	}
}

// longer is how often a value of a is above one of b.
func longer(a, b []time.Duration) float64 {
	n := 0
	for _, x := range a {
		for _, y := range b {
			if x > y {
				n++
			}
		}
	}
	return float64(n) / float64(len(a)*len(b))
}
