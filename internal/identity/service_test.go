package identity_test

import (
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func TestUsersAreFoundByNameAndID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "alice", identity.RoleUser)
	w.add(t, "reader", identity.RoleAuthUser)
	c := w.as(t, "reader")
	for _, name := range []string{"alice", string(u.ID), string(u.ID[:5]), strings.ToUpper(string(u.ID[:9]))} {
		if got, err := w.Get(t.Context(), c, name); err != nil || got.ID != u.ID {
			t.Errorf("%s: %v, %v", name, got.Name, err)
		}
	}
	for _, name := range []string{"", "Alice", "ali", string(u.ID[:4]), string(u.ID) + "0", "' OR 1=1 --"} {
		_, err := w.Get(t.Context(), c, name)
		fails(t, name, err, fault.NotFound)
	}
}

func TestGettingOthersNeedsPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(t, "alice", identity.RoleUser)
	w.add(t, "bob", identity.RoleUser)
	c := w.as(t, "alice")
	for _, name := range []string{"alice", string(u.ID)} {
		if _, err := w.Get(t.Context(), c, name); err != nil {
			t.Errorf("self as %s: %v", name, err)
		}
	}
	for _, name := range []string{"bob", "nobody"} { // no telling which of them exists
		_, err := w.Get(t.Context(), c, name)
		fails(t, name, err, fault.Denied)
	}
	_, err := w.List(t.Context(), c)
	fails(t, "list", err, fault.Denied)
}

func TestResolveSaysWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "chief", identity.RoleFullAdmin)
	u := w.add(t, "p", identity.RoleProductionEngineer)
	st, err := w.ResolveID(t.Context(), u.ID)
	if err != nil || !st.Permissions.Has(identity.NodesWriteReserv) || st.HandsOn != st.Permissions {
		t.Errorf("%v, %v", st.Permissions.Names(), err)
	}
	if _, err := w.Update(t.Context(), root, "p", identity.Update{Roles: &roleList{identity.RoleAuthUser}}); err != nil {
		t.Fatal(err)
	}
	if st, err = w.Resolve(t.Context(), "p"); err != nil || st.Permissions.Has(identity.NodesWriteReserv) {
		t.Errorf("demoted: %v, %v", st.Permissions.Names(), err)
	}
	if _, err := w.Update(t.Context(), root, "p", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Resolve(t.Context(), "p")
	fails(t, "disabled", err, fault.Unauthenticated)
	if err := w.Delete(t.Context(), root, "p"); err != nil {
		t.Fatal(err)
	}
	_, err = w.ResolveID(t.Context(), u.ID)
	fails(t, "deleted", err, fault.NotFound)
	_, err = w.Resolve(t.Context(), string(u.ID[:8]))
	fails(t, "authenticators take whole names only", err, fault.NotFound)
}
