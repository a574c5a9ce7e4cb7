package ware_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// TestWalkthroughOfTheTokensPage is the curl part of contract clusterware 1, once begun by a FullAdmin and once by a
// Manager. Bodies go out with the content type of a form, as curl --data sends them.
func TestWalkthroughOfTheTokensPage(t *testing.T) {
	t.Parallel()
	for _, beginner := range []string{"boss", "manager"} {
		t.Run(beginner, func(t *testing.T) {
			t.Parallel()
			walk(newWorld(t), beginner)
		})
	}
}

func walk(w *world, beginner string) {
	t := w.t
	t.Helper()
	files := map[string]string{} // what the token files hold
	for name, role := range map[string]string{"Manager": "role.Manager", "ProdEng": "role.ProductionEngineer"} {
		want[string](w, 200, call{"POST", "/api/v1/admins", beginner, `{"name": "` + name + `", "roles": "` + role + `"}`, ""})
		minted := want[object](w, 200, call{"POST", "/api/v1/admin/" + name + "/token", beginner, `{"lifetime": "1d"}`, ""})
		if minted.Data["expires"] != float64(w.clock.Now().Add(24*time.Hour).Unix()) || minted.Data["issued_by"] != beginner {
			t.Errorf("token object is %v", minted.Data)
		}
		files[name], _ = minted.Data["access_token"].(string)
	}
	manager, prodEng := "token "+files["Manager"], "token "+files["ProdEng"]

	who := want[object](w, 200, call{"GET", "/api/v1/whoami", manager, "", ""}).Data
	credential, _ := who["token"].(object)
	if who["name"] != "Manager" || credential["impersonated_by"] != beginner || credential["actor"] != beginner || credential["expires_in"] != 86400.0 {
		t.Errorf("the manager is %v", who)
	}
	before := want[map[string]string](w, 200, call{"GET", "/api/v1/node/n1/attributes", manager, "", ""}).Data
	if before["_boot_config"] != "DefaultBoot" || before["rack"] != "r1" {
		t.Errorf("attributes of n1 are %v", before)
	}
	refused := want[any](w, 403, call{"PUT", "/api/v1/node/n1/attributes", manager, `{"_boot_config": "GPUBoot"}`, ""})
	if refused.Reason != "permission NodesWriteAttribs is required" {
		t.Errorf("reason is %q", refused.Reason)
	}

	if who := want[object](w, 200, call{"GET", "/api/v1/whoami", prodEng, "", ""}).Data; who["name"] != "ProdEng" {
		t.Errorf("the production engineer is %v", who)
	}
	unchanged := want[map[string]string](w, 200, call{"GET", "/api/v1/node/n1/attributes", prodEng, "", ""}).Data
	if !maps.Equal(unchanged, before) {
		t.Errorf("the refused change left %v", unchanged)
	}
	put := want[map[string]string](w, 200, call{"PUT", "/api/v1/node/n1/attributes", prodEng, `{"_boot_style": "rwram"}`, ""})
	if !slices.Equal(put.Removed, []string{"rack"}) {
		t.Errorf("removed are %q", put.Removed)
	}
	after := want[map[string]string](w, 200, call{"GET", "/api/v1/node/n1/attributes", prodEng, "", ""}).Data
	if !maps.Equal(after, map[string]string{"_boot_style": "rwram", "_boot_config": "DefaultBoot"}) {
		t.Errorf("attributes of n1 are %v", after)
	}
	records, err := w.store.Audit().List(t.Context(), audit.Filter{Action: "node.attributes"})
	if err != nil || len(records) != 1 || records[0].Actor != beginner || records[0].Subject != "ProdEng" || records[0].Addr == "" {
		t.Errorf("the trail says %+v, %v", records, err)
	}
}

// TestRefusedImpersonationMintsNothing holds the guards around the walkthrough: no chains, and no way up.
func TestRefusedImpersonationMintsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	as := want[object](w, 200, call{"POST", "/api/v1/admin/manager/token", "boss", "", ""})
	raw, _ := as.Data["access_token"].(string)
	for _, c := range []call{
		{"POST", "/api/v1/admin/production/token", "token " + raw, "", ""},
		{"POST", "/api/v1/admin/manager/token", "token " + raw, "", ""},
		{"POST", "/api/v1/admins", "token " + raw, `{"name": "Friend", "roles": []}`, ""},
		{"POST", "/api/v1/admin/boss/token", "manager", "", ""},
		{"POST", "/api/v1/admin/locked/token", "reader", "", ""},
	} {
		want[any](w, http.StatusForbidden, c)
	}
}
