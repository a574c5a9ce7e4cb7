package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// fakeHead speaks the management interface's envelope, with just enough memory for what the tools do. What the real
// head decides is tested with the real head.
type fakeHead struct {
	mu     sync.Mutex // guards all below
	admins map[string]map[string]any
	nodes  map[string]map[string]any
	groups map[string]map[string]any
	roles  map[string]map[string]any
	tokens map[string]string // text -> user
	minted int
	codes  map[string]string // one-time codes of accounts with a second factor
	posts  []string          // bodies of POST and PATCH requests, for assertions
	asked  []string          // all requests, for assertions
	down   *trouble          // what every request but a login is answered with, nil for the usual
}

// trouble is an answer as it stands.
type trouble struct {
	status int
	header map[string]string
	body   string
}

// refusal is an answer in the head's envelope.
func refusal(status int, reason string) *trouble {
	return &trouble{status: status, body: fmt.Sprintf(`{"success": false, "reason": %q, "code": "x"}`, reason)}
}

type viaSocket struct{}

func newFakeHead() *fakeHead {
	h := &fakeHead{admins: map[string]map[string]any{}, nodes: map[string]map[string]any{}, groups: map[string]map[string]any{}, tokens: map[string]string{}, codes: map[string]string{}}
	h.admins["root"] = map[string]any{"uid": uid(900), "name": "root", "roles": []string{"role.FullAdmin"}, "description": "", "keys": []string{}}
	h.admins["ann"] = map[string]any{"uid": uid(901), "name": "ann", "roles": []string{"role.Manager"}}
	h.roles = map[string]map[string]any{"role.Manager": {"uid": "role.Manager", "name": "role.Manager", "description": "Manages", "permissions": []string{"AdminsWrite"}, "system": true}}
	h.tokens["good-root"] = "root"
	h.tokens["forged"], h.tokens["hidden"] = "forged", "hidden" // whose audit trails are not what they should be
	h.groups["gpu"] = map[string]any{"uid": uid(800), "name": "gpu", "attributes": map[string]string{"accel": "a100"}}
	for i := range 6 {
		name := fmt.Sprintf("n%d", i)
		h.nodes[name] = map[string]any{
			"uid": uid(i), "name": name, "index": i, "ip": fmt.Sprintf("10.0.0.%d", i), "mac": fmt.Sprintf("08:00:27:00:00:%02x", i),
			"cluster": "alpha", "type": "compute", "groups": []string{}, "attributes": map[string]any{"_boot_config": "DefaultBoot"},
			"status": map[string]string{"state": "up"}, "hardware": map[string]string{"cpu_model": "Test CPU"}, "last_modified": 1722624103.5,
		}
	}
	h.nodes["n4"]["status"] = map[string]string{"state": "down"}
	h.nodes["n5"]["groups"] = []string{uid(800)}
	return h
}

func uid(n int) string { return fmt.Sprintf("%032x", 0xabcde000000+n) }

// start serves on a loopback port and on a local socket.
func (h *fakeHead) start(tb testing.TB, dir string) (baseURL, socket string) {
	tb.Helper()
	server := httptest.NewServer(h.mux())
	tb.Cleanup(server.Close)
	socket = filepath.Join(dir, "auth.sock")
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	local := &http.Server{Handler: h.mux(), ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, viaSocket{}, true)
	}}
	go func() { _ = local.Serve(l) }()
	tb.Cleanup(func() { _ = local.Close() })
	return server.URL + "/api/v1", socket
}

// failure is what a handler returns for an error.
type failure struct {
	status int
	reason string
}

func (h *fakeHead) mux() http.Handler {
	m := http.NewServeMux()
	route := func(pattern string, f func(r *http.Request, user string, body map[string]any) any) {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, f) })
	}
	route("POST /api/v1/login", h.login)
	route("POST /api/v1/token/refresh", func(_ *http.Request, user string, _ map[string]any) any { return h.mint(user, user, time.Hour) })
	route("POST /api/v1/logout", func(r *http.Request, _ string, _ map[string]any) any {
		delete(h.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return true
	})
	route("GET /api/v1/whoami", func(_ *http.Request, user string, _ map[string]any) any {
		return map[string]any{"name": user, "uid": h.admins[user]["uid"], "roles": h.admins[user]["roles"], "permissions": []string{"NodesRead"}}
	})
	h.roleRoutes(route)
	h.adminRoutes(route)
	h.nodeRoutes(route)
	sessionRoutes(route)
	h.loginRoutes(route)
	keyRoutes(route)
	auditRoutes(route)
	h.tokenRoutes(route)
	m.HandleFunc("GET /api/metrics/top/", metricsTop)
	return m
}

