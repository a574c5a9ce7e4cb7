package identity_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

func TestEveryPermissionSaysInOneLineWhatItAllows(t *testing.T) {
	t.Parallel()
	seen := map[string]identity.Permission{}
	for _, p := range identity.All().List() {
		text := p.Description()
		if text == "" || len(text) > 120 || strings.HasSuffix(text, ".") || !unicode.IsUpper(rune(text[0])) || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", p, text)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("%s and %s both say %q", p, other, text)
		}
		seen[text] = p
		if p.Reads() != identity.ReadOnly().Has(p) || p.PerNode() != identity.PerNode().Has(p) {
			t.Errorf("%s disagrees with the sets", p)
		}
	}
	if text := identity.Permission(0).Description(); text != "" {
		t.Errorf("what is no permission allows %q", text)
	}
}

func TestPermissionsOnSingleNodesAreThoseOfNodes(t *testing.T) {
	t.Parallel()
	for _, p := range identity.All().List() {
		if ofNodes := strings.HasPrefix(p.String(), "Node"); ofNodes != p.PerNode() {
			t.Errorf("%s: per node %v", p, p.PerNode())
		}
	}
}
