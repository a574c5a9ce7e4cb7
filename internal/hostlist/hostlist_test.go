package hostlist_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

func TestParseExpandsInTheOrderWritten(t *testing.T) {
	tests := []struct {
		expr string
		want string // blank-separated
	}{
		{"", ""},
		{"  ", ""},
		{"login", "login"},
		{"n1,n0", "n1 n0"},
		{" n1 , n2\n", "n1 n2"},
		{"n[0-3,7-9]", "n0 n1 n2 n3 n7 n8 n9"},
		{"n[8-11]", "n8 n9 n10 n11"},
		{"n[08-11]", "n08 n09 n10 n11"},
		{"n[098-101]", "n098 n099 n100 n101"},
		{"n[98-101]", "n98 n99 n100 n101"},
		{"n[08-9]", "n08 n09"},
		{"n[0-0]", "n0"},
		{"n[00-01]-ib.hpc.example", "n00-ib.hpc.example n01-ib.hpc.example"},
		{"r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2"},
		{"[1-3]", "1 2 3"},
		{"w11[27-28,49]", "w1127 w1128 w1149"},
		{"n[1-2],n[2-3],n1", "n1 n2 n3"},
		{"n[1,1,2]", "n1 n2"},
		{"n[1-11][1-2],^n[11]1", "n11 n12 n21 n22 n31 n32 n41 n42 n51 n52 n61 n62 n71 n72 n81 n82 n91 n92 n101 n102 n112"},
		{"n[1-5],^n[2-3]", "n1 n4 n5"},
		{"^n2,n[1-3]", "n1 n3"},
	}
	for _, test := range tests {
		t.Run(test.expr, func(t *testing.T) {
			l, err := hostlist.Parse(test.expr)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(test.want)
			if diff := cmp.Diff(want, l.Hosts()); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
			if l.Len() != len(want) {
				t.Errorf("Len is %d, want %d", l.Len(), len(want))
			}
			for _, host := range want {
				if !l.Contains(host) {
					t.Errorf("does not contain %s", host)
				}
			}
			if l.String() != test.expr {
				t.Errorf("String is %q", l.String())
			}
		})
	}
}

