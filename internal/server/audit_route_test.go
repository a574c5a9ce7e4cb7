package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// recordedBy says of every route that is no GET, except those of ClusterWare's interface, which action it leaves in the
// trail, or in parentheses why it leaves none. ClusterWare's are called one by one in internal/api/ware.
var recordedBy = map[string]string{}

func TestEveryRouteThatChangesSomethingIsRecorded(t *testing.T) {
	t.Parallel()
	h := servertest.New(t)
	seen := map[string]bool{}
	for _, d := range h.Server.Dialects() {
		for _, rt := range d.Routes {
			for _, m := range rt.Methods {
				route := m + " " + rt.Path
				if m == http.MethodGet || strings.HasPrefix(rt.Path, "/api/v1/") {
					continue
				}
				seen[route] = true
				if recordedBy[route] == "" {
					t.Errorf("%s: which record does it leave? %s", route, rt.Doc)
				}
			}
		}
	}
	for route := range recordedBy {
		if !seen[route] {
			t.Errorf("%s is no route any more", route)
		}
	}
}
