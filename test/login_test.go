package test_test

import (
	"context"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pquerna/otp/totp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory/directorytest"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/oidc/oidctest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// The counterparts of logins: a directory, a provider, a generator of codes, a portal.

// ldap USER... starts a directory with those users, and sets LDAPURL and LDAPS, its certificate CAFILE, and
// who may search it.
func startDirectory(t *testing.T) func(*testscript.TestScript, bool, []string) {
	t.Helper()
	return func(ts *testscript.TestScript, _ bool, users []string) {
		s := directorytest.Start(t, users...)
		for k, v := range map[string]string{
			"LDAPURL": s.URL, "LDAPS": s.URLTLS, "CAFILE": s.CAFile, "SEARCHDN": directorytest.SearchDN, "USERBASE": directorytest.UserBase, "SEARCHPW": directorytest.Password,
		} {
			ts.Setenv(k, v)
		}
	}
}

// provider starts an OpenID Connect provider whose user is alice, and sets IDP.
func startProvider(t *testing.T) func(*testscript.TestScript, bool, []string) {
	t.Helper()
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		p := oidctest.Start(t, clock.System{})
		ts.Setenv("IDP", p.URL)
		ts.Setenv("CLIENTID", oidctest.ClientID)
		ts.Setenv("CLIENTSECRET", oidctest.ClientSecret)
	}
}

// totpCode NAME SECRET [SECONDS] sets a variable to what a generator shows, or will show.
func totpCode(ts *testscript.TestScript, _ bool, args []string) {
	const step, margin = 30 * time.Second, 5 * time.Second
	at := clock.System{}.Now()
	if left := at.Truncate(step).Add(step).Sub(at); left < margin { // a code of the step before is good up to the end of this one
		ts.Check(clock.Sleep(context.Background(), clock.System{}, left))
		at = clock.System{}.Now()
	}
	if len(args) > 2 {
		d, err := time.ParseDuration(args[2])
		ts.Check(err)
		at = at.Add(d)
	}
	code, err := totp.GenerateCode(args[1], at)
	ts.Check(err)
	ts.Setenv(args[0], code)
}

// portal NAME KEY USER ROLE sets a variable to a token that another site has made with the shared secret.
func portalToken(ts *testscript.TestScript, _ bool, args []string) {
	claims := jwt.MapClaims{"sub": args[2], "name": "From the portal", "roles": []string{args[3]}, "exp": clock.System{}.Now().Add(time.Minute).Unix()}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS512, claims).SignedString([]byte(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], text)
}
