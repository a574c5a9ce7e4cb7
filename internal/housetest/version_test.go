package housetest_test

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"strings"
	"testing"
)

// TestEveryVersionIsLinkedIn compares the variables named version, which are there to be set by the linker, with what the
// Makefile sets. One that is forgotten says "devel" in every release.
func TestEveryVersionIsLinkedIn(t *testing.T) {
	makefile, err := os.ReadFile(top + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, d := range s.ast.Decls {
			if !declaresVersion(d) {
				continue
			}
			found++
			if flag := "-X github.com/bridgehead-hpc/bridgehead/" + path.Dir(s.path) + ".version="; !strings.Contains(string(makefile), flag) {
				t.Errorf("%s has a version that the Makefile does not set: %s is missing", s.path, flag)
			}
		}
	}
	if found == 0 {
		t.Error("no version found in the code")
	}
}

func declaresVersion(d ast.Decl) bool {
	vars, ok := d.(*ast.GenDecl)
	if !ok || vars.Tok != token.VAR {
		return false
	}
	for _, spec := range vars.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == "version" && v.Doc == nil {
			return true
		}
	}
	return false
}
