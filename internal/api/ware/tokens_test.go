package ware_test

import (
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
