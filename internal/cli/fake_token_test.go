package cli_test

import (
	"fmt"
	"net/http"
	"strings"
)

// tokenRoutes is what the head tells of the tokens that it has, one by one and all at once.
func (h *fakeHead) tokenRoutes(route func(pattern string, f func(r *http.Request, user string, body map[string]any) any)) {
	labels := map[string]map[string]any{}
	idOf := func(text string) string { return "t" + text[strings.LastIndex(text, ".")+1:] }
	find := func(id string) (text string, ok bool) {
		for text := range h.tokens {
			if idOf(text) == id {
				return text, true
			}
		}
		return "", false
	}
	show := func(id string) any {
		text, ok := find(id)
		if !ok {
			return failure{404, "No token found for ID=" + id}
		}
		rec := map[string]any{"jti": id, "user": h.tokens[text], "type": "service", "name": "label", "state": "live", "nodes": "n[1-4]"}
		for k, v := range labels[id] {
			rec[k] = v
		}
		return rec
	}
	route("GET /api/v1/token/{jti}", func(r *http.Request, _ string, _ map[string]any) any { return show(r.PathValue("jti")) })
	route("PATCH /api/v1/token/{jti}", func(r *http.Request, _ string, body map[string]any) any {
		id := r.PathValue("jti")
		if _, ok := find(id); ok {
			labels[id] = body
		}
		return show(id)
	})
	route("POST /api/v1/tokens/revoke", func(_ *http.Request, _ string, body map[string]any) any {
		n := 0
		for text, owner := range h.tokens {
			if body["all"] == true || body["user"] == owner {
				n++
				if body["dry_run"] != true {
					delete(h.tokens, text)
				}
			}
		}
		return map[string]any{"count": n, "ids": []string{}}
	})
	route("POST /api/v1/tokens/inspect", func(_ *http.Request, _ string, body map[string]any) any {
		text := strings.TrimSpace(fmt.Sprint(body["token"]))
		if owner, ok := h.tokens[text]; ok {
			return map[string]any{"what": "a service token of user \"" + owner + "\"", "signed": true, "valid": true, "token": show(idOf(text))}
		}
		return map[string]any{"what": "a text that is no token", "signed": false, "valid": false, "reason": "not a signed token"}
	})
}
