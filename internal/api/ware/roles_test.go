package ware_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRolesActAtOnce has one token and one session that stay the same while what they permit changes with the role of
// their user.
func TestRolesActAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"POST", "/api/v1/roles", "boss", `{"name": "role.Shift", "permissions": ["NodesWriteAttribs", "NodesRead"]}`, ""})
	for _, as := range []string{"reader", "session of reader"} {
		write := func(status int, node string) {
			t.Helper()
			want[any](w, status, call{"PATCH", "/api/v1/node/" + node + "/attributes", as, `{"rack": "r7"}`, ""})
		}
		sees := func(names ...string) {
			t.Helper()
			all := want[map[string]struct{ Name string }](w, 200, call{"GET", "/api/v1/nodes", as, "", ""})
			var got []string
			for n := range maps.Values(all.Data) {
				got = append(got, n.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(names, got); diff != "" {
				t.Errorf("%s sees (-want +got):\n%s", as, diff)
			}
		}
		patch := func(body string) {
			t.Helper()
			want[any](w, 200, call{"PATCH", "/api/v1/role/role.Shift", "boss", body, ""})
		}
		write(403, "n1")
		want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"roles": ["role.Shift"]}`, ""})
		write(200, "n1")
		sees("n0", "n1")

		patch(`{"nodes": "n1"}`)
		write(200, "n1")
		write(404, "n0")
		sees("n1")

		patch(`{"nodes": "n0"}`)
		write(404, "n1")
		sees("n0")

		patch(`{"nodes": "", "permissions": ["NodesRead"]}`)
		write(403, "n1")
		sees("n0", "n1")

		want[any](w, 200, call{"PATCH", "/api/v1/admin/reader", "boss", `{"roles": ["role.AuthUser"]}`, ""})
		patch(`{"permissions": ["NodesWriteAttribs", "NodesRead"]}`)
		write(403, "n1")
	}
}

// TestRoleReadsBackAndCanBePutBack has clients that read a role, alter nothing, and put it.
func TestRoleReadsBackAndCanBePutBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"POST", "/api/v1/roles", "boss", `{"name": "role.Shift", "description": "d", "permissions": "NodesRead", "delegates": "NodesRead,ImagesWrite", "nodes": "n1", "max_lifetime": "1d"}`, ""})
	read := w.do(call{"GET", "/api/v1/role/role.Shift", "reader", "", ""})
	for text := range strings.SplitSeq(`"delegates":["ImagesWrite"] "max_lifetime":86400 "display":"Shift" "modified_by":"boss"`, " ") {
		if !strings.Contains(string(read.text), text) {
			t.Errorf("the record lacks %s: %s", text, read.text)
		}
	}
	body := strings.TrimSuffix(strings.SplitN(string(read.text), `"data":`, 2)[1], "}\n")
	before := want[object](w, 200, call{"GET", "/api/v1/role/role.Shift", "reader", "", ""}).Data
	after := want[object](w, 200, call{"PUT", "/api/v1/role/role.Shift", "boss", body, ""}).Data
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}
