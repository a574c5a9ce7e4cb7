package ware_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ware"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

// failing is a node service of which one call fails.
type failing struct {
	*node.Service
	err error
}

func (f failing) Get(context.Context, identity.Caller, string) (node.Node, error) {
	return node.Node{}, f.err
}

func TestEachKindHasItsStatus(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.NotFound: 404, fault.Conflict: 409, fault.Unauthenticated: 401,
		fault.Denied: 403, fault.TooMany: 429, fault.TooLarge: 413, fault.Unavailable: 503,
	} {
		w := newWorld(t, func(c *ware.Config) {
			c.Nodes = failing{err: fault.Because(kind, errors.New("disk on fire"), "what people may read")}
		})
		a := w.do(call{"GET", "/api/v1/node/n1", "reader", "", ""})
		var e envelope[any]
		if err := json.Unmarshal(a.text, &e); err != nil || a.status != status || e.Success || e.Code != strings.ReplaceAll(kind.String(), " ", "_") {
			t.Errorf("%s is %d %s, want %d", kind, a.status, a.text, status)
		}
		if a.header.Get("Cache-Control") != "no-store" || containsAny(string(a.text), "fire") {
			t.Errorf("%s is %v %s", kind, a.header, a.text)
		}
		if internal := kind == fault.Internal; (e.Reason == "what people may read") == internal || containsAny(w.log.String(), "disk on fire") != internal {
			t.Errorf("%s: reason is %q, log is %q", kind, e.Reason, w.log)
		}
	}
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
}

func TestDocumentAndPageShowEveryPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.do(call{"GET", "/api/v1/openapi.json", "", "", ""})
	page := w.do(call{"GET", "/api/v1/docs", "", "", ""})
	css := w.do(call{"GET", "/api/v1/docs.css", "", "", ""})
	if doc.status != 200 || page.status != 200 || css.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("statuses are %d %d %d", doc.status, page.status, css.status)
	}
	var spec struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(doc.text, &spec); err != nil || spec.OpenAPI != "3.1.0" {
		t.Fatalf("document is %q, %v", spec.OpenAPI, err)
	}
	for _, rt := range w.dialect.Routes {
		for _, m := range rt.Methods {
			if spec.Paths[rt.Path][strings.ToLower(m)]["summary"] == nil {
				t.Errorf("the document lacks %s %s", m, rt.Path)
			}
		}
		if !strings.Contains(string(page.text), rt.Path) {
			t.Errorf("the page lacks %s", rt.Path)
		}
	}
}

// TestRolesPassWhereTheMatrixSays records for every route which role passes its access rule. The services decide on.
func TestRolesPassWhereTheMatrixSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roles := w.users.Roles().List()
	var out strings.Builder
	out.WriteString("route,access")
	for _, g := range roles {
		fmt.Fprintf(&out, ",%s", g.Role)
	}
	for _, rt := range w.dialect.Routes {
		fmt.Fprintf(&out, "\n%s %s,%s", strings.Join(rt.Methods, "|"), rt.Path, rt.Access)
		for _, g := range roles {
			has, _ := w.users.Roles().Effective([]identity.Role{g.Role})
			passes := "-"
			if rt.Access.Check(identity.Caller{Permissions: has}) == nil {
				passes = "x"
			}
			fmt.Fprintf(&out, ",%s", passes)
		}
	}
	out.WriteString("\n")
	compareGolden(t, filepath.Join("testdata", "golden", "matrix.csv"), out.String())
}

func TestMethodThatNoRouteHasIsNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(call{"POST", "/api/v1/whoami", "boss", "", ""})
	if a.status != http.StatusMethodNotAllowed || !strings.Contains(a.header.Get("Allow"), "GET") {
		t.Errorf("got %d, Allow %q", a.status, a.header.Get("Allow"))
	}
}

func TestDoorNeedsToKnowWhereRequestsComeFrom(t *testing.T) {
	t.Parallel()
	if _, err := ware.New(ware.Config{}); err == nil || !strings.Contains(err.Error(), "ClientAddr") {
		t.Errorf("got %v", err)
	}
}

func TestRequestIDIsLeftOutWhereThereIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ware.Config) { c.RequestID, c.Clusters = nil, nil })
	rec := httptest.NewRecorder()
	w.dialect.Failure(rec, httptest.NewRequest(http.MethodGet, "/", http.NoBody), fault.New(fault.Invalid, "no"))
	if containsAny(rec.Body.String(), "request_id") {
		t.Errorf("got %s", rec.Body)
	}
	if c := want[object](w, 200, call{"GET", "/api/v1/cluster", "boss", "", ""}); len(c.Data["clusters"].([]any)) != 0 {
		t.Errorf("clusters are %v", c.Data["clusters"])
	}
}
