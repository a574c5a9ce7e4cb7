package identity_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

var update = flag.Bool("update", false, "write the table of the manual")

// TestTableOfTheManualIsTrue compares the table of permissions and roles in the manual with the program's.
func TestTableOfTheManualIsTrue(t *testing.T) {
	t.Parallel()
	const path = "../../docs/roles.md"
	const begin, end = "<!-- table of permissions: written by go test ./internal/identity -update -->\n", "<!-- end of table -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks of its table", path)
	}
	want := "\n" + rolesTable() + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go test ./internal/identity -update writes it (-want +got):\n%s", diff)
	}
}

func rolesTable() string {
	var b strings.Builder
	list := identity.DefaultRoles().List()
	b.WriteString("| permission | |")
	for _, g := range list {
		fmt.Fprintf(&b, " %s |", strings.TrimPrefix(string(g.Role), "role."))
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" :-: |", len(list)) + "\n")
	for _, p := range identity.All().List() {
		text := p.Description()
		if p.PerNode() {
			text += " *(node)*"
		}
		fmt.Fprintf(&b, "| `%s` | %s |", p, text)
		for _, g := range list {
			switch {
			case g.Permissions.Has(p):
				b.WriteString(" **x** |")
			case g.Delegates.Has(p):
				b.WriteString(" *d* |")
			default:
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
