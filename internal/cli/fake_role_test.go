package cli_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// roleRoutes serves roles as the head does, without its rules.
func (h *fakeHead) roleRoutes(route func(string, func(*http.Request, string, map[string]any) any)) {
	onRole := func(pattern string, f func(name string, r, body map[string]any) any) {
		route(pattern, func(r *http.Request, _ string, body map[string]any) any {
			if role := h.roles[r.PathValue("id")]; role != nil {
				return f(r.PathValue("id"), role, body)
			}
			return failure{404, "No role found for ID=" + r.PathValue("id")}
		})
	}
	route("GET /api/v1/roles", func(*http.Request, string, map[string]any) any { return byUID(h.roles) })
	route("POST /api/v1/roles", func(_ *http.Request, _ string, body map[string]any) any {
		name, _ := body["name"].(string)
		if h.roles[name] != nil {
			return failure{409, "there is a role " + name + " already"}
		}
		body["uid"], body["system"] = name, false
		inSeconds(body)
		h.roles[name] = body
		return name
	})
	onRole("GET /api/v1/role/{id}", func(_ string, r, _ map[string]any) any { return r })
	onRole("PATCH /api/v1/role/{id}", func(_ string, r, body map[string]any) any { inSeconds(body); maps.Copy(r, body); return r })
	onRole("DELETE /api/v1/role/{id}", func(name string, _, _ map[string]any) any {
		for _, a := range h.admins {
			if slices.Contains(rolesOf(a), name) {
				return failure{409, fmt.Sprintf("1 user has the role %s: %s; take it from them first", name, a["name"])}
			}
		}
		delete(h.roles, name)
		return true
	})
}

// inSeconds makes a number of the lifetime, as the head does.
func inSeconds(body map[string]any) {
	if text, ok := body["max_lifetime"].(string); ok {
		d, _ := token.ParseLifetime(text) // 0 is no limit
		body["max_lifetime"] = int64(d.Seconds())
	}
}

// changeRoles does what add_roles and remove_roles ask for, and takes them out of the body.
func changeRoles(a, body map[string]any) {
	roles := append(rolesOf(a), texts(body["add_roles"])...)
	gone := texts(body["remove_roles"])
	a["roles"] = slices.DeleteFunc(roles, func(r string) bool { return slices.Contains(gone, r) })
	delete(body, "add_roles")
	delete(body, "remove_roles")
}

func rolesOf(a map[string]any) []string { return texts(a["roles"]) }

// texts returns a list in either form that it has in the fake's memory.
func texts(v any) (list []string) {
	switch v := v.(type) {
	case []string:
		list = slices.Clone(v)
	case []any:
		for _, e := range v {
			list = append(list, fmt.Sprint(e))
		}
	}
	return list
}