func TestContainsHeedsWidthAndSuffix(t *testing.T) {
	tests := []struct {
		expr, host string
		want       bool
	}{
		{"n[001-128]", "n001", true},
		{"n[001-128]", "n128", true},
		{"n[001-128]", "n1", false},
		{"n[001-128]", "n0001", false},
		{"n[001-128]", "n129", false},
		{"n[001-128]", "n", false},
		{"n[001-128]", "m001", false},
		{"n[001-128]", "n001x", false},
		{"n[1-128]", "n001", false},
		{"n[1-3]0", "n20", true},
		{"n[1-3]0", "n2", false},
		{"n[1-11][1-2]", "n111", true},
		{"n[1-11][1-2]", "n1111", false},
		{"n[1-8],^n3", "n3", false},
		{"", "n1", false},
		{"n[1-9]", "n99999999999999999999999999", false},
	}
	for _, test := range tests {
		l, err := hostlist.Parse(test.expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Contains(test.host); got != test.want {
			t.Errorf("%q contains %q: %v, want %v", test.expr, test.host, got, test.want)
		}
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	tests := []struct {
		expr string
		pos  int
		text string
	}{
		{",n1", 0, "expected a host name"},
		{"n1,,n2", 3, "expected a host name"},
		{"n1,", 3, "the end of the list"},
		{"^", 1, "expected a host name"},
		{"n[1-3", 5, "expected a comma or ]"},
		{"n[a-c]", 2, "expected a number, found 'a'"},
		{"n[]", 2, "expected a number"},
		{"n[1-]", 4, "expected a number"},
		{"n[3-1]", 2, "the range 3-1 goes backwards"},
		{"n[1-010]", 2, "different widths"},
		{"n]", 1, "expected a comma or the end"},
		{"n1 n2", 3, "expected a comma or the end"},
		{"a/b", 1, "found '/'"},
		{"n[1-1000000]", 2, "more than the 131072 hosts"},
		{"n[1-9999999999999999999]", 4, "at most 18 digits"},
		{"n[1-100000,200000-299999]", 24, "more than the 131072 hosts"},
		{"n[1-1000]x[1-1000]", 18, "stands for 1000000 hosts"},
		{"n[1-100000],m[1-100000]", 12, "200000 hosts are more"},
		{"[1]a[1]b[1]c[1]d[1]", 16, "at most 4 brackets"},
		{strings.Repeat("n", hostlist.MaxLength+1), hostlist.MaxLength, "longer than 65536 bytes"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			_, err := hostlist.Parse(test.expr)
			var syntax *hostlist.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error is %v, want a SyntaxError", err)
			}
			if syntax.Pos != test.pos || !strings.Contains(err.Error(), test.text) {
				t.Errorf("at %d: %v\nwant at %d: %s", syntax.Pos, err, test.pos, test.text)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestFold(t *testing.T) {
	tests := []struct{ hosts, want string }{
		{"", ""},
		{"n1", "n1"},
		{"n10 n9 n8", "n[8-10]"},
		{"n08 n09 n10", "n[08-10]"},
		{"n8 n9 n08 n09 n10", "n[8-9,08-10]"},
		{"n08 n09 n100", "n[08-09,100]"},
		{"n1 n01", "n[01,1]"},
		{"n0 n00", "n[0,00]"},
		{"n3 n1 n2 n7 n1", "n[1-3,7]"},
		{"login n1 n2 admin", "admin,login,n[1-2]"},
		{"r1n1 r1n2 r2n1 r2n2", "r[1-2]n[1-2]"},
		{"r1n1 r1n2 r2n1", "r1n[1-2],r2n1"},
		{"n1-ib0 n2-ib0", "n[1-2]-ib0"},
		{"a1b1c1d1e1 a1b1c1d1e2 a2b1c1d1e1 a2b1c1d1e2", "a1b1c1d1e[1-2],a2b1c1d1e[1-2]"},
		{"n99999999999999999991 n99999999999999999992", "n99999999999999999991,n99999999999999999992"},
		{"a,b a[1] n1", "n1"},
	}
	for _, test := range tests {
		if got := hostlist.Fold(strings.Fields(test.hosts)); got != test.want {
			t.Errorf("Fold(%s) = %q, want %q", test.hosts, got, test.want)
		}
	}
}

func TestFoldLeavesItsArgumentAlone(t *testing.T) {
	hosts := []string{"n2", "n1", "n2"}
	hostlist.Fold(hosts)
	if diff := cmp.Diff([]string{"n2", "n1", "n2"}, hosts); diff != "" {
		t.Error(diff)
	}
}

func TestCompareCountsAsPeopleDo(t *testing.T) {
	ordered := []string{"", "1", "01", "2", "10", "a", "n-1", "n1", "n1a", "n01b", "n2", "n2x1", "n2x10", "n10", "n99999999999999999999", "n100000000000000000000", "na"}
	for i, a := range ordered {
		for j, b := range ordered {
			got, want := hostlist.Compare(a, b), compareInts(i, j)
			if a == "1" && b == "01" || a == "01" && b == "1" {
				want = strings.Compare(a, b) // equal numbers: as texts
			}
			if got != want {
				t.Errorf("Compare(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func compareInts(i, j int) int {
	switch {
	case i < j:
		return -1
	case i > j:
		return 1
	}
	return 0
}

func ExampleParse() {
	l, err := hostlist.Parse("n[08-10],login")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Len(), l.Hosts(), l.Contains("n09"), l.Contains("n9"))
	// Output: 4 [n08 n09 n10 login] true false
}

func ExampleParse_error() {
	_, err := hostlist.Parse("n[1-8],n[9-")
	fmt.Println(err)
	// Output: host list "n[1-8],n[9-": character 12: expected a number, found the end of the list
}

func ExampleFold() {
	fmt.Println(hostlist.Fold([]string{"n10", "n9", "n8", "login", "r1n1", "r1n2", "r2n1", "r2n2"}))
	// Output: login,n[8-10],r[1-2]n[1-2]
}

func ExampleCompare() {
	hosts := []string{"n10", "n2", "n1"}
	slices.SortFunc(hosts, hostlist.Compare)
	fmt.Println(hosts)
	// Output: [n1 n2 n10]
}
