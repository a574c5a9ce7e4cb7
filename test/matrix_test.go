// Package test_test walks through the whole house: who may do what, on which door, with which credential; and the
// programs themselves, as the manual tells it.
package test_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

var update = flag.Bool("update", false, "write the golden files")

// refusedLater are requests that pass the door and are refused by the service behind it, with the reason.
var refusedLater = map[string]string{
	"impersonation GET /frontend/jwt/":          "nothing can be minted with an impersonation token",
	"impersonation GET /api/jwt/":               "the same",
	"impersonation DELETE /api/v1/token/{jti}":  "an impersonation token can only revoke itself",
	"impersonation GET /api/v1/admin/{id}/totp": "it cannot look after the account either",

	"acting session GET /frontend/jwt/":          "nothing can be minted in an acting session",
	"acting session GET /api/jwt/":               "the same",
	"acting session DELETE /api/v1/token/{jti}":  "nor revoked",
	"acting session GET /api/v1/admin/{id}/totp": "it cannot look after the account either",

	"role.NoAccess GET /frontend/jwt/": "a token for oneself needs AdminsWriteSelf",
	"role.NoAccess GET /api/jwt/":      "the same",
	"read-only GET /frontend/jwt/":     "the same",
	"read-only GET /api/jwt/":          "the same",
	"NodesRead GET /frontend/jwt/":     "the same",
	"NodesRead GET /api/jwt/":          "the same",
	"one node GET /frontend/jwt/":      "the same",
	"one node GET /api/jwt/":           "the same",
	"one cluster GET /frontend/jwt/":   "the same",
	"one cluster GET /api/jwt/":        "the same",
}

// endsSession are the requests after which a session is no more.
var endsSession = map[string]bool{"POST /logout": true, "POST /logout/": true, "POST /impersonate/stop": true, "POST /api/v1/logout": true, "DELETE /api/v1/sessions": true}

// idle are routes that answer with success when there is nothing to do (contract clustercockpit 3.2).
var idle = map[string]bool{"DELETE /api/jobs/delete_job/{id}": true}

// TestEveryRouteAsksForWhatItsRowSays sends a request to every route with every kind of credential. Bodies are broken on
// purpose: a request that is let in fails with 400, and changes nothing.
func TestEveryRouteAsksForWhatItsRowSays(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	h := servertest.New(t, servertest.WithClock(clk))
	credentials := everyCredential(t, h, clk)
	header := []string{"route", "access"}
	for _, c := range credentials {
		header = append(header, c.name)
	}
	table := [][]string{header}
	for _, d := range h.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, path := range append([]string{rt.Path}, rt.Aliases...) {
				for _, method := range rt.Methods {
					table = append(table, row(t, h, rt, method, path, credentials))
				}
			}
		}
	}
	if len(table) < 80 {
		t.Errorf("only %d routes", len(table)-1)
	}
	golden(t, "testdata/matrix.csv", table)
}

// row sends one request with each credential, and compares who is let in with what the row promises.
func row(t *testing.T, h *servertest.Harness, rt api.Route, method, path string, credentials []credential) []string {
	t.Helper()
	route := method + " " + path
	cells := []string{route, rt.Access.String()}
	for _, c := range credentials {
		r := h.Do(request(t, h, method, path, c))
		in := r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden
		cell := "in"
		if !in {
			cell = strconv.Itoa(r.Status)
		}
		cells = append(cells, cell)
		if r.Status == http.StatusNotFound && strings.Contains(r.Body, "endpoint does not exist") || r.Status == http.StatusMethodNotAllowed || r.Status >= 500 {
			t.Errorf("%s, %s: %d %s", route, c.name, r.Status, r.Body)
		}
		if method != http.MethodGet && r.Status < http.StatusMultipleChoices && !rt.Access.IsPublic() && !idle[route] {
			t.Errorf("%s, %s: a broken request has succeeded: %d %s", route, c.name, r.Status, r.Body)
		}
		if rt.Access.IsPublic() {
			if cell != cells[2] { // a login without a password fails for everybody
				t.Errorf("%s is public, but treats %s differently from nobody: %s, %s", route, c.name, cell, cells[2])
			}
			continue
		}
		want := c.good && (len(rt.Access.Permissions()) == 0 || slices.ContainsFunc(rt.Access.Permissions(), c.may.Has))
		_, later := refusedLater[c.name+" "+route]
		switch {
		case later && in:
			t.Errorf("%s: %s is let in; the exception is obsolete", route, c.name)
		case in != want && !later:
			t.Errorf("%s needs %s: %s gets %d %s", route, rt.Access, c.name, r.Status, r.Body)
		case !c.good && r.Status != http.StatusUnauthorized:
			t.Errorf("%s: %s gets %d; who is not known is to get 401", route, c.name, r.Status)
		}
	}
	return cells
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// request fills in names that nothing has, and a body that no handler takes.
func request(t *testing.T, h *servertest.Harness, method, path string, c credential) servertest.Call {
	t.Helper()
	session := c.session
	if session != nil && endsSession[method+" "+path] {
		session = c.another(t)
	}
	name := "999999" // a number too: jobs have no names
	if method == http.MethodGet && strings.HasPrefix(path, "/api/v1/admin/{id}") && c.user != "" {
		name = c.user // with AdminsWriteSelf one reads oneself
	}
	call := servertest.Call{Method: method, Path: wildcard.ReplaceAllString(path, name), Token: c.token, Session: session}
	if method != http.MethodGet {
		call.Body = `{"broken`
	}
	return call
}

// golden compares a table with its file.
func golden(t *testing.T, path string, table [][]string) {
	t.Helper()
	var got bytes.Buffer
	if err := csv.NewWriter(&got).WriteAll(table); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, -update rewrites it:\n%s", path, diff)
	}
}
