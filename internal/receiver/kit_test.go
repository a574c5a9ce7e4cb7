package receiver_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// chained returns the records first to last of a trail.
func chained(tb testing.TB, first, last int64) []audit.Record {
	tb.Helper()
	prev := ""
	var all []audit.Record
	for seq := int64(1); seq <= last; seq++ {
		r := audit.Record{
			Seq: seq, Time: time.Date(2026, 3, 1, 12, 0, int(seq), 5000, time.UTC), Actor: "admin", Subject: "ProdEng", Via: "token", TokenID: "t1",
			Action: "node.update", Object: fmt.Sprintf("node/n%d", seq), Outcome: audit.Done, Details: map[string]string{"rack": "r7"},
		}
		var err error
		if r.Hash, err = audit.Chain(prev, r); err != nil {
			tb.Fatal(err)
		}
		if prev = r.Hash; seq >= first {
			all = append(all, r)
		}
	}
	return all
}

// verify fails unless the lines are the trail from its beginning to last. again allows for records that come twice.
func verify(tb testing.TB, lines [][]byte, last int64, again bool) {
	tb.Helper()
	if err := check(lines, last, again); err != nil {
		tb.Error(err)
	}
}

func check(lines [][]byte, last int64, again bool) error {
	v := audit.NewVerifier(audit.Head{})
	for i, line := range lines {
		r, err := audit.ParseLine(line)
		if err != nil {
			return fmt.Errorf("line %d: %w: %.200s", i+1, err, line)
		}
		if again && r.Seq <= v.Head().Seq {
			continue
		}
		if err := v.Add(r); err != nil {
			return err
		}
	}
	if v.Head().Seq != last {
		return fmt.Errorf("it ends with record %d, want %d", v.Head().Seq, last)
	}
	return nil
}

// eventually calls do until it succeeds.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	err := errors.New("never tried")
	var wall clock.System
	for deadline := wall.Now().Add(20 * time.Second); wall.Now().Before(deadline); <-wall.After(20 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatal(err)
}
