package test_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheAttacksOfTheManualAreMade: every test that the chapter names exists, where it says.
func TestTheAttacksOfTheManualAreMade(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:test|internal)[a-z/]*)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	sources := map[string]string{}
	for _, n := range named {
		folder, name := n[1], n[2]
		if sources[folder] == "" {
			sources[folder] = testsIn(t, filepath.Join("..", folder))
		}
		if !strings.Contains(sources[folder], "\nfunc "+name+"(") {
			t.Errorf("there is no %s in %s", name, folder)
		}
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "| ") && strings.Count(line, "|") == 4 && !strings.Contains(line, "tried by") && !strings.Contains(line, "---") && !namesATest(line) {
			t.Errorf("no test makes this: %s", line)
		}
	}
}

func namesATest(line string) bool {
	return strings.Contains(line, ".Test") || strings.Contains(line, ".Fuzz")
}

// testsIn returns the text of all tests of a folder.
func testsIn(t *testing.T, folder string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
