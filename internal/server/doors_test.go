package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
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

// cc-backend takes states of nodes at the path of the metric store's health check as well (contract clustercockpit 3.10).
func TestMethodsOfOnePathMayBelongToTwoDoors(t *testing.T) {
	t.Parallel()
	h := servertest.New(t, servertest.WithClusters(sim.NewMachine("alpha", 4, time.Minute).Cluster()))
	token := h.Token(identity.RoleAPI)
	for _, c := range []struct {
		method, path, body string
		status             int
		reply              string
	}{
		{"POST", "/api/healthcheck/", `{"cluster": "alpha", "nodes": [{"hostname": "n1", "states": ["IDLE"]}]}`, 200, ""},
		{"POST", "/api/healthcheck", `{"cluster": 1}`, 400, "member cluster: a string expected"},
		{"GET", "/api/healthcheck/", `{"cluster": "alpha", "nodes": ["n1"]}`, 200, `"State":"failed"`},
		{"DELETE", "/api/healthcheck/", "", 405, ""},
	} {
		r := h.Do(servertest.Call{Method: c.method, Path: c.path, Token: token, Body: c.body})
		if r.Status != c.status || !strings.Contains(r.Body, c.reply) {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.Status, r.Body)
		}
	}
}
