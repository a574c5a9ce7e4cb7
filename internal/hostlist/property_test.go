package hostlist_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// hostNames draws names that are likely to be alike: few letters, short numbers, sometimes padded.
func hostNames() *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.StringMatching(`(r[0-2])?[nm][0-9]{1,3}(-ib0)?|n[0-1][0-1][0-9]|a0?[1-9]b0?[1-3]c[1-2]d1e[1-2]`), 0, 60)
}

func TestFoldThenParseGivesTheSameHosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hosts := hostNames().Draw(t, "hosts")
		folded := hostlist.Fold(hosts)
		l, err := hostlist.Parse(folded)
		if err != nil {
			t.Fatalf("%q: %v", folded, err)
		}
		want := slices.Clone(hosts)
		slices.SortFunc(want, hostlist.Compare)
		want = slices.Compact(want)
		got := l.Hosts()
		slices.SortFunc(got, hostlist.Compare)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", folded, diff)
		}
		if again := hostlist.Fold(l.Hosts()); again != folded {
			t.Fatalf("folded again: %q, before %q", again, folded)
		}
	})
}

func TestContainsAgreesWithHosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expr := strings.Join(rapid.SliceOfN(rapid.StringMatching(`\^?n(\[[1-3](-[4-9])?(,0[1-9])?\]){1,2}0?`), 1, 4).Draw(t, "items"), ",")
		l, err := hostlist.Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		hosts := l.Hosts()
		probe := rapid.StringMatching(`n[0-9]{1,4}`).Draw(t, "probe")
		if got, want := l.Contains(probe), slices.Contains(hosts, probe); got != want {
			t.Fatalf("%q contains %s: %v, but Hosts says %v", expr, probe, got, want)
		}
		if l.Len() != len(hosts) {
			t.Fatalf("%q: Len is %d, Hosts has %d", expr, l.Len(), len(hosts))
		}
	})
}

func TestCompareIsATotalOrder(t *testing.T) {
	name := rapid.StringMatching(`[a0-9]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		if hostlist.Compare(a, b) != -hostlist.Compare(b, a) {
			t.Fatalf("%q and %q: not antisymmetric", a, b)
		}
		if (hostlist.Compare(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q: equal by one measure only", a, b)
		}
		if hostlist.Compare(a, b) <= 0 && hostlist.Compare(b, c) <= 0 && hostlist.Compare(a, c) > 0 {
			t.Fatalf("%q, %q, %q: not transitive", a, b, c)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"n[001-128]", "n[0-3,7-9],^n2", "r[1-4]n[01-36]-ib", "n[1-11][1-11]", "n[9-", "", ",", "^n", "n[1-999999999]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		l, err := hostlist.Parse(expr)
		if err != nil {
			return
		}
		hosts := l.Hosts()
		if len(hosts) != l.Len() || len(hosts) > hostlist.MaxHosts {
			t.Fatalf("%d hosts, Len %d", len(hosts), l.Len())
		}
		if len(hosts) > 1000 { // the rest takes long for large lists and shows nothing new
			return
		}
		for _, h := range hosts {
			if !l.Contains(h) {
				t.Fatalf("does not contain its host %q", h)
			}
		}
		back, err := hostlist.Parse(hostlist.Fold(hosts))
		if err != nil {
			t.Fatal(err)
		}
		if back.Len() != len(hosts) {
			t.Fatalf("folded to %q: %d hosts instead of %d", back, back.Len(), len(hosts))
		}
	})
}

func benchHosts(b *testing.B) []string {
	b.Helper()
	l, err := hostlist.Parse("f[0101-0188,0201-0288,0301-0388,0401-0488,0501-0588,0601-0688,0701-0788,0801-0888,0901-0988,1001-1088,1101-1156,1201-1256]")
	if err != nil {
		b.Fatal(err)
	}
	return l.Hosts()
}

func BenchmarkParse(b *testing.B) {
	folded := hostlist.Fold(benchHosts(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hostlist.Parse(folded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	hosts := benchHosts(b)
	b.ReportAllocs()
	for b.Loop() {
		hostlist.Fold(hosts)
	}
}

// BenchmarkContains compares the look-up in the list with one in a set of all hosts, the fastest there can be.
func BenchmarkContains(b *testing.B) {
	hosts := benchHosts(b)
	l, err := hostlist.Parse(hostlist.Fold(hosts))
	if err != nil {
		b.Fatal(err)
	}
	set := map[string]bool{}
	for _, h := range hosts {
		set[h] = true
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !l.Contains("f1256") {
				b.Fatal("not found")
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			if !set["f1256"] {
				b.Fatal("not found")
			}
		}
	})
}
