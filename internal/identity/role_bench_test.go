package identity_test

import (
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// BenchmarkRights measures what every request pays to know what its user may do: roles without limits, which most sites
// have, against one and against many limited roles.
func BenchmarkRights(b *testing.B) {
	w := newWorld(b)
	limited := identity.NewRole{Permissions: identity.PerNode(), Nodes: "n[0001-4096],login*,^n0007"}
	var many roleList
	for _, name := range []identity.Role{"role.A", "role.B", "role.C", "role.D"} {
		limited.Role = name
		w.role(b, limited)
		many = append(many, name)
	}
	for _, c := range []struct {
		name  string
		roles roleList
	}{{"without limits", roleList{identity.RoleAdmin, identity.RoleProductionEngineer}}, {"one limit", many[:1]}, {"four limits", many}} {
		b.Run(c.name, func(b *testing.B) {
			table := w.Roles()
			b.ReportAllocs()
			for b.Loop() {
				has, _ := table.Effective(c.roles)
				caller := identity.Caller{Permissions: has, Limits: table.Limits(c.roles)}
				if table.MaxLifetime(c.roles) != 0 || !caller.CanOn(identity.NodesRead, "n2048") {
					b.Fatal("not what was made")
				}
			}
		})
	}
}
