package interop_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// oauthReply is what oauth.mjs has got.
type oauthReply struct {
	Metadata struct {
		Issuer string `json:"issuer"`
		Token  string `json:"token_endpoint"`
	} `json:"metadata"`
	Renewed   grant          `json:"renewed"`
	Narrow    grant          `json:"narrow"`
	Acting    grant          `json:"acting"`
	Who       person         `json:"who"`
	ActingWho person         `json:"actingWho"`
	Active    introspection  `json:"introspected"`
	Garbage   map[string]any `json:"garbage"`
	After     map[string]any `json:"afterwards"`

	BadRefresh             string `json:"badRefresh"`
	BadScope               string `json:"badScope"`
	TooMuch                string `json:"tooMuch"`
	BadTarget              string `json:"badTarget"`
	AfterRevocation        string `json:"afterRevocation"`
	AccessAfterRevocation  string `json:"accessAfterRevocation"`
	RefreshAfterRevocation string `json:"refreshAfterRevocation"`
}

type grant struct {
	Token   string `json:"access_token"`
	Issued  string `json:"issued_token_type"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
}

type person struct {
	Name string `json:"name"`
}

type introspection struct {
	Active bool   `json:"active"`
	Sub    string `json:"sub"`
	Act    struct {
		Sub string `json:"sub"`
	} `json:"act"`
	Exp int64 `json:"exp"`
}

// TestAStandardClientGetsAlong: discovery, refresh, exchange, introspection and revocation as a library does them that
// knows the standards only.
func TestAStandardClientGetsAlong(t *testing.T) {
	t.Parallel()
	needsNode(t)
	h := servertest.New(t)
	const password = "correct horse battery staple"
	n := identity.NewUser{Name: "boss", Roles: []identity.Role{identity.RoleWareManager}, Password: password}
	if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), n); err != nil {
		t.Fatal(err)
	}
	var login struct {
		Data struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
	}
	h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/v1/login", Body: `{"username":"boss","password":"` + password + `"}`}).Decode(t, &login)
	ask, err := json.Marshal(map[string]string{
		"issuer": h.URL, "refresh": login.Data.Refresh, "access": login.Data.Access,
		"subject": h.User(identity.RoleProductionEngineer), "other": h.User(identity.RoleFullAdmin),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "oauth.mjs")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(ask), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got oauthReply
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Metadata.Issuer != h.URL || got.Metadata.Token != h.URL+"/oauth/token" {
		t.Errorf("metadata %+v", got.Metadata)
	}
	if got.Who.Name != "boss" || !strings.EqualFold(got.Renewed.Type, "Bearer") || got.Renewed.Expires <= 0 {
		t.Errorf("renewed %+v of %+v", got.Renewed, got.Who)
	}
	if got.Narrow.Scope != "NodesRead" || got.Narrow.Issued != "urn:ietf:params:oauth:token-type:access_token" || got.Narrow.Expires > 60 {
		t.Errorf("narrow %+v", got.Narrow)
	}
	if user := h.User(identity.RoleProductionEngineer); got.ActingWho.Name != user || !got.Active.Active || got.Active.Sub != user || got.Active.Act.Sub != "boss" || got.Active.Exp == 0 {
		t.Errorf("acting: %+v, %+v", got.ActingWho, got.Active)
	}
	for what, m := range map[string]map[string]any{"garbage": got.Garbage, "revoked": got.After} {
		if active, ok := m["active"].(bool); !ok || active || len(m) != 1 {
			t.Errorf("%s: %v; nothing else is to be said of a token that is not good", what, m)
		}
	}
	for what, is := range map[string][]string{
		"refresh with an access token": {got.BadRefresh, "invalid_grant"}, "unknown scope": {got.BadScope, "invalid_scope"}, "acting as somebody above": {got.TooMuch, "invalid_request", "invalid_target", "access_denied", "unauthorized_client"},
		"other audience": {got.BadTarget, "invalid_target"}, "refresh token afterwards": {got.RefreshAfterRevocation, "invalid_grant"},
	} {
		if !slices.Contains(is[1:], is[0]) {
			t.Errorf("%s: %s, want %v", what, is[0], is[1:])
		}
	}
	for what, answer := range map[string]string{"the revoked token": got.AfterRevocation, "the access token of a login whose refresh token is revoked": got.AccessAfterRevocation} {
		if !strings.Contains(answer, "Challenge") {
			t.Errorf("%s: %q", what, answer)
		}
	}
}
