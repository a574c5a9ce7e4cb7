package server_test

import (
	"net/http"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// The head chooses a dialect by the first words of a path; superfluous slashes are not part of them.
func TestSlashesDoNotChooseTheDoor(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	token := h.Token(identity.RoleAPI)
	for _, path := range []string{"/api/write", "/api/write/", "//api/write", "/api//write", "/api//write//", "//metricstore///write/"} {
		r := h.Do(servertest.Call{Method: http.MethodPost, Path: path + "?cluster=alpha", Token: token, Body: "# nothing"})
		if r.Status != http.StatusOK {
			t.Errorf("POST %s: %d %.200s", path, r.Status, r.Body)
		}
	}
	if r := h.Do(servertest.Call{Path: "/api//jobs", Token: token}); r.Status != http.StatusOK {
		t.Errorf("GET /api//jobs: %d %.200s", r.Status, r.Body)
	}
}