func (h *fakeHead) serve(w http.ResponseWriter, r *http.Request, f func(*http.Request, string, map[string]any) any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.Method+" "+r.URL.Path)
	if h.down != nil && !strings.HasSuffix(r.URL.Path, "/login") {
		for k, v := range h.down.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(h.down.status)
		_, _ = w.Write([]byte(h.down.body))
		return
	}
	user := h.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if r.Context().Value(viaSocket{}) != nil && user == "" {
		user = "root"
	}
	w.Header().Set("Content-Type", "application/json")
	reply := any(failure{401, "invalid token"})
	if user != "" || strings.Contains(r.URL.Path, "/login") {
		var raw json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&raw)
		if len(raw) > 0 {
			h.posts = append(h.posts, r.Method+" "+r.URL.Path+" "+string(raw))
		}
		body := map[string]any{}
		if json.Unmarshal(raw, &body) != nil {
			var list []any
			_ = json.Unmarshal(raw, &list)
			body["list"] = list
		}
		reply = f(r, user, body)
	}
	if fail, bad := reply.(failure); bad {
		w.WriteHeader(fail.status)
		reply = map[string]any{"success": false, "reason": fail.reason, "code": "x"}
	} else {
		reply = map[string]any{"success": true, "data": reply}
	}
	_ = json.NewEncoder(w).Encode(reply)
}

func (h *fakeHead) login(_ *http.Request, _ string, body map[string]any) any {
	name, _ := body["username"].(string)
	if body["password"] != "secret-"+name || h.admins[name] == nil {
		return failure{401, "wrong user name or password"}
	}
	if code := h.codes[name]; code != "" && body["code"] != code {
		if body["code"] == nil {
			return failure{401, "a one-time code is required"}
		}
		return failure{401, "the one-time code is wrong or has been used"}
	}
	return h.mint(name, name, time.Hour)
}

func (h *fakeHead) mint(user, by string, lifetime time.Duration) map[string]any {
	h.minted++
	text := fmt.Sprintf("eyJhbGciOiJFZERTQSJ9.%s.%d", user, h.minted)
	h.tokens[text] = user
	return map[string]any{
		"access_token": text, "token_type": "Bearer", "user": user, "issued_by": by,
		"expires": float64(time.Now().Add(lifetime).Unix()),
	}
}

func (h *fakeHead) adminRoutes(route func(string, func(*http.Request, string, map[string]any) any)) {
	find := func(r *http.Request) map[string]any {
		for name, a := range h.admins {
			if id := r.PathValue("id"); name == id || a["uid"] == id {
				return a
			}
		}
		return nil
	}
	missing := func(r *http.Request) failure { return failure{404, "No admin found for ID=" + r.PathValue("id")} }
	route("GET /api/v1/admins", func(*http.Request, string, map[string]any) any { return byUID(h.admins) })
	route("POST /api/v1/admins", func(_ *http.Request, _ string, body map[string]any) any {
		name, _ := body["name"].(string)
		if h.admins[name] != nil {
			return failure{409, "admin " + name + " exists already"}
		}
		body["uid"] = uid(900 + len(h.admins))
		h.admins[name] = body
		return body["uid"]
	})
	route("GET /api/v1/admin/{id}", func(r *http.Request, _ string, _ map[string]any) any {
		if a := find(r); a != nil {
			return a
		}
		return missing(r)
	})
	route("PATCH /api/v1/admin/{id}", func(r *http.Request, _ string, body map[string]any) any {
		a := find(r)
		if a == nil {
			return missing(r)
		}
		changeRoles(a, body)
		maps.Copy(a, body)
		return a
	})
	route("DELETE /api/v1/admin/{id}", func(r *http.Request, _ string, _ map[string]any) any {
		a := find(r)
		if a == nil {
			return missing(r)
		}
		name, _ := a["name"].(string)
		delete(h.admins, name)
		return true
	})
	route("POST /api/v1/admin/{id}/token", func(r *http.Request, user string, body map[string]any) any {
		a := find(r)
		if a == nil {
			return missing(r)
		}
		name, _ := a["name"].(string)
		lifetime := time.Hour
		if text, _ := body["lifetime"].(string); text != "" {
			var err error
			if lifetime, err = token.ParseLifetime(text); err != nil {
				return failure{400, err.Error()}
			}
		}
		minted := h.mint(name, user, lifetime)
		if clusters, _ := body["clusters"].([]any); slices.Contains(clusters, any("nosuch")) {
			minted["warnings"] = []string{`there is no cluster "nosuch" here (there is alpha), so the token reaches nothing there`}
		}
		return minted
	})
	route("GET /api/v1/tokens", func(r *http.Request, user string, _ map[string]any) any {
		q := r.URL.Query()
		if q.Get("user") != "" {
			user = q.Get("user")
		}
		list := []any{}
		for _, text := range slices.Sorted(maps.Keys(h.tokens)) {
			id, owner := text[strings.LastIndex(text, ".")+1:], h.tokens[text]
			if owner == user || q.Get("all") == "true" {
				list = append(list, map[string]any{"jti": "t" + id, "user": owner, "type": "service", "name": "label"})
			}
		}
		return list
	})
	route("DELETE /api/v1/token/{jti}", func(r *http.Request, _ string, _ map[string]any) any {
		for text := range h.tokens {
			if "t"+text[strings.LastIndex(text, ".")+1:] == r.PathValue("jti") {
				delete(h.tokens, text)
				return true
			}
		}
		return failure{404, "No token found for ID=" + r.PathValue("jti")}
	})
}

