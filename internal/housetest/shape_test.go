package housetest_test

import (
	"bytes"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	maxFile = 600 // lines
	maxFunc = 80
	maxMain = 30
)

func TestFilesAndFunctionsFitTheBar(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if n := bytes.Count(s.text, []byte("\n")); n > maxFile {
			t.Errorf("%s has %d lines: it probably holds two ideas", s.path, n)
		} else if strings.HasPrefix(s.path, "cmd/") && n > maxMain {
			t.Errorf("%s has %d lines: a main calls one function of internal/", s.path, n)
		}
		for _, d := range s.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && s.line(fn.End())-s.line(fn.Pos())+1 > maxFunc {
				t.Errorf("%s:%d: %s is longer than %d lines", s.path, s.line(fn.Pos()), fn.Name.Name, maxFunc)
			}
		}
	}
}

func TestEveryPackageHasExactlyOneComment(t *testing.T) {
	comments := map[string]int{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		dir := filepath.Dir(s.path)
		comments[dir] += 0
		if s.ast.Doc != nil {
			comments[dir]++
		}
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments", dir, n)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil {
					t.Errorf("%s:%d: %s has no comment", s.path, s.line(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
						t.Errorf("%s:%d: %s has no comment", s.path, s.line(ts.Pos()), ts.Name.Name)
					}
				}
			default:
			}
		}
	}
}

var badRoom = regexp.MustCompile(`(^|/)(util|utils|common|helpers?|models?|types|misc)(/|$)`)

func TestRoomsAreNounsOfTheField(t *testing.T) {
	for _, p := range list(t, "./...") {
		if badRoom.MatchString(p.local()) {
			t.Errorf("%s says nothing about what is in it", p.local())
		}
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)

func TestLinksOfTheDocumentsResolve(t *testing.T) {
	docs, err := filepath.Glob(top + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"/docs/*.md", "/docs/*/*.md", "/test/*.md"} {
		more, err := filepath.Glob(top + pattern)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, more...)
	}
	if len(docs) < 3 {
		t.Fatalf("only %d documents found", len(docs))
	}
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, m[1])
			}
		}
	}
}

// ARCHITECTURE.md names every room, and no room that does not exist.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile(top + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:internal|cmd|client|web|test)(?:/[a-z0-9-]+)*)/?`").FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
		if _, err := os.Stat(filepath.Join(top, m[1])); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", m[1])
		}
	}
	for _, p := range list(t, "./...") {
		covered := false
		for at := p.local(); at != "." && !covered; at = filepath.Dir(at) {
			covered = named[at]
		}
		if !covered {
			t.Errorf("ARCHITECTURE.md does not name %s", p.local())
		}
	}
}
