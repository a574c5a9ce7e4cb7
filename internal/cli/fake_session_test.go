package cli_test

import (
	"maps"
	"net/http"
	"slices"
)

// sessionRoutes is a head with browser sessions: two of root's, one of them used by ann to act as him, and one of ann's.
func sessionRoutes(route func(pattern string, f func(r *http.Request, user string, body map[string]any) any)) {
	open := map[string]map[string]any{
		"5f0c1d22a7b39e84": {"id": "5f0c1d22a7b39e84", "user": "root", "method": "password", "addr": "192.0.2.7", "current": false},
		"77aa1d22a7b39e84": {"id": "77aa1d22a7b39e84", "user": "root", "actor": "ann", "method": "oidc", "addr": "192.0.2.8", "current": false},
		"99bb1d22a7b39e84": {"id": "99bb1d22a7b39e84", "user": "ann", "method": "password", "addr": "192.0.2.9", "current": false},
	}
	of := func(r *http.Request, user string) (ids []string, known bool) {
		if q := r.URL.Query().Get("user"); q != "" {
			user = q
		}
		for _, id := range slices.Sorted(maps.Keys(open)) {
			if open[id]["user"] == user {
				ids = append(ids, id)
			}
		}
		return ids, user == "root" || user == "ann"
	}
	route("GET /api/v1/sessions", func(r *http.Request, user string, _ map[string]any) any {
		ids, known := of(r, user)
		if !known {
			return failure{404, "No admin found for ID=" + r.URL.Query().Get("user")}
		}
		list := []any{}
		for _, id := range ids {
			list = append(list, open[id])
		}
		return list
	})
	route("DELETE /api/v1/sessions", func(r *http.Request, user string, _ map[string]any) any {
		ids, _ := of(r, user)
		for _, id := range ids {
			delete(open, id)
		}
		return len(ids)
	})
	route("DELETE /api/v1/session/{id}", func(r *http.Request, _ string, _ map[string]any) any {
		id := r.PathValue("id")
		if open[id] == nil {
			return failure{404, "No session found for ID=" + id}
		}
		delete(open, id)
		return id
	})
}