func byUID(records map[string]map[string]any) map[string]any {
	list := map[string]any{}
	for _, r := range records {
		id, _ := r["uid"].(string)
		list[id] = r
	}
	return list
}

func (h *fakeHead) mayWrite(user string) bool {
	roles := fmt.Sprint(h.admins[user]["roles"])
	return strings.Contains(roles, "FullAdmin") || strings.Contains(roles, "ProductionEngineer")
}

func (h *fakeHead) nodeRoutes(route func(string, func(*http.Request, string, map[string]any) any)) {
	onNode := func(pattern string, writes bool, f func(r *http.Request, n, body map[string]any) any) {
		route(pattern, func(r *http.Request, user string, body map[string]any) any {
			if writes && !h.mayWrite(user) {
				return failure{403, "permission NodesWriteAttribs is required"}
			}
			for name, n := range h.nodes {
				if id := r.PathValue("id"); name == id || n["uid"] == id || n["mac"] == id {
					return f(r, n, body)
				}
			}
			return failure{404, "No node found for ID=" + r.PathValue("id")}
		})
	}
	route("GET /api/v1/nodes", func(*http.Request, string, map[string]any) any { return byUID(h.nodes) })
	route("GET /api/v1/attribs", func(*http.Request, string, map[string]any) any { return byUID(h.groups) })
	route("GET /api/v1/attrib/{id}", func(r *http.Request, _ string, _ map[string]any) any {
		if g := h.groups[r.PathValue("id")]; g != nil {
			return g
		}
		return failure{404, "No attrib found for ID=" + r.PathValue("id")}
	})
	route("POST /api/v1/nodes", func(_ *http.Request, _ string, body map[string]any) any {
		for _, n := range h.nodes {
			if n["mac"] == body["mac"] {
				return failure{409, fmt.Sprintf("MAC %v is taken by %v", body["mac"], n["name"])}
			}
		}
		i := len(h.nodes)
		body["uid"], body["name"] = uid(i), fmt.Sprintf("n%d", i)
		h.nodes[fmt.Sprintf("n%d", i)] = body
		return uid(i)
	})
	onNode("GET /api/v1/node/{id}", false, func(_ *http.Request, n, _ map[string]any) any { return n })
	onNode("PATCH /api/v1/node/{id}", true, func(_ *http.Request, n, body map[string]any) any { maps.Copy(n, body); return n })
	onNode("DELETE /api/v1/node/{id}", true, func(_ *http.Request, n, _ map[string]any) any {
		name, _ := n["name"].(string)
		delete(h.nodes, name)
		return true
	})
	onNode("GET /api/v1/node/{id}/attributes", false, getAttributes)
	onNode("PATCH /api/v1/node/{id}/attributes", true, func(_ *http.Request, n, body map[string]any) any {
		maps.Copy(attributesOf(n), body)
		return attributesOf(n)
	})
	onNode("PUT /api/v1/node/{id}/attributes", true, func(_ *http.Request, n, body map[string]any) any { n["attributes"] = body; return body })
	onNode("DELETE /api/v1/node/{id}/attributes", true, func(_ *http.Request, n, body map[string]any) any {
		list, _ := body["list"].([]any)
		for _, name := range list {
			delete(attributesOf(n), fmt.Sprint(name))
		}
		return attributesOf(n)
	})
	onNode("POST /api/v1/node/{id}/groups", true, func(_ *http.Request, n, body map[string]any) any {
		list, _ := n["groups"].([]string)
		names, _ := body["list"].([]any)
		for _, name := range names {
			g := h.groups[fmt.Sprint(name)]
			if g == nil {
				return failure{404, fmt.Sprintf("No attrib found for ID=%v", name)}
			}
			list = append(list, fmt.Sprint(g["uid"]))
		}
		n["groups"] = list
		return list
	})
	onNode("DELETE /api/v1/node/{id}/groups", true, func(_ *http.Request, n, body map[string]any) any {
		list, _ := n["groups"].([]string)
		names, _ := body["list"].([]any)
		for _, name := range names {
			list = slices.DeleteFunc(list, func(uid string) bool { return uid == h.groups[fmt.Sprint(name)]["uid"] })
		}
		n["groups"] = list
		return list
	})
}

func attributesOf(n map[string]any) map[string]any {
	m, _ := n["attributes"].(map[string]any)
	return m
}

// getAttributes inherits one attribute, so that effective and local ones differ.
func getAttributes(r *http.Request, n, _ map[string]any) any {
	local := attributesOf(n)
	if r.URL.Query().Get("scope") == "local" {
		return local
	}
	effective := map[string]any{"site": "hq"}
	maps.Copy(effective, local)
	if r.URL.Query().Get("explain") == "" {
		return effective
	}
	explained := map[string]any{}
	for k, v := range effective {
		from := "node"
		if local[k] == nil {
			from = "default"
		}
		explained[k] = map[string]any{"value": v, "from": from, "shadowed": []any{}}
	}
	return explained
}
