package ware_test

import (
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// browser logs a user in as a browser does and returns the session's secret.
func (w *world) browser(user string) (secret string) {
	w.t.Helper()
	st, err := w.users.Resolve(w.t.Context(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	secret, _, err = w.logins.Start(w.t.Context(), st.User, token.Origin{Addr: "192.0.2.1", Agent: "Browser/1", Method: "password"})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) isOpen(secret string) bool {
	w.t.Helper()
	_, _, err := w.logins.Enter(w.t.Context(), secret, "", "")
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		w.t.Fatal(err)
	}
	return err == nil
}

func TestSessionEndsWithTheReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, by := range []string{"reader", "manager"} {
		secret, other := w.browser("reader"), w.browser("production")
		list := want[[]object](w, 200, call{"GET", "/api/v1/sessions?user=reader", by, "", ""}).Data
		if len(list) != 1 || list[0]["method"] != "password" || list[0]["agent"] != "Browser/1" || list[0]["current"] != false {
			t.Fatalf("sessions: %v", list)
		}
		id, _ := list[0]["id"].(string)
		if got := want[string](w, 200, call{"DELETE", "/api/v1/session/" + id, by, "", ""}).Data; got != id {
			t.Errorf("ended is %q", got)
		}
		if w.isOpen(secret) || !w.isOpen(other) {
			t.Errorf("by %s: open: %v, another's open: %v", by, w.isOpen(secret), w.isOpen(other))
		}
		want[any](w, 404, call{"DELETE", "/api/v1/session/" + id, by, "", ""})
	}
}

func TestSessionsOfOthersCannotBeEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.browser("production")
	list := want[[]object](w, 200, call{"GET", "/api/v1/sessions?user=production", "manager", "", ""}).Data
	id, _ := list[0]["id"].(string)
	want[any](w, 404, call{"DELETE", "/api/v1/session/" + id, "reader", "", ""})
	want[any](w, 403, call{"DELETE", "/api/v1/sessions?user=production", "reader", "", ""})
	want[any](w, 403, call{"DELETE", "/api/v1/sessions", "locked", "", ""})
	if n := want[int](w, 200, call{"DELETE", "/api/v1/sessions", "reader", "", ""}).Data; n != 0 || !w.isOpen(secret) {
		t.Errorf("%d ended, open: %v", n, w.isOpen(secret))
	}
	if n := want[int](w, 200, call{"DELETE", "/api/v1/sessions?user=production", "manager", "", ""}).Data; n != 1 || w.isOpen(secret) {
		t.Errorf("%d ended, open: %v", n, w.isOpen(secret))
	}
}
