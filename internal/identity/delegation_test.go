package identity_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// someone draws a caller whose roles, narrowing and way of coming in are whatever they can be.
func someone(table *identity.Roles) *rapid.Generator[identity.Caller] {
	return rapid.Custom(func(t *rapid.T) identity.Caller {
		c := identity.Caller{User: identity.User{ID: "1", Name: "actor", Roles: someRoles().Draw(t, "roles")}}
		c.Permissions, c.HandsOn = table.Effective(c.User.Roles)
		c.Via = rapid.SampledFrom([]identity.Via{identity.ViaToken, identity.ViaSession, identity.ViaSocket}).Draw(t, "via")
		if rapid.Bool().Draw(t, "narrowed") {
			c.Permissions = c.Permissions.Intersect(someSet().Draw(t, "to").Union(identity.SetOf(identity.AdminsWrite)))
			c.HandsOn = c.Permissions
		}
		return c
	})
}

func TestActingAsOthersNeverClimbs(t *testing.T) {
	t.Parallel()
	s := identity.New(identity.Config{Roles: identity.DefaultRoles()})
	rapid.Check(t, func(t *rapid.T) {
		actor := someone(s.Roles()).Draw(t, "actor")
		target := identity.User{ID: "2", Name: "target", Roles: someRoles().Draw(t, "target")}
		has, _ := s.Roles().Effective(target.Roles)
		narrowed := has.Intersect(someSet().Draw(t, "narrowed").Union(someSet().Draw(t, "more")))
		if rapid.Bool().Draw(t, "whole") {
			narrowed = has
		}
		err := s.MayActAs(t.Context(), actor, target, narrowed)
		allowed := actor.Can(identity.AdminsWrite) && narrowed.SubsetOf(actor.HandsOn) && narrowed != actor.HandsOn
		if allowed != (err == nil) {
			t.Fatalf("allowed %v, got %v", allowed, err)
		}
		if err != nil && !fault.Is(err, fault.Denied) {
			t.Fatalf("got kind %v", fault.KindOf(err))
		}
		// Whatever else holds, these never may.
		disabled, same := target, target
		disabled.Disabled = true
		same.ID = actor.User.ID
		chained := actor
		chained.Actor = &identity.Actor{Name: "behind"}
		if s.MayActAs(t.Context(), actor, disabled, narrowed) == nil || s.MayActAs(t.Context(), actor, same, narrowed) == nil ||
			s.MayActAs(t.Context(), chained, target, narrowed) == nil {
			t.Fatal("acts as a disabled user, as himself, or through an impersonation")
		}
		if over := identity.All().Minus(has); over != (identity.Set{}) && s.MayActAs(t.Context(), actor, target, identity.All()) == nil {
			t.Fatal("the target would get rights that he does not have")
		}
	})
}

// TestChainsOfCreationNeverClimb lets everybody who can create users, who create users, and so on: nobody at the end may
// do what the first could not hand on.
func TestChainsOfCreationNeverClimb(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, made := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		table := w.Roles()
		first := someone(table).Draw(t, "first")
		first.User.ID = "" // he has no account that could have changed
		c := first
		for range 3 {
			n++
			name := "u" + string(rune('a'+n%26)) + rapid.StringMatching(`[a-z0-9]{12}`).Draw(t, "name")
			u, err := w.Create(t.Context(), c, identity.NewUser{
				Name: name, Roles: append(roleList{}, someRoles().Draw(t, "roles")...), Password: "x", Source: identity.AuthLDAP,
			})
			if err != nil {
				continue
			}
			made++
			next := identity.Caller{User: u}
			next.Permissions, next.HandsOn = table.Effective(u.Roles)
			if over := next.HandsOn.Minus(first.HandsOn); over != (identity.Set{}) {
				t.Fatalf("%v made, in the end, %v, who may hand on %v", first.User.Roles, u.Roles, over.Names())
			}
			c = next
		}
	})
	if made == 0 {
		t.Error("nobody could make anybody")
	}
}

func TestWalkthroughActors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{
		"chief": identity.RoleFullAdmin, "chief2": identity.RoleFullAdmin, "boss": identity.RoleWareManager,
		"Manager": identity.RoleWareManager, "ProdEng": identity.RoleProductionEngineer, "script": identity.RoleAPI,
		"admin": identity.RoleAdmin, "reader": identity.RoleAuthUser,
	} {
		w.add(t, name, role)
	}
	for _, c := range []struct {
		actor, target string
		ok            bool
	}{
		{"chief", "Manager", true},
		{"chief", "ProdEng", true},
		{"chief", "script", true},
		{"chief", "admin", true},
		{"chief", "chief2", false}, // a peer
		{"chief", "chief", false},  // himself
		{"boss", "Manager", true},
		{"boss", "ProdEng", true},
		{"boss", "reader", true},
		{"boss", "chief", false},
		{"boss", "script", false},
		{"admin", "script", true},
		{"admin", "ProdEng", false},
		{"admin", "chief", false},
		{"ProdEng", "reader", false},
		{"reader", "ProdEng", false},
	} {
		actor, target := w.as(t, c.actor), w.as(t, c.target)
		err := w.MayActAs(t.Context(), actor, target.User, target.Permissions)
		if c.ok != (err == nil) {
			t.Errorf("%s acts as %s: %v", c.actor, c.target, err)
		}
	}
	chief := w.as(t, "chief")
	if err := w.MayActAs(t.Context(), root, chief.User, chief.Permissions); err != nil {
		t.Errorf("the command line makes a token for a full administrator: %v", err)
	}
}
