package housetest_test

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An action of the audit trail is noun.verb, written out where its record begins.
var action = regexp.MustCompile(`^(user|factor|session|token|key|role|node|group|job|metrics|request)\.[a-z_]+$`)

// TestTheManualNamesEveryAction compares the actions that the code writes with the table of docs/audit.md.
func TestTheManualNamesEveryAction(t *testing.T) {
	written := map[string]string{}
	for _, s := range sources(t) {
		if s.test || !strings.HasPrefix(s.path, "internal/") || strings.Contains(s.path, "test/") || strings.HasPrefix(s.path, "internal/cli/") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(lit.Value); err == nil && action.MatchString(text) {
				written[text] = s.path
			}
			return true
		})
	}
	if len(written) < 20 {
		t.Fatalf("only %d actions found in the code", len(written))
	}
	manual, err := os.ReadFile(top + "/docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	_, table, _ := strings.Cut(string(manual), "\n## Actions\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z]+\\.[a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			named[m[1]] = true
			if written[m[1]] == "" {
				t.Errorf("docs/audit.md names the action %s, which nothing writes", m[1])
			}
		}
	}
	for a, path := range written {
		if !named[a] {
			t.Errorf("%s writes the action %s, which the table of docs/audit.md does not name", path, a)
		}
	}
}
