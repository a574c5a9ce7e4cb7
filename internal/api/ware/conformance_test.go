package ware_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// The tests in this file are those of contract clusterware 10 that concern this interface; each names its item.

func TestConformance2DeniedPutHasReasonAndSuccessFalse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := want[any](w, 403, call{"PUT", "/api/v1/node/n1/attributes", "manager", `{"_boot_config": "GPUBoot"}`, ""})
	if e.Success || !strings.Contains(e.Reason, "NodesWriteAttribs") || e.Code != "denied" {
		t.Errorf("envelope is %+v", e)
	}
}

func TestConformance3RefreshTokensOnlyRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	login := want[object](w, 200, call{"POST", "/api/v1/login", "", `{"username": "reader", "password": "secret of reader"}`, "application/json"})
	access, _ := login.Data["access_token"].(string)
	refresh, _ := login.Data["refresh_token"].(string)
	want[any](w, 200, call{"GET", "/api/v1/nodes", "token " + access, "", ""})

	a := w.do(call{"GET", "/api/v1/nodes", "token " + refresh, "", ""})
	if a.status != 401 || a.header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
		t.Errorf("a refresh token on /nodes is %d, %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	w.clock.Advance(16 * time.Minute)
	want[any](w, 401, call{"GET", "/api/v1/nodes", "token " + access, "", ""})
	for _, c := range []call{
		{"POST", "/api/v1/token/refresh", "token " + refresh, "", ""},
		{"POST", "/api/v1/auth/refresh", "", `{"refresh_token": "` + refresh + `"}`, ""},
	} {
		again := want[object](w, 200, c)
		fresh, _ := again.Data["access_token"].(string)
		want[any](w, 200, call{"GET", "/api/v1/nodes", "token " + fresh, "", ""})
	}
	want[any](w, 401, call{"POST", "/api/v1/token/refresh", "token " + access, "", ""})
}

func TestConformance3ADayIsADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	minted := want[object](w, 200, call{"POST", "/api/v1/admin/production/token", "manager", `{"lifetime": "1d"}`, ""})
	if minted.Data["expires"] != float64(w.clock.Now().Unix()+86400) {
		t.Errorf("expires is %v", minted.Data["expires"])
	}
	raw, _ := minted.Data["access_token"].(string)
	w.clock.Advance(24*time.Hour - time.Second)
	who := want[object](w, 200, call{"GET", "/api/v1/whoami", "token " + raw, "", ""})
	if credential, _ := who.Data["token"].(object); credential["expires_in"] != 1.0 {
		t.Errorf("a second before its end the token says %v", who.Data["token"])
	}
	w.clock.Advance(time.Minute)
	want[any](w, 401, call{"GET", "/api/v1/whoami", "token " + raw, "", ""})
}

func TestConformance4EveryNameOfANodeIsTheSameRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := want[object](w, 200, call{"GET", "/api/v1/node/n1", "reader", "", ""}).Data
	uid, _ := first["uid"].(string)
	for _, id := range []string{uid, uid[:10], "08:00:27:00:00:01", "08-00-27-00-00-01", "10.0.0.11", "n1/"} {
		if diff := cmp.Diff(first, want[object](w, 200, call{"GET", "/api/v1/node/" + id, "reader", "", ""}).Data); diff != "" {
			t.Errorf("%s is another record:\n%s", id, diff)
		}
	}
	if e := want[any](w, 404, call{"GET", "/api/v1/node/n123", "reader", "", ""}); e.Reason != "No node found for ID=n123" {
		t.Errorf("reason is %q", e.Reason)
	}
	for i := range 2 {
		body := `{"name": "twin", "mac": "08:00:27:00:01:0` + string(rune('0'+i)) + `", "cluster": "c` + string(rune('0'+i)) + `"}`
		want[string](w, 200, call{"POST", "/api/v1/nodes", "production", body, ""})
	}
	if e := want[any](w, 409, call{"GET", "/api/v1/node/twin", "reader", "", ""}); len(e.Details) != 2 || e.Code != "conflict" {
		t.Errorf("an ambiguous name answers %+v", e)
	}
}

func TestConformance5Inheritance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []call{
		{"PUT", "/api/v1/attrib/DefaultAttribs/attributes", "production", `{"a": "1", "b": "1"}`, ""},
		{"POST", "/api/v1/attribs", "production", `{"name": "g1", "attributes": {"b": "2", "c": "2"}}`, ""},
		{"POST", "/api/v1/attribs", "production", `{"name": "g2", "attributes": {"c": "3"}}`, ""},
		{"POST", "/api/v1/attribs", "production", `{"name": "other", "attributes": {"z": "0"}}`, ""},
	} {
		want[any](w, 200, c)
	}
	for _, s := range []struct {
		change call
		want   map[string]string
	}{
		{call{"POST", "/api/v1/node/n0/groups", "production", `"g1,g2"`, ""}, map[string]string{"a": "1", "b": "2", "c": "3"}},
		{call{"PATCH", "/api/v1/node/n0/attributes", "production", `{"a": 9}`, ""}, map[string]string{"a": "9", "b": "2", "c": "3"}},
		{call{"PATCH", "/api/v1/node/n0/groups", "production", `["g2", "g1"]`, ""}, map[string]string{"a": "9", "b": "2", "c": "2"}},
		{call{"DELETE", "/api/v1/node/n0/attributes", "production", `"a"`, ""}, map[string]string{"a": "1", "b": "2", "c": "2"}},
		{call{"PATCH", "/api/v1/cluster", "boss", `{"default_group": "other"}`, ""}, map[string]string{"z": "0", "b": "2", "c": "2"}},
	} {
		want[any](w, 200, s.change)
		got := want[map[string]string](w, 200, call{"GET", "/api/v1/node/n0/attributes", "reader", "", ""}).Data
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("after %s %s %s (-want +got):\n%s", s.change.method, s.change.path, s.change.body, diff)
		}
	}
}

