package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func someSet() *rapid.Generator[identity.Set] {
	return rapid.Custom(func(t *rapid.T) identity.Set {
		return identity.SetOf(rapid.SliceOf(rapid.SampledFrom(identity.All().List())).Draw(t, "permissions")...)
	})
}

func TestSetsObeyTheirLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := someSet().Draw(t, "a"), someSet().Draw(t, "b")
		switch {
		case a.Union(b) != b.Union(a):
			t.Fatal("union depends on the order")
		case a.Intersect(b).Union(a.Minus(b)) != a:
			t.Fatal("what is common and what is not do not make the whole")
		case a.Intersect(b).Len()+a.Union(b).Len() != a.Len()+b.Len():
			t.Fatal("sizes do not add up")
		case a.SubsetOf(b) != (a.Union(b) == b):
			t.Fatal("subset disagrees with union")
		case identity.SetOf(a.List()...) != a:
			t.Fatal("the list is not the set")
		case !a.SubsetOf(identity.All()):
			t.Fatal("something is missing from All")
		}
		back, err := identity.ParsePermissions(a.Names()...)
		if err != nil || back != a {
			t.Fatalf("names do not lead back: %v", err)
		}
		for _, p := range identity.All().List() {
			if want := slices.Contains(a.List(), p); a.Has(p) != want {
				t.Fatalf("Has(%s) is %v", p, !want)
			}
		}
	})
}

// TestCatalogueHasClusterWaresNames compares with the list of contract clusterware 2.10.
func TestCatalogueHasClusterWaresNames(t *testing.T) {
	t.Parallel()
	const contract = `ActionsRead ActionsWrite AdminsRead AdminsWrite AdminsWriteSelf UseAiAgent AttribGroupsRead
		AttribGroupsReadReserv AttribGroupsWrite AttribGroupsWriteReserv BootConfigsRead BootConfigsWrite CertsRead CertsWrite
		ClusterRead ClusterWrite DistrosRead DistrosWrite DynGroupsRead DynGroupsWrite GitReposRead GitReposWrite HeadsRead
		HeadsWrite HealthChecksRead HealthChecksWrite HostnamesRead HostnamesWrite ImagesRead ImagesWrite IbnetsRead IbnetsWrite
		MultitenancyRead MultitenancyWrite NamingPoolsRead NamingPoolsWrite NetworksRead NetworksWrite NodesRead NodesReadAttribs
		NodesReadReserv NodesWriteGroups NodesWrite NodesWriteAttribs NodesWriteReserv NodesPowerControl NodesExecCommand
		ReposRead ReposWrite StateMapsRead StateMapsWrite`
	if _, err := identity.ParsePermissions(strings.Fields(contract)...); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "none", "nodesread", "NodesRead "} {
		if _, err := identity.ParsePermissions(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReadingPermissionsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, p := range identity.All().List() {
		name := p.String()
		reads := strings.Contains(name, "Read")
		writes := strings.Contains(name, "Write") || strings.Contains(name, "Control") || strings.Contains(name, "Exec") ||
			strings.HasSuffix(name, "Admin") || p == identity.UseAiAgent
		if reads == writes {
			t.Errorf("the name %s does not say whether it reads or writes", name)
		}
		if identity.ReadOnly().Has(p) != reads {
			t.Errorf("ReadOnly has %s: %v", p, !reads)
		}
	}
}

func ExampleSet_Names() {
	s := identity.SetOf(identity.NodesWrite, identity.ActionsRead)
	fmt.Println(s.Names(), s.Has(identity.NodesRead))
	// Output: [ActionsRead NodesWrite] false
}

func TestNamesAreSorted(t *testing.T) {
	t.Parallel()
	names := identity.All().Names()
	sorted := slices.Sorted(slices.Values(names))
	if diff := cmp.Diff(sorted, names); diff != "" {
		t.Error(diff)
	}
}
