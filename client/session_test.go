package client_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{
		"GET /api/v1/sessions": data([]any{
			map[string]any{"id": "5f0c1d22a7b39e84", "user": "ann", "current": true, "agent": "Browser/1"},
			map[string]any{"id": "77aa1d22a7b39e84", "user": "ann", "actor": "root"},
		}),
		"DELETE /api/v1/sessions":                 data(2),
		"DELETE /api/v1/session/5f0c1d22a7b39e84": data("5f0c1d22a7b39e84"),
	})
	c := h.connect(t, client.Config{})
	list, err := c.ListSessions(t.Context(), "ann")
	if err != nil || len(list) != 2 || list[0].ID != "5f0c1d22a7b39e84" || !list[0].Current || list[1].Current || list[0].Fields["agent"] != "Browser/1" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := c.ListSessions(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if err := c.RevokeSession(t.Context(), "5f0c1d22a7b39e84"); err != nil {
		t.Error(err)
	}
	if err := c.RevokeSession(t.Context(), "../tokens"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("an id that would be another path: %v", err)
	}
	if n, err := c.RevokeSessions(t.Context(), ""); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := c.RevokeSessions(t.Context(), "a&b"); err != nil {
		t.Error(err)
	}
	want := []string{
		"GET /api/v1/sessions?user=ann [] ", "GET /api/v1/sessions [] ", "DELETE /api/v1/session/5f0c1d22a7b39e84 [] ",
		"DELETE /api/v1/session/..%2Ftokens [] ", "DELETE /api/v1/sessions [] ", "DELETE /api/v1/sessions?user=a%26b [] ",
	}
	if diff := cmp.Diff(want, h.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
