package token_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestLifetimesReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"1": time.Second, "3600": time.Hour, "90s": 90 * time.Second, "10m": 10 * time.Minute, "12h": 12 * time.Hour,
		"1d": 24 * time.Hour, "2w": 14 * 24 * time.Hour, "007d": 7 * 24 * time.Hour, "106751d": 106751 * 24 * time.Hour,
	} {
		if got, err := token.ParseLifetime(s); err != nil || got != want {
			t.Errorf("ParseLifetime(%q) is %s, %v, want %s", s, got, err, want)
		}
	}
}

func TestWhatIsNoLifetimeIsInvalid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "0", "0d", "-1", "+1d", "1.5h", "1D", "1y", "d", "1d12h", " 1d", "1 d", "1_000", "0x10", "1e3", "106752d", "9223372037",
		"99999999999999999999",
	} {
		if got, err := token.ParseLifetime(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseLifetime(%q) is %s, %v", s, got, err)
		}
	}
}

func FuzzLifetime(f *testing.F) {
	for _, s := range []string{"1d", "3600", "12h", "2w", "0", "106752d", "9223372036854775807w"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := token.ParseLifetime(s)
		if err != nil {
			return
		}
		if d <= 0 || d%time.Second != 0 {
			t.Errorf("%q reads as %s", s, d)
		}
		if again, err := token.ParseLifetime(strconv.FormatInt(int64(d/time.Second), 10)); err != nil || again != d {
			t.Errorf("%q reads as %s, whose seconds read as %s, %v", s, d, again, err)
		}
	})
}

func ExampleParseLifetime() {
	d, err := token.ParseLifetime("1d")
	fmt.Println(d, err)
	// Output: 24h0m0s <nil>
}
