package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// millionTokens are of 10 users and 3 keys, issued by 5 users, half of them made on purpose. Their ids are in no order, as
// real ones are.
const millionTokens = `
	WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 1000000)
	INSERT INTO tokens (id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose, issued, expires, last_used, last_addr)
	SELECT printf('%08x%024x', (n * 2654435761) % 4294967296, n), 'k' || (n % 3), CASE n % 4 WHEN 0 THEN 'access' WHEN 1 THEN 'refresh' ELSE 'service' END,
		'u' || (n % 10), 'user' || (n % 10), 'user' || (n % 5), 'u' || (n % 5), 'label', 'purpose',
		1700000000000000 + n, 1900000000000000 + n * 1000000, 0, ''
	FROM seq;`

func millionthTokenID(n int) string {
	return fmt.Sprintf("%08x%024x", (uint64(n)*2654435761)%4294967296, n)
}

var benchNow = time.Unix(1.8e9, 0)

func BenchmarkMillionTokens(b *testing.B) {
	s := filled(b, millionTokens)
	ctx := b.Context()
	for name, f := range map[string]token.Filter{
		"first page":          {},
		"page in the middle":  {After: millionthTokenID(500_000)},
		"last page":           {After: millionthTokenID(101)},
		"page of a user":      {UserID: "u3", After: millionthTokenID(500_003)},
		"page of an issuer":   {IssuerID: "u3", After: millionthTokenID(500_003)},
		"page of a key":       {KeyID: "k1", After: millionthTokenID(500_002)},
		"page by text":        {Text: "label"},
		"page that expires":   {Kind: token.KindService, Before: time.Unix(1.9e9, 0).Add(30 * 24 * time.Hour)},
		"page of user & kind": {UserID: "u3", Kind: token.KindService},
	} {
		f.Limit, f.Live = 100, benchNow
		b.Run("list "+name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.Tokens().ListTokens(ctx, f)
				if err != nil || len(page) != 100 && name != "page that expires" && name != "last page" {
					b.Fatal(len(page), err)
				}
			}
		})
	}
	b.Run("count the live by kind", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Tokens().CountTokens(ctx, token.Filter{Live: benchNow}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count of a user before revoking", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Tokens().CountTokens(ctx, token.Filter{UserID: "u9", Live: benchNow}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count a user's that expire soon", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.TokenWarnings().CountExpiring(ctx, "u3", benchNow, time.Unix(1.9e9, 0).Add(24*time.Hour)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("revoke", func(b *testing.B) { benchRevoke(b, s) })
}

// benchRevoke revokes, user by user, then starts a service over what has been revoked.
func benchRevoke(b *testing.B, s *sqlstore.Store) {
	b.Helper()
	user := 0
	next := func(b *testing.B) identity.User {
		b.Helper()
		if user == 10 {
			b.Skip("all users have been through: run with -benchtime 3x")
		}
		u := identity.User{ID: identity.UserID(fmt.Sprint("u", user)), Name: fmt.Sprint("user", user)}
		user++
		return u
	}
	b.Run("100000 of a user", func(b *testing.B) {
		for range b.N {
			ids, err := s.Tokens().RevokeTokens(b.Context(), token.Filter{UserID: next(b).ID}, audit.Record{Time: benchNow})
			if err != nil || len(ids) != 100_000 {
				b.Fatal(len(ids), err)
			}
		}
	})
	b.Run("with disabling him", func(b *testing.B) {
		for range b.N {
			u := next(b)
			if err := s.Users().CreateUser(b.Context(), u, audit.Record{Time: benchNow}); err != nil {
				b.Fatal(err)
			}
			end := identity.End{Logins: true, Own: true, Issued: true}
			ids, err := s.Users().UpdateUser(b.Context(), u, end, audit.Record{Time: benchNow})
			if err != nil || len(ids) < 100_000 {
				b.Fatal(len(ids), err)
			}
		}
	})
	b.Run("restart afterwards", func(b *testing.B) {
		users := identity.New(identity.Config{Store: s.Users(), Clock: clock.NewManual(benchNow)})
		for b.Loop() {
			_, err := token.NewService(b.Context(), token.ServiceConfig{Store: s.Tokens(), Users: users, Clock: clock.NewManual(benchNow)})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
