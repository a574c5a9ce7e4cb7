package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func nodes(tb testing.TB, expr string) identity.NodeSet {
	tb.Helper()
	s, err := identity.ParseNodeSet(expr)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestNodeSetHasWhatItsExpressionNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, in, out string }{
		{"n1", "n1", "n2 n11 N1 n01 xn1"},
		{"n[1-3]", "n1 n2 n3", "n0 n4 n9 n13 n02"},
		{"n[01-03],gpu7", "n01 n02 n03 gpu7", "n1 n04 gpu07"},
		{" n1 , n2 ", "n1 n2", "n"},
		{"login*", "login login1 login-a.b", "logi nlogin1"},
		{"n?", "n1 na", "n n12"},
		{"n*,login*,*7", "n1 login 7 x7", "a"},
		{"r[1-2]n*", "r1n r1n7 r2n8", "r3n1 r1m1"},
		{"n[1-8],^n3", "n1 n8", "n3 n9"},
		{"n*,^n3", "n1 n33", "n3"}, // a name that is taken away is so from wildcards as well
		{"n*,^n?", "n10 nxx", "n1 n3"},
		{"^n3,n*", "n1", "n3"},
		{"n[1-9],^n[2-4],n3", "n1 n5", "n2 n3 n4"}, // what is taken away stays away
		{"r[1-2]n[1-2]", "r1n1 r2n2", "r1n3 r3n1"},
	} {
		s := nodes(t, c.expr)
		for _, name := range strings.Fields(c.in) {
			if !s.Contains(name) {
				t.Errorf("%q does not have %s", c.expr, name)
			}
		}
		for _, name := range append(strings.Fields(c.out), "") {
			if s.Contains(name) {
				t.Errorf("%q has %q", c.expr, name)
			}
		}
		if s.String() != strings.TrimSpace(c.expr) {
			t.Errorf("%q is written %q", c.expr, s)
		}
	}
}

func TestNodeSetsThatSayNothingSensibleAreRefused(t *testing.T) {
	t.Parallel()
	for expr, text := range map[string]string{
		"":                   "names none",
		"   ":                "names none",
		"^n3":                "names none",
		"n[1-":               `"n[1-" is not valid`,
		"n1,,n2":             "expected a host name",
		"n1]":                "is not valid",
		`n\1`:                "is not valid",
		"n[1-10000000]":      "more than the 131072",
		"n[1-2000]*":         "more than 1000 names with wildcards",
		"n[1-3],^m[1-2000]*": "more than 1000 names with wildcards",
		"n 1":                "is not valid",
	} {
		_, err := identity.ParseNodeSet(expr)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), text) {
			t.Errorf("%q: %v, want %q", expr, err, text)
		}
	}
}

// FuzzParseNodeSet states that every expression that is read is also read when it is written again, and means the same.
func FuzzParseNodeSet(f *testing.F) {
	for _, s := range []string{"n[1-16],login*", "n*,^n3", "^a,b", "r[1-2]n[01-12]-ib,?", "n[1,3,5-7]", "", ",", "^", "[1]", "n[1-2]x[3-4]*"} {
		f.Add(s, "n3")
	}
	f.Fuzz(func(t *testing.T, expr, name string) {
		s, err := identity.ParseNodeSet(expr)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", expr, err)
			}
			return
		}
		again, err := identity.ParseNodeSet(s.String())
		if err != nil {
			t.Fatalf("%q is written %q, which cannot be read: %v", expr, s, err)
		}
		if s.Contains(name) != again.Contains(name) {
			t.Fatalf("%q and %q disagree on %q", expr, s, name)
		}
		less, err := identity.ParseNodeSet(expr + ",^n3")
		if err == nil && less.Contains("n3") {
			t.Fatalf("%q has n3", less)
		}
		if err == nil && name != "n3" && less.Contains(name) != s.Contains(name) {
			t.Fatalf("taking n3 out of %q changes %q", expr, name)
		}
	})
}

func ExampleParseNodeSet() {
	s, err := identity.ParseNodeSet("n[1-16],login*,^n3")
	fmt.Println(s.Contains("n16"), s.Contains("login2"), s.Contains("n3"), s.Contains("n17"), err)
	// Output: true true false false <nil>
}
