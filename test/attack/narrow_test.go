package attack_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
)

// TestANarrowTokenStaysNarrow: what a token is narrowed to holds for what it opens, and for every token that is made with
// it. Each row narrows a full administrator's token, and says what is left and what is not.
func TestANarrowTokenStaysNarrow(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root := h.Token(identity.RoleFullAdmin)
	for _, n := range []string{"n1", "n2"} {
		want(t, "create "+n, h.call(http.MethodPost, "/api/v1/nodes", root, `{"name":"`+n+`","mac":"52:54:00:00:00:0`+n[1:]+`"}`), http.StatusOK)
	}
	self := h.User(identity.RoleFullAdmin)
	set := func(node string) servertest.Call {
		return servertest.Call{Method: http.MethodPatch, Path: "/api/v1/node/" + node + "/attributes", Body: `{"x":"1"}`}
	}
	mint := func(user, more string) servertest.Call {
		return servertest.Call{Method: http.MethodPost, Path: "/api/v1/admin/" + user + "/token", Body: `{` + more + `}`}
	}
	for narrowing, row := range map[string]struct{ in, out []servertest.Call }{
		`"permissions":["NodesRead"]`: {
			[]servertest.Call{get("/api/v1/nodes"), get("/api/v1/node/n1")},
			[]servertest.Call{set("n1"), get("/api/v1/admins"), get("/api/v1/tokens"), get("/api/jobs/"), mint(self, ""), mint(self, `"permissions":["NodesWrite"]`), get("/metrics")},
		},
		`"read_only":true`: {
			[]servertest.Call{get("/api/v1/nodes"), get("/api/v1/admins"), get("/api/jobs/"), get("/metrics")},
			[]servertest.Call{
				set("n1"), mint(self, ""),
				{Method: http.MethodPost, Path: "/api/v1/admins", Body: `{"name":"x","roles":["role.AuthUser"]}`},
				{Method: http.MethodDelete, Path: "/api/v1/node/n1"},
				{Method: http.MethodPost, Path: "/api/v1/keys/rotate"},
				{Method: http.MethodPost, Path: "/api/v1/tokens/revoke", Body: `{"all":true}`},
				{Method: http.MethodPost, Path: "/api/jobs/start_job/", Body: `{}`},
			},
		},
		`"nodes":"n1"`: {
			[]servertest.Call{set("n1"), get("/api/v1/node/n1")},
			[]servertest.Call{set("n2"), get("/api/v1/node/n2/attributes"), {Method: http.MethodDelete, Path: "/api/v1/node/n2"}, get("/api/v1/admins"), mint(self, ""), {Method: http.MethodPatch, Path: "/api/v1/node/n1", Body: `{"name":"n2"}`}},
		},
		`"clusters":["alpha"]`: {
			nil,
			[]servertest.Call{get("/api/v1/admins"), mint(self, ""), {Method: http.MethodPost, Path: "/api/jobs/start_job/", Body: `{"jobId":1,"cluster":"beta","user":"u","project":"p","numNodes":1,"startTime":1795000000,"resources":[{"hostname":"n1"}]}`}},
		},
		`"cidr":["192.0.2.0/24"]`: {nil, []servertest.Call{get("/api/v1/whoami"), get("/api/v1/nodes"), get("/api/clusters/")}},
		`"cidr":["127.0.0.1"]`:    {[]servertest.Call{get("/api/v1/whoami"), get("/api/v1/nodes")}, nil},
	} {
		m := mint(self, narrowing)
		m.Token = root
		raw := accessToken(t, h.Do(m))
		for _, c := range row.in {
			c.Token = raw
			if r := h.Do(c); r.Status != http.StatusOK {
				t.Errorf("%s: %s %s: %d %s", narrowing, c.Method, c.Path, r.Status, r.Body)
			}
		}
		before := h.tables(t)
		for _, c := range row.out {
			c.Token = raw
			if r := h.Do(c); r.Status != http.StatusForbidden && r.Status != http.StatusUnauthorized && r.Status != http.StatusNotFound {
				t.Errorf("%s: %s %s %s: %d %s", narrowing, c.Method, c.Path, c.Body, r.Status, r.Body)
			}
		}
		if h.tables(t) != before {
			t.Errorf("%s: something has changed", narrowing)
		}
	}
}

