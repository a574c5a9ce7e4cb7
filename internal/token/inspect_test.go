package token_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestFoundTextsAreRecognised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	w.add(t, "boss", identity.RoleFullAdmin)
	u, boss := w.as(t, "u"), w.as(t, "boss")
	good := w.mint(t, u, token.MintRequest{Name: "n", Lifetime: 40 * day, Narrowing: token.Narrowing{CIDRs: []string{"10.0.0.0/8"}}})
	acting := w.mint(t, boss, token.MintRequest{For: "u"})
	revoked := w.mint(t, u, token.MintRequest{})
	if _, err := w.Revoke(t.Context(), u, token.Filter{ID: revoked.ID}); err != nil {
		t.Fatal(err)
	}
	short := w.mint(t, u, token.MintRequest{Kind: token.KindAccess})
	w.clock.Advance(16 * time.Minute)
	browsers := token.NewSessions(token.SessionsConfig{Store: w.store.Sessions(), Users: w.users, Clock: w.clock, Key: []byte("key")})
	secret, _, err := browsers.Start(t.Context(), u.User, token.Origin{Method: "password"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{"access_token": good.Text})
	if err != nil {
		t.Fatal(err)
	}
	other := newPair(t, "x")
	exp := jwt.MapClaims{"sub": "u", "exp": start.Add(day).Unix()}
	for what, c := range map[string]struct {
		text, says, reason string
		signed, good       bool
		known              string
	}{
		"good":            {good.Text, `a service token of user "u"`, "", true, true, good.ID},
		"with its header": {" Authorization: bearer " + good.Text + "\n", `a service token of user "u"`, "", true, true, good.ID},
		"quoted":          {`"` + good.Text + `"`, `a service token of user "u"`, "", true, true, good.ID},
		"token file":      {string(file), `a service token of user "u"`, "", true, true, good.ID},
		"acting":          {acting.Text, "an impersonation token with which boss acts as u", "", true, true, acting.ID},
		"revoked":         {revoked.Text, `a service token of user "u"`, "revoked", true, false, revoked.ID},
		"expired":         {short.Text, `an access token of user "u"`, "expired", true, false, short.ID},
		"of a script":     {script(w.private, exp), "was signed with a key of this head, but not by it", "", true, true, ""},
		"of a stranger":   {script(w.private, jwt.MapClaims{"sub": "nobody", "exp": start.Add(day).Unix()}), `a token of user "nobody"`, "no user", true, false, ""},
		"foreign":         {script(other.private, exp), "a token that no key of this head has signed", "", false, false, ""},
		"damaged":         {good.Text[:strings.LastIndexByte(good.Text, '.')+1] + strings.Repeat("A", 86), "a token that no key of this head has signed", "", false, false, ""},
		"session":         {secret, "the secret of a browser's session", "not a signed token", false, false, ""},
		"cut session":     {secret[:30], "damaged or cut", "not a signed token", false, false, ""},
		"key":             {"-----BEGIN PRIVATE KEY-----\nabc", "PEM", "not a signed token", false, false, ""},
		"empty":           {" \n", "the text is empty", "not a signed token", false, false, ""},
		"garbage":         {"what is this", "a text that is no token", "not a signed token", false, false, ""},
		"very long":       {strings.Repeat("a.", 1<<20), "a text that is no token", "not a signed token", false, false, ""},
	} {
		got, err := w.Inspect(t.Context(), boss, c.text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if !strings.Contains(got.What, c.says) || got.Signed != c.signed || got.Good != c.good || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %+v", what, got)
		}
		if (got.Record == nil) != (c.known == "") || got.Record != nil && got.Record.ID != c.known {
			t.Errorf("%s: the record is %+v", what, got.Record)
		}
		if c.signed && (got.Header == nil || got.Body == nil) {
			t.Errorf("%s has no parts", what)
		}
	}
	if got, err := w.Inspect(t.Context(), boss, good.Text); err != nil || got.Claims.CIDRs[0] != "10.0.0.0/8" || got.Claims.Subject != "u" {
		t.Errorf("the claims are %+v, %v", got.Claims, err)
	}
}

func TestInspectingOthersTokensNeedsTokensRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "manager": identity.RoleWareManager, "eng": identity.RoleProductionEngineer} {
		w.add(t, name, role)
	}
	own := w.mint(t, w.as(t, "u"), token.MintRequest{})
	issued := w.mint(t, w.as(t, "manager"), token.MintRequest{For: "eng"})
	holder := w.enter(t, issued.Text)
	holder.Permissions = identity.Set{}
	for what, c := range map[string]struct {
		by   identity.Caller
		text string
		may  bool
	}{
		"own":          {w.as(t, "u"), own.Text, true},
		"another's":    {w.as(t, "v"), own.Text, false},
		"with itself":  {holder, issued.Text, true},
		"of himself":   {w.as(t, "eng"), issued.Text, true},
		"by a manager": {w.as(t, "manager"), own.Text, true},
	} {
		got, err := w.Inspect(t.Context(), c.by, c.text)
		if c.may && (err != nil || !got.Good) || !c.may && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	before := w.last(t).Seq
	if _, err := w.Inspect(t.Context(), w.as(t, "u"), own.Text); err != nil || w.last(t).Seq != before {
		t.Errorf("an inspection is no use of the token: %v", err)
	}
}
