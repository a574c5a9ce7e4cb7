package ware_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// mint returns the text and the id of a token that the user makes for himself.
func (w *world) mint(user string) (raw, id string) {
	w.t.Helper()
	minted := want[object](w, 200, call{"POST", "/api/v1/admin/" + user + "/token", user, `{"lifetime": 600}`, ""}).Data
	raw, _ = minted["access_token"].(string)
	id, _ = minted["jti"].(string)
	return raw, id
}

func TestRevokedTokenIsRefusedInTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, by := range []string{"reader", "manager"} {
		raw, id := w.mint("reader")
		want[any](w, 200, call{"GET", "/api/v1/nodes", "token " + raw, "", ""})
		if got := want[string](w, 200, call{"DELETE", "/api/v1/token/" + id, by, "", ""}).Data; got != id {
			t.Errorf("revoked is %q", got)
		}
		want[any](w, 401, call{"GET", "/api/v1/nodes", "token " + raw, "", ""})
		want[any](w, 404, call{"DELETE", "/api/v1/token/" + id, by, "", ""})
	}
}

func TestTokensOfOthersCannotBeRevokedNorSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	raw, id := w.mint("production")
	want[any](w, 404, call{"DELETE", "/api/v1/token/" + id, "reader", "", ""})
	want[any](w, 200, call{"GET", "/api/v1/nodes", "token " + raw, "", ""})
	want[any](w, 403, call{"GET", "/api/v1/tokens?user=production", "reader", "", ""})
	for _, tok := range want[[]object](w, 200, call{"GET", "/api/v1/tokens", "reader", "", ""}).Data {
		if tok["user"] != "reader" {
			t.Errorf("the list shows %v", tok)
		}
	}
}

func TestManagerListsTheTokensOfEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.mint("production")
	want[any](w, 200, call{"DELETE", "/api/v1/token/" + id, "production", "", ""})
	live := want[[]object](w, 200, call{"GET", "/api/v1/tokens?all=true", "manager", "", ""}).Data
	every := want[[]object](w, 200, call{"GET", "/api/v1/tokens?all=true&dead=true", "manager", "", ""}).Data
	if len(live) != len(theAccounts) || len(every) != len(live)+1 {
		t.Errorf("there are %d live tokens of %d", len(live), len(every))
	}
	page := want[[]object](w, 200, call{"GET", "/api/v1/tokens?all=true&dead=true&limit=2", "manager", "", ""}).Data
	last, _ := page[1]["jti"].(string)
	next := want[[]object](w, 200, call{"GET", "/api/v1/tokens?all=true&dead=true&limit=100&after=" + last, "manager", "", ""}).Data
	if len(next) != len(every)-2 {
		t.Errorf("behind a page of 2 there are %d of %d", len(next), len(every))
	}
}

func TestLogoutEndsBothTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := want[object](w, 200, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader"}`, ""}).Data
	access, _ := login["access_token"].(string)
	refresh, _ := login["refresh_token"].(string)
	want[any](w, 200, call{"POST", "/api/v1/logout", "token " + access, `{"refresh_token": "` + refresh + `"}`, ""})
	want[any](w, 401, call{"GET", "/api/v1/whoami", "token " + access, "", ""})
	want[any](w, 401, call{"POST", "/api/v1/refresh", "token " + refresh, "", ""})
}

func TestLogoutRevokesNoTokenOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := want[object](w, 200, call{"POST", "/api/v1/login", "", `{"username": "production", "password": "secret of production"}`, ""}).Data
	foreign, _ := login["refresh_token"].(string)
	for _, text := range []string{foreign, "a.b.c", "a.!.c", "nothing", "a.e30.c"} {
		raw, _ := w.mint("manager") // who may revoke the tokens of everybody, but not by this way
		want[any](w, 200, call{"POST", "/api/v1/logout", "token " + raw, `{"refresh_token": "` + text + `"}`, ""})
		want[any](w, 401, call{"GET", "/api/v1/whoami", "token " + raw, "", ""})
	}
	want[any](w, 200, call{"POST", "/api/v1/refresh", "token " + foreign, "", ""})
}

func TestDisabledAccountCannotLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"disabled": true}`, ""})
	want[any](w, 401, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader"}`, ""})
	want[any](w, 401, call{"GET", "/api/v1/whoami", "reader", "", ""})
}

func TestPasswordCanBeSetAndIsNeverShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(call{"PATCH", "/api/v1/admin/reader", "boss", `{"password": "another"}`, ""})
	if text := string(a.text); a.status != 200 || containsAny(text, "another", "argon2", "$2a$", "password") {
		t.Errorf("got %d %s", a.status, text)
	}
	want[any](w, 200, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "another"}`, ""})
	want[any](w, 401, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader"}`, ""})
	records, err := w.store.Audit().List(t.Context(), audit.Filter{Action: "user.login"})
	if err != nil || len(records) == 0 || records[0].Addr != "192.0.2.1" || records[0].RequestID != "req-1" {
		t.Errorf("logins on the trail are %+v, %v", records, err)
	}
}

