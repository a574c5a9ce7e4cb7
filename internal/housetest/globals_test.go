package housetest_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// Package variables are constants in spirit: tables, sentinels, compiled patterns. Nothing is assigned to after its
// declaration.
func TestNoMutableGlobals(t *testing.T) {
	byPackage := map[string][]source{}
	for _, s := range sources(t) {
		if !s.test {
			dir := s.path[:strings.LastIndex(s.path, "/")]
			byPackage[dir] = append(byPackage[dir], s)
		}
	}
	for _, files := range byPackage {
		globals := map[string]bool{}
		specs := map[any]bool{}
		for _, s := range files {
			for name, spec := range packageVars(s.ast) {
				globals[name], specs[spec] = true, true
			}
		}
		for _, s := range files {
			for _, w := range writes(s.ast) {
				root := rootIdent(w)
				if root == nil || !globals[root.Name] {
					continue
				}
				// The parser resolves a name to its declaration in the same file, and leaves names of other files open. A
				// local variable of the same name is neither.
				if root.Obj == nil || specs[root.Obj.Decl] {
					t.Errorf("%s:%d writes to the package variable %s", s.path, s.line(root.Pos()), root.Name)
				}
			}
		}
	}
}

func packageVars(f *ast.File) map[string]*ast.ValueSpec {
	vars := map[string]*ast.ValueSpec{}
	for _, d := range f.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok {
				for _, n := range value.Names {
					if n.Name != "_" {
						vars[n.Name] = value
					}
				}
			}
		}
	}
	return vars
}

// writes returns every expression in functions that is assigned to or whose address is taken.
func writes(f *ast.File) []ast.Expr {
	var out []ast.Expr
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					out = append(out, n.Lhs...)
				}
			case *ast.IncDecStmt:
				out = append(out, n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					out = append(out, n.X)
				}
			default:
			}
			return true
		})
	}
	return out
}

// rootIdent returns the identifier at the root of a.b[c].d.
func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s:%d: wiring belongs into a constructor", s.path, s.line(fn.Pos()))
			}
		}
	}
}

func TestOnlyMainEndsTheProgram(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.path, "cmd/") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				x, _ := sel.X.(*ast.Ident)
				if x != nil && (x.Name == "os" && sel.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(sel.Sel.Name, "Fatal")) {
					t.Errorf("%s:%d ends the program", s.path, s.line(call.Pos()))
				}
			}
			return true
		})
	}
}
