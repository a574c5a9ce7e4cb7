package browser_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeopleManageTokensKeysSessionsAndRoles walks through the pages about people on a server of its own.
func TestPeopleManageTokensKeysSessionsAndRoles(t *testing.T) {
	dir, url := headForPages(t)
	shots := filepath.Join(dir, "shots")
	if keep := os.Getenv("SCREENSHOTS"); keep != "" {
		shots = filepath.Join(keep, "people")
	}
	t.Log(lastLine(command(t, ".", "node", "people.mjs", url, "demo", password, shots, "alice")))
}

// TestNoPageOfAnotherOriginChangesAnything lures a logged-in administrator to pages that send everything that a browser
// lets them send, to every route of the server's own documents.
func TestNoPageOfAnotherOriginChangesAnything(t *testing.T) {
	dir, url := headForPages(t)
	token := jwtOf(t, command(t, dir, filepath.Join(dir, "cc-backend"), "-jwt", "demo"))
	t.Setenv("TOKEN", token)
	t.Log(lastLine(command(t, ".", "node", "csrf.mjs", url, "demo", password, filepath.Join(dir, "shots"))))
}

// headForPages starts a head node without a cluster, and skips the test where there is no browser.
func headForPages(t *testing.T) (dir, url string) {
	t.Helper()
	needBrowser(t)
	dir = t.TempDir()
	build(t, dir)
	return dir, startHead(t, dir)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// jwtOf finds the token in what cc-backend -jwt prints.
func jwtOf(t *testing.T, out string) string {
	t.Helper()
	for word := range strings.FieldsSeq(out) {
		if strings.Count(word, ".") == 2 && strings.HasPrefix(word, "ey") {
			return word
		}
	}
	t.Fatalf("no token in %q", out)
	return ""
}

func needBrowser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the browser is left alone")
	}
	for _, need := range []string{chromium, "node_modules/playwright-core"} {
		if _, err := os.Stat(need); err != nil {
			t.Skipf("%s is not there; make test installs it", need)
		}
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not there")
	}
}
