package identity_test

import (
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func TestClusterOutOfReachLooksLikeOneThatIsNotThere(t *testing.T) {
	t.Parallel()
	c := identity.Caller{Clusters: []string{"alpha"}}
	if err := c.RequireCluster("alpha"); err != nil {
		t.Error(err)
	}
	if err := (identity.Caller{}).RequireCluster("beta"); err != nil {
		t.Error(err)
	}
	if err := c.RequireCluster("beta"); !fault.Is(err, fault.Denied) || fault.Message(err) != `your token does not reach the cluster "beta"` {
		t.Error(err)
	}
}

func TestPerClusterLeavesNothingThatReachesAllClusters(t *testing.T) {
	t.Parallel()
	for _, p := range identity.PerCluster().Minus(identity.ReadOnly()).Minus(identity.PerNode()).List() {
		switch p { //nolint:exhaustive // those that change what is in a cluster
		case identity.JobsWrite, identity.MetricsWrite, identity.MetricsAdmin, identity.NodeStatesWrite:
		default:
			t.Errorf("%s changes more than a cluster", p)
		}
	}
	if over := identity.PerNode().Minus(identity.PerCluster()); over != (identity.Set{}) {
		t.Errorf("%v are about single nodes", over.Names())
	}
}

// TestNarrowedCredentialOpensNoWayToTheWholeAccount tries the ways in which one could set up another login.
func TestNarrowedCredentialOpensNoWayToTheWholeAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleFullAdmin)
	c := w.as(t, "boss")
	c.Narrowed = true
	key, password, name := []string{"ssh-ed25519 AAAA x"}, "another", "The Boss"
	for what, up := range map[string]identity.Update{"keys": {Keys: &key}, "password": {Password: &password}} {
		if _, err := w.Update(t.Context(), c, "boss", up); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.Update(t.Context(), c, "boss", identity.Update{FullName: &name}); err != nil {
		t.Errorf("name: %v", err)
	}
	if _, _, err := w.Manages(t.Context(), c, "boss"); !fault.Is(err, fault.Denied) {
		t.Errorf("second factor: %v", err)
	}
}
