package client_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	const key = `{"kid": "k-1", "state": "active", "public": "AAAA", "pem": "PEM", "jwk": "{}", "origin": "environment"}`
	h := newHead(t, map[string]reply{
		"GET /api/v1/keys":         {body: `{"success": true, "data": [` + key + `]}`},
		"GET /api/v1/key/k-1":      {body: `{"success": true, "data": ` + key + `}`},
		"POST /api/v1/keys/rotate": {body: `{"success": true, "data": ` + key + `}`},
		"POST /api/v1/keys/import": {body: `{"success": true, "data": ` + key + `}`},
		"DELETE /api/v1/key/k-1":   {body: `{"success": true, "data": 7}`},
		"DELETE /api/v1/key/k-2":   {status: 409, body: `{"success": false, "reason": "the active key cannot be removed"}`},
	})
	c, err := client.New(client.Config{BaseURL: h.URL + "/api/v1", Credential: client.StaticToken("t")})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ListKeys(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != "k-1" || list[0].Fields["origin"] != "environment" {
		t.Errorf("list: %+v, %v", list, err)
	}
	for what, get := range map[string]func() (client.Key, error){
		"get":    func() (client.Key, error) { return c.GetKey(t.Context(), "k-1") },
		"rotate": func() (client.Key, error) { return c.RotateKeys(t.Context()) },
		"import": func() (client.Key, error) { return c.ImportKey(t.Context(), "AAAA", "retired") },
	} {
		if k, err := get(); err != nil || k.ID != "k-1" || k.Public != "AAAA" || k.PEM != "PEM" || k.JWK != "{}" {
			t.Errorf("%s: %+v, %v", what, k, err)
		}
	}
	for _, dryRun := range []bool{true, false} {
		if n, err := c.RemoveKey(t.Context(), "k-1", dryRun); n != 7 || err != nil {
			t.Errorf("remove: %d, %v", n, err)
		}
	}
	if _, err := c.RemoveKey(t.Context(), "k-2", false); !errors.Is(err, client.ErrConflict) {
		t.Errorf("remove the active key: %v", err)
	}
	for _, asked := range []string{
		`POST /api/v1/keys/import [Bearer t] {"as":"retired","key":"AAAA"}`,
		"DELETE /api/v1/key/k-1?dry_run=true [Bearer t] ", "DELETE /api/v1/key/k-1?confirm=true [Bearer t] ",
	} {
		if !slices.Contains(h.asked, asked) {
			t.Errorf("%q was not asked in %q", asked, h.asked)
		}
	}
}
