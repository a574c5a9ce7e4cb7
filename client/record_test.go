package client_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestStringsAreAListOrATextWithCommas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]client.Strings{
		`["a", "b,c"]`: {"a", "b,c"}, `"a, b ,,c"`: {"a", "b", "c"}, `""`: nil, `null`: nil, `[]`: {},
	} {
		got := client.Strings{"before"}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for _, text := range []string{`7`, `{"a": 1}`, `[1]`} {
		var got client.Strings
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s passed for %q", text, got)
		}
	}
}

func TestEveryRecordKeepsAllItsFields(t *testing.T) {
	t.Parallel()
	const text = `{"uid": "u", "jti": "t", "name": "x", "future": {"deep": [1.50]}}`
	for name, decode := range map[string]func() (client.Fields, error){
		"Node": func() (client.Fields, error) {
			var r client.Node
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
		"Admin": func() (client.Fields, error) {
			var r client.Admin
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
		"Role": func() (client.Fields, error) {
			var r client.Role
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
		"Group": func() (client.Fields, error) {
			var r client.Group
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
		"Token": func() (client.Fields, error) {
			var r client.Token
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
		"Identity": func() (client.Fields, error) {
			var r client.Identity
			err := json.Unmarshal([]byte(text), &r)
			return r.Fields, err
		},
	} {
		got, err := decode()
		want := client.Fields{"uid": "u", "jti": "t", "name": "x", "future": map[string]any{"deep": []any{json.Number("1.50")}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestListsAreInTheOrderOfTheirNames(t *testing.T) {
	t.Parallel()
	byUID := data(map[string]any{
		"u1": map[string]any{"uid": "u1", "name": "n10", "cluster": "b"}, "u2": map[string]any{"uid": "u2", "name": "n9"},
		"u3": map[string]any{"uid": "u3", "name": "n10", "cluster": "a"}, "u4": map[string]any{"uid": "u4", "name": "n10", "cluster": "b"},
	})
	h := newHead(t, map[string]reply{"GET /api/v1/nodes": byUID, "GET /api/v1/attribs": byUID, "GET /api/v1/roles": byUID, "GET /api/v1/admins": data([]any{})})
	c := h.connect(t, client.Config{})
	nodes, err := c.ListNodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, n := range nodes { // as people count, then by cluster and UID
		order = append(order, n.UID)
	}
	if diff := cmp.Diff([]string{"u2", "u3", "u1", "u4"}, order); diff != "" {
		t.Error(diff)
	}
	groups, err := c.ListGroups(t.Context())
	if err != nil || len(groups) != 4 || groups[3].Name != "n9" {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	roles, err := c.ListRoles(t.Context())
	if err != nil || len(roles) != 4 || roles[3].Name != "n9" {
		t.Errorf("roles: %+v, %v", roles, err)
	}
	if admins, err := c.ListAdmins(t.Context()); err != nil || len(admins) != 0 {
		t.Errorf("no admins: %+v, %v", admins, err)
	}
}

func TestAMintedTokenIsComplete(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{"POST /api/v1/admin/ann/token": data(map[string]any{"expires": 5})})
	c := h.connect(t, client.Config{})
	if _, err := c.MintToken(t.Context(), "ann", client.TokenRequest{}); err == nil || !strings.Contains(err.Error(), h.URL+" returned no token") {
		t.Errorf("%v", err)
	}
}

func TestATokenFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tok := client.TokenFile{AccessToken: "a.b.c", User: "ann"}
	target := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(target, "not-empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := tok.WriteFile(target); err == nil || strings.Contains(err.Error(), "a.b.c") {
		t.Errorf("written over a folder: %v", err)
	}
	if err := tok.WriteFile(filepath.Join(dir, "nowhere", "x.token")); err == nil {
		t.Error("written into a folder that is not there")
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left behind: %v, %v", list, err)
	}
	path := filepath.Join(dir, "x.token")
	if err := tok.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := client.ReadTokenFile(path)
	if err != nil || got.AccessToken != tok.AccessToken || got.User != tok.User || !got.Expires.IsZero() {
		t.Errorf("read back: %+v, %v", got, err)
	}
}

func FuzzEveryNameIsOneStepOfThePath(f *testing.F) {
	for _, s := range []string{"n0", "..", ".", "a/b", "a%2Fb", "?x=y", "#x", "", " ", "ü", "n[0-3]", "\x00", "../../admin"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		h := fake(t, reply{body: `{"success": true, "data": {}}`})
		c := h.connect(t, client.Config{})
		if err := c.DeleteNode(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		method, rest, _ := strings.Cut(h.asked[0], " ")
		step, _, _ := strings.Cut(strings.TrimPrefix(rest, "/api/v1/node/"), " ")
		back, err := url.PathUnescape(step)
		if method != "DELETE" || err != nil || back != id || strings.ContainsAny(step, "/?#") || step == ".." || step == "." {
			t.Errorf("%q was asked for as %q", id, h.asked[0])
		}
	})
}
