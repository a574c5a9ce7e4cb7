package authn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

func hashed(t *testing.T, p *authn.Passwords, password string) string {
	t.Helper()
	h, err := p.HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPasswordsAreHashedWithArgon2id(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	a, b := hashed(t, p, "s3cret"), hashed(t, p, "s3cret")
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") || a == b {
		t.Errorf("got %s and %s", a, b)
	}
	for password, want := range map[string]bool{
		"s3cret": true, "s3cret ": false, "S3cret": false, "": false, "s3cret\x00": false, strings.Repeat("x", 1<<20): false,
	} {
		if ok, err := p.VerifyPassword(t.Context(), a, password); ok != want || err != nil {
			t.Errorf("%.20q: %v, %v", password, ok, err)
		}
	}
}

// TestPasswordsAreBytes decides the question of normal forms: a composed and a decomposed letter are two passwords.
func TestPasswordsAreBytes(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	if ok, err := p.VerifyPassword(t.Context(), hashed(t, p, "caf\u00e9"), "cafe\u0301"); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestHashOfOtherCostsIsVerified takes a vector of the reference implementation's own tests.
func TestHashOfOtherCostsIsVerified(t *testing.T) {
	t.Parallel()
	const encoded = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	p := authn.NewPasswords()
	for password, want := range map[string]bool{"password": true, "Password": false} {
		if ok, err := p.VerifyPassword(t.Context(), encoded, password); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
}

func TestPasswordsThatCannotBe(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	for _, password := range []string{"", strings.Repeat("x", 1025)} {
		if _, err := p.HashPassword(t.Context(), password); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d bytes: %v", len(password), err)
		}
	}
	long := strings.Repeat("x", 1024)
	if ok, err := p.VerifyPassword(t.Context(), hashed(t, p, long), long); !ok || err != nil {
		t.Errorf("1024 bytes: %v, %v", ok, err)
	}
}

func TestBcryptIsVerifiedWithoutItsHole(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	encode := func(password string) string {
		h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
	full := strings.Repeat("x", 72)
	for _, c := range []struct {
		encoded, password string
		want              bool
	}{
		{encode("demo"), "demo", true},
		{encode("demo"), "demo2", false},
		{encode(full), full, true},
		{encode(full), full + "junk", false}, // bcrypt itself would not look at the rest
		{strings.Replace(encode("demo"), "$2a$", "$2b$", 1), "demo", true},
		{encode("demo"), "", false},
	} {
		if ok, err := p.VerifyPassword(t.Context(), c.encoded, c.password); ok != c.want || err != nil {
			t.Errorf("%s %q: %v, %v", c.encoded[:7], c.password, ok, err)
		}
	}
}

func TestDamagedHashesAreErrorsAndCostNothing(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	good := hashed(t, p, "x")
	for what, encoded := range map[string]string{
		"clear text": "secret", "argon2i": strings.Replace(good, "argon2id", "argon2i", 1), "version": strings.Replace(good, "v=19", "v=16", 1),
		"gigabytes": strings.Replace(good, "m=19456", "m=4194304", 1), "eternity": strings.Replace(good, "t=2", "t=4000000000", 1),
		"no lanes": strings.Replace(good, "p=1", "p=0", 1), "negative": strings.Replace(good, "t=2", "t=-2", 1), "cut": good[:60],
		"more": good + "$AAAA", "order": strings.Replace(good, "m=19456,t=2", "t=2,m=19456", 1), "padding": good + "=",
		"bcrypt cut": "$2a$10$abc", "bcrypt of cost 31": "$2a$31$" + strings.Repeat("a", 53), "unknown bcrypt": "$2",
	} {
		if ok, err := p.VerifyPassword(t.Context(), encoded, "x"); ok || err == nil || fault.KindOf(err) != fault.Internal || strings.Contains(err.Error(), encoded) {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
	}
}

// TestFloodOfLoginsIsBounded starts more checks at once than there is room for: some are turned away, none waits for
// ever, and never more than two take their memory at the same time.
func TestFloodOfLoginsIsBounded(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords()
	var tooMany, done atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			switch ok, err := p.VerifyPassword(t.Context(), "", "x"); {
			case fault.Is(err, fault.TooMany):
				tooMany.Add(1)
			case err == nil && !ok:
				done.Add(1)
			default:
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	wg.Wait()
	if tooMany.Load() == 0 || done.Load() < 33 { // those who wait, and at least one who does not
		t.Errorf("%d turned away, %d done", tooMany.Load(), done.Load())
	}
	if _, err := p.VerifyPassword(t.Context(), "", "x"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.VerifyPassword(ctx, "", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("for somebody who has gone: %v", err)
	}
}

func FuzzVerifyPassword(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "x")
	f.Add("$2a$04$abcdefghijklmnopqrstuu5LZTqUKUHUfVzVl2w6NqFqFqFqFqFqF", "x")
	p := authn.NewPasswords()
	f.Fuzz(func(t *testing.T, encoded, password string) {
		if strings.HasPrefix(encoded, "$argon2id$v=19$m=") && len(encoded) > 17 && !strings.HasPrefix(encoded[17:], "8,") || strings.HasPrefix(encoded, "$2") {
			return // would only measure the hash
		}
		if ok, err := p.VerifyPassword(t.Context(), encoded, password); ok && err != nil {
			t.Error(err)
		}
	})
}

func ExamplePasswords() {
	p := authn.NewPasswords()
	encoded, err := p.HashPassword(context.Background(), "correct horse")
	if err != nil {
		panic(err)
	}
	ok, err := p.VerifyPassword(context.Background(), encoded, "correct horse")
	fmt.Println(ok, err)
	// Output: true <nil>
}

func BenchmarkHashPassword(b *testing.B) {
	p := authn.NewPasswords()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.HashPassword(b.Context(), "correct horse"); err != nil {
			b.Fatal(err)
		}
	}
}