func TestTokenIsShownRenamedAndInspected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	minted := want[object](w, 200, call{"POST", "/api/v1/admin/production/token", "manager", `{
		"lifetime": "1d", "name": "night", "purpose": "nightly", "nodes": "n[0-3]", "cidr": "192.0.2.0/24", "read_only": true}`, ""}).Data
	raw, _ := minted["access_token"].(string)
	id, _ := minted["jti"].(string)
	labels := &labels{world: w, known: map[string]string{}}
	labels.learn()
	one := "/api/v1/token/" + id
	for _, s := range []step{
		{"token-get", 200, call{"GET", one, "manager", "", ""}},
		{"token-get-of-other", 404, call{"GET", one, "onsite", "", ""}},
		{"token-rename", 200, call{"PATCH", one, "manager", `{"name": "day"}`, ""}},
		{"token-rename-of-other", 404, call{"PATCH", one, "reader", `{"name": "day"}`, ""}},
		{"token-inspect", 200, call{"POST", "/api/v1/tokens/inspect", "production", `{"token": "` + raw + `"}`, ""}},
		{"token-inspect-of-other", 403, call{"POST", "/api/v1/tokens/inspect", "reader", `{"token": "` + raw + `"}`, ""}},
		{"token-whoami", 200, call{"GET", "/api/v1/whoami", "token " + raw, "", ""}},
		{"tokens-revoke-of-user", 200, call{"POST", "/api/v1/tokens/revoke", "manager", `{"user": "production", "type": "impersonation"}`, ""}},
		{"token-inspect-revoked", 200, call{"POST", "/api/v1/tokens/inspect", "production", `{"token": "` + raw + `"}`, ""}},
	} {
		a := w.do(s.call)
		if a.status != s.status || a.header.Get("Cache-Control") != "no-store" && a.status < 300 {
			t.Errorf("%s is %d: %s", s.name, a.status, a.text)
		}
		hide := func(text string) string {
			return jwtForm.ReplaceAllString(strings.ReplaceAll(text, id, labels.known[id]), "<jwt>")
		}
		got := fmt.Sprintf("%s %s\n# as %s\n%s\n\n%d\n%s", s.method, hide(s.path), hide(s.as), hide(s.body), a.status, labels.replace(a.text))
		compareGolden(t, filepath.Join("testdata", "golden", s.name+".txt"), got)
	}
	want[any](w, 401, call{"GET", "/api/v1/whoami", "token " + raw, "", ""})
}

func TestTokenForAClusterThatIsNotThereIsMadeWithAWarning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for clusters, warnings := range map[string]int{`["alpha"]`: 0, `["alpha","nosuch"," beta "]`: 2, `"nosuch"`: 1} {
		minted := want[object](w, 200, call{"POST", "/api/v1/admin/production/token", "manager", `{"lifetime": "1d", "clusters": ` + clusters + `}`, ""}).Data
		got, _ := minted["warnings"].([]any)
		if len(got) != warnings {
			t.Errorf("%s: %v", clusters, minted["warnings"])
		}
		if text := fmt.Sprint(got...); warnings > 0 && !strings.Contains(text, `there is no cluster "nosuch" here (there is alpha)`) {
			t.Error(text)
		}
	}
}

func TestAllTokensAreRevokedOnlyOnPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tried := want[object](w, 200, call{"POST", "/api/v1/tokens/revoke", "manager", `{"all": true, "dry_run": true}`, ""}).Data
	if tried["count"] != float64(len(theAccounts)) {
		t.Errorf("it would be %v", tried)
	}
	want[any](w, 400, call{"POST", "/api/v1/tokens/revoke", "manager", `{"all": true, "user": "reader"}`, ""})
	want[any](w, 200, call{"GET", "/api/v1/whoami", "reader", "", ""})
	done := want[object](w, 200, call{"POST", "/api/v1/tokens/revoke", "manager", `{"all": true}`, ""}).Data
	if ids, _ := done["ids"].([]any); done["count"] != tried["count"] || len(ids) != len(theAccounts) {
		t.Errorf("it was %v", done)
	}
	for name := range theAccounts {
		want[any](w, 401, call{"GET", "/api/v1/whoami", name, "", ""})
	}
}

func TestWhoamiCountsTokensThatExpireSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mint("reader")
	want[any](w, 200, call{"POST", "/api/v1/admin/reader/token", "session of reader", `{"lifetime": "60d"}`, ""})
	me := want[object](w, 200, call{"GET", "/api/v1/whoami", "reader", "", ""}).Data
	if me["expiring"] != 2.0 { // the one of every world, and the one of ten minutes
		t.Errorf("expiring: %v", me["expiring"])
	}
}
