package oidc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Claims names what the provider says in which claim. A dot goes into an object, and * into each of its members.
type Claims struct {
	Username string   // "" is preferred_username
	FullName string   // "" is name
	Email    string   // "" is email
	Projects string   // "" is projects
	Roles    []string // nil is where Keycloak has them
}

func (c Claims) withDefaults() Claims {
	c.Username = cmp.Or(c.Username, "preferred_username")
	c.FullName = cmp.Or(c.FullName, "name")
	c.Email = cmp.Or(c.Email, "email")
	c.Projects = cmp.Or(c.Projects, "projects")
	if c.Roles == nil {
		c.Roles = []string{"realm_access.roles", "resource_access.*.roles"}
	}
	return c
}

// foreign are the roles that a provider's role of the same name means (contract clustercockpit 1.6).
var foreign = []identity.Role{identity.RoleUser, identity.RoleManager, identity.RoleSupport, identity.RoleAdmin}

// arrivalOf makes of the claims who has come.
func (l *Logins) arrivalOf(claims map[string]any) authn.Arrival {
	one := func(path string) string {
		for _, text := range texts(claims, path) {
			return text
		}
		return ""
	}
	a := authn.Arrival{
		Name: one(l.Claims.Username), FullName: one(l.Claims.FullName), Email: one(l.Claims.Email),
		Projects: texts(claims, l.Claims.Projects), Managed: slices.Clone(foreign),
		Into: []identity.AuthSource{identity.AuthOIDC}, Create: l.Create, Update: l.Update,
	}
	for _, r := range l.Roles {
		a.Managed = append(a.Managed, r)
	}
	for _, path := range l.Claims.Roles {
		for _, name := range texts(claims, path) {
			if r, ok := l.role(name); ok && !slices.Contains(a.Roles, r) {
				a.Roles = append(a.Roles, r)
			}
		}
	}
	return a
}

// role returns what a role of the provider is here. One that the site has given a meaning has no other.
func (l *Logins) role(name string) (identity.Role, bool) {
	if r, ok := l.Roles[name]; ok {
		return r, true
	}
	r := identity.Role(name)
	return r, slices.Contains(foreign, r)
}

// maxTexts bounds what is taken from one claim.
const maxTexts = 1000

// texts returns the strings at a path: one, or those of a list.
func texts(claims map[string]any, path string) []string {
	values := []any{claims}
	for step := range strings.SplitSeq(path, ".") {
		var next []any
		for _, v := range values {
			object, _ := v.(map[string]any) // anything else has no members
			for name, member := range object {
				if step == "*" || step == name {
					next = append(next, member)
				}
			}
		}
		values = next
	}
	var found []string
	for _, v := range values {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			if text, ok := item.(string); ok && text != "" && len(found) < maxTexts {
				found = append(found, text)
			}
		}
	}
	slices.Sort(found) // the members of an object come in any order
	return found
}
