package cli_test

import (
	"net/http"
	"slices"
)

// keyRoutes is a head with keys in all three states, of which the retired one has signed two live tokens.
func keyRoutes(route func(pattern string, f func(r *http.Request, user string, body map[string]any) any)) {
	key := func(id, state string) map[string]any {
		return map[string]any{
			"kid": id, "state": state, "origin": "generated", "created": 1722624103.5, "activated": nil, "retired": nil, "can_sign": state != "retired",
			"public": "public-" + id + "=", "pem": "-----BEGIN PUBLIC KEY-----\n" + id + "\n-----END PUBLIC KEY-----\n", "jwk": `{"kid":"` + id + `"}`,
		}
	}
	keys := []map[string]any{key("aaa", "active"), key("rrr", "retired"), key("nnn", "next")}
	at := func(id string) int {
		return slices.IndexFunc(keys, func(k map[string]any) bool { return k["kid"] == id })
	}
	route("GET /api/v1/keys", func(*http.Request, string, map[string]any) any { return keys })
	route("GET /api/v1/key/{kid}", func(r *http.Request, _ string, _ map[string]any) any {
		if i := at(r.PathValue("kid")); i >= 0 {
			return keys[i]
		}
		return failure{404, `there is no signing key "` + r.PathValue("kid") + `"`}
	})
	route("POST /api/v1/keys/rotate", func(*http.Request, string, map[string]any) any {
		keys = []map[string]any{key("nnn", "active"), key("aaa", "retired"), key("rrr", "retired"), key("mmm", "next")}
		return keys[0]
	})
	route("POST /api/v1/keys/import", func(_ *http.Request, _ string, body map[string]any) any {
		state, _ := body["as"].(string)
		keys = append(keys, key("iii", state))
		return keys[len(keys)-1]
	})
	route("DELETE /api/v1/key/{kid}", func(r *http.Request, _ string, _ map[string]any) any {
		i := at(r.PathValue("kid"))
		switch q := r.URL.Query(); {
		case i < 0:
			return failure{404, "there is no signing key"}
		case keys[i]["state"] == "active":
			return failure{409, "the active key cannot be removed: rotate the keys first"}
		case q.Get("dry_run") == "" && q.Get("confirm") == "":
			return failure{400, "confirm that"}
		case q.Get("confirm") != "":
			keys = slices.Delete(keys, i, i+1)
		}
		return 2
	})
}