func TestConformance6GroupAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"POST", "/api/v1/attribs", "production", `{"name": "g", "attributes": {"a": "1", "b": "2"}}`, ""})
	for _, s := range []struct {
		method, path, body string
		want               map[string]string
	}{
		{"PATCH", "/api/v1/attrib/g/attributes", `{"c": "3"}`, map[string]string{"a": "1", "b": "2", "c": "3"}},
		{"PUT", "/api/v1/attrib/g/attributes", `{"c": "4", "d": "5"}`, map[string]string{"c": "4", "d": "5"}},
		{"DELETE", "/api/v1/attribs/g/attributes", `["c"]`, map[string]string{"d": "5"}},
		{"PATCH", "/api/v1/attrib/g", `{"attributes": {"e": "6"}}`, map[string]string{"e": "6"}},
	} {
		want[any](w, 200, call{s.method, s.path, "production", s.body, ""})
		got := want[map[string]string](w, 200, call{"GET", "/api/v1/attrib/g/attributes", "reader", "", ""}).Data
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("after %s %s (-want +got):\n%s", s.method, s.body, diff)
		}
	}
}

func TestConformance8ReservedAttributesAndPower(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"PATCH", "/api/v1/node/n1/attributes", "production", `{"_boot_style": "roram"}`, ""})
	for user, sees := range map[string]bool{"reader": false, "production": true, "onsite": true, "manager": true} {
		got := want[map[string]string](w, 200, call{"GET", "/api/v1/node/n1/attributes", user, "", ""}).Data
		if _, seen := got["_boot_style"]; seen != sees || got["rack"] != "r1" {
			t.Errorf("%s sees %v", user, got)
		}
	}
	onsite, _ := identity.DefaultRoles().Effective([]identity.Role{identity.RoleOnsiteEngineer})
	if !onsite.Has(identity.NodesPowerControl) {
		t.Error("the onsite engineer cannot switch power")
	}
	want[any](w, 403, call{"PATCH", "/api/v1/node/n1/attributes", "onsite", `{"rack": "r2"}`, ""})
}

func TestConformance9NoAccessBeatsEverythingAndRolesAreInherited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want[any](w, 200, call{"PATCH", "/api/v1/admin/production", "boss", `{"roles": ["role.FullAdmin", "role.NoAccess"]}`, ""})
	want[any](w, 200, call{"GET", "/api/v1/whoami", "production", "", ""})
	for _, path := range []string{"/nodes", "/node/n1/attributes", "/admins", "/admin/production", "/tokens", "/roles", "/cluster", "/attribs"} {
		want[any](w, 403, call{"GET", "/api/v1" + path, "production", "", ""})
	}
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "heir"}`, ""})
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "none", "roles": []}`, ""})
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "text", "roles": ""}`, ""})
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "null", "roles": null}`, ""})
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "patched"}`, ""})
	want[any](w, 200, call{"PATCH", "/api/v1/admin/patched", "manager", `{"roles": []}`, ""})
	want[any](w, 200, call{"POST", "/api/v1/admins", "manager", `{"name": "put"}`, ""})
	want[any](w, 200, call{"PUT", "/api/v1/admin/put", "manager", `{"name": "put"}`, ""})
	for name, roles := range map[string][]any{
		"heir": {"role.Manager"}, "null": {"role.Manager"},
		"none": {"role.AuthUser"}, "text": {"role.AuthUser"}, "patched": {"role.AuthUser"}, "put": {"role.AuthUser"},
	} {
		got := want[object](w, 200, call{"GET", "/api/v1/admin/" + name, "reader", "", ""}).Data["roles"]
		if diff := cmp.Diff(roles, got); diff != "" {
			t.Errorf("roles of %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestConformance18BodyIsJSONWhateverTheTypeSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, contentType := range []string{"application/x-www-form-urlencoded", "application/json", "none", "text/plain; charset=utf-8"} {
		style := []string{"rwram", "roram", "iscsi", "next"}[i]
		got := want[map[string]string](w, 200, call{"PUT", "/api/v1/node/n1/attributes", "production", `{"_boot_style": "` + style + `"}`, contentType})
		if got.Data["_boot_style"] != style {
			t.Errorf("with type %s attributes are %v", contentType, got.Data)
		}
	}
}
