package token_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// A verifier needs nothing but the public key; here for a token that a site's own script has signed.
func ExampleVerifier() {
	public, private, err := token.GenerateKeys(strings.NewReader("thirty-two bytes of no randomness"))
	if err != nil {
		panic(err)
	}
	keys, err := token.ParseKeys(public, "")
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	raw := script(private, jwt.MapClaims{"sub": "collector", "roles": []string{"api"}, "exp": now.Add(time.Hour).Unix()})

	v := token.NewVerifier(token.VerifierConfig{Keys: keys, Clock: clock.NewManual(now)})
	claims, err := v.Verify(raw)
	fmt.Println(claims.Subject, claims.Roles, claims.Expires.Sub(now), err)
	_, err = v.Verify(raw + "\n")
	fmt.Println(err)
	// Output:
	// collector [api] 1h0m0s <nil>
	// invalid token: a byte that no token has
}