// TestNarrowingIsNotWidened makes tokens with narrowed tokens that may make some, and asks for more than these have.
func TestNarrowingIsNotWidened(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root, self := h.Token(identity.RoleFullAdmin), h.User(identity.RoleFullAdmin)
	mint := func(raw, body string) servertest.Reply {
		return h.call(http.MethodPost, "/api/v1/admin/"+self+"/token", raw, body)
	}
	narrow := accessToken(t, mint(root, `{"permissions":["NodesRead","AdminsWriteSelf","AdminsRead"],"cidr":["127.0.0.0/8"]}`))
	for what, body := range map[string]string{
		"permissions": `{"permissions":["NodesRead","NodesWrite"]}`, "all of them": `{"permissions":["AdminsWrite"]}`, "unknown": `{"permissions":["All"]}`,
	} {
		r := mint(narrow, body)
		if r.Status == http.StatusOK { // then what it asks for too much is not in it
			r = h.call(http.MethodPost, "/api/v1/nodes", accessToken(t, r), `{"mac":"52:54:00:00:00:08"}`)
		}
		if r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	child := accessToken(t, mint(narrow, `{"lifetime":"1h"}`))
	for what, c := range map[string]servertest.Call{
		"writes": {Method: http.MethodPost, Path: "/api/v1/nodes", Body: `{"mac":"52:54:00:00:00:09"}`}, "reads more": get("/api/v1/attribs"), "makes users": {Method: http.MethodPost, Path: "/api/v1/admins", Body: `{"name":"x","roles":["role.AuthUser"]}`},
	} {
		c.Token = child
		if r := h.Do(c); r.Status != http.StatusForbidden {
			t.Errorf("a token that a narrow one has made %s: %d %s", what, r.Status, r.Body)
		}
	}
	want(t, "what it may", h.call(http.MethodGet, "/api/v1/nodes", child, ""), http.StatusOK)
	if r := mint(narrow, `{"cidr":["192.0.2.0/24"]}`); r.Status == http.StatusOK {
		want(t, "good from elsewhere only", h.whoami(accessToken(t, r)), http.StatusUnauthorized)
	}
	// A life that is longer than the maker's.
	short := accessToken(t, mint(root, `{"lifetime":"60","permissions":["AdminsWriteSelf","AdminsRead","NodesRead"]}`))
	if r := mint(short, `{"lifetime":"30d"}`); r.Status == http.StatusOK {
		raw := accessToken(t, r)
		h.clock.Advance(61e9)
		want(t, "a token outlives the one that made it", h.whoami(raw), http.StatusUnauthorized)
	}
}

// TestRolesGiveNoMoreThanTheirMakerHas makes and changes roles as everybody.
func TestRolesGiveNoMoreThanTheirMakerHas(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root, boss := h.Token(identity.RoleFullAdmin), h.newUser(t, "boss", identity.RoleWareManager)
	h.newUser(t, "clerk", identity.RoleAuthUser)
	want(t, "a role", h.call(http.MethodPost, "/api/v1/roles", root, `{"name":"role.Held","permissions":["NodesRead","AdminsRead","AdminsWrite"]}`), http.StatusOK)
	held := h.newUser(t, "holder", "role.Held")
	for what, c := range map[string]servertest.Call{
		"more than the maker has":          {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.Mine","permissions":["ClusterWrite"]}`, Token: boss},
		"all":                              {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.Mine","permissions":["UseAiAgent","CertsWrite"]}`, Token: boss},
		"handing on more":                  {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.Mine","permissions":["NodesRead"],"delegates":["CertsWrite"]}`, Token: boss},
		"a reserved name":                  {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.FullAdmin","permissions":["NodesRead"]}`, Token: root},
		"a reserved name in other letters": {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.fulladmin","permissions":["NodesRead"]}`, Token: root},
		"a name of the other family":       {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"admin","permissions":["NodesRead"]}`, Token: root},
		"renaming to a reserved name":      {Method: http.MethodPatch, Path: "/api/v1/role/role.Held", Body: `{"name":"role.FullAdmin"}`, Token: root},
		"raising one's own role":           {Method: http.MethodPatch, Path: "/api/v1/role/role.Held", Body: `{"permissions":["NodesRead","AdminsRead","AdminsWrite","ClusterWrite"]}`, Token: held},
		"raising one's own as a Manager":   {Method: http.MethodPatch, Path: "/api/v1/role/role.Manager", Body: `{"permissions":["ClusterWrite"]}`, Token: boss},
		"weakening who is above":           {Method: http.MethodPatch, Path: "/api/v1/role/role.FullAdmin", Body: `{"permissions":["NodesRead"]}`, Token: root},
		"lifting the ban":                  {Method: http.MethodPatch, Path: "/api/v1/role/role.NoAccess", Body: `{"permissions":["NodesRead"]}`, Token: root},
		"deleting a role in use":           {Method: http.MethodDelete, Path: "/api/v1/role/role.Held", Token: root},
		"deleting a role of the program":   {Method: http.MethodDelete, Path: "/api/v1/role/role.FullAdmin", Token: root},
		"without the permission":           {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.Mine","permissions":["NodesRead"]}`, Token: h.Token(identity.RoleProductionEngineer)},
	} {
		before := h.tables(t)
		if r := h.Do(c); r.Status < 400 || r.Status >= 500 || h.tables(t) != before {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	// A role that is changed counts at once, also for tokens that are out.
	want(t, "before", h.call(http.MethodGet, "/api/v1/admins", held, ""), http.StatusOK)
	want(t, "change", h.call(http.MethodPatch, "/api/v1/role/role.Held", root, `{"permissions":["NodesRead"]}`), http.StatusOK)
	r := h.call(http.MethodPost, "/api/v1/admins", held, `{"name":"x","roles":["role.AuthUser"]}`)
	want(t, "after", r, http.StatusForbidden)
	if !strings.Contains(r.Body, "AdminsWrite") {
		t.Errorf("the refusal does not say what is missing: %s", r.Body)
	}
}
