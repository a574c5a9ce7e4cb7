package api

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Check returns everything that is wrong with the table: rows without access rule, documentation or method, a path
// parameter that the path does not have, and rows of which it would not be clear which one answers.
func (d *Dialect) Check() error {
	var errs []error
	if d.Failure == nil {
		errs = append(errs, fmt.Errorf("%s: nothing writes its errors", d.Name))
	}
	mux := http.NewServeMux()
	for i := range d.Routes {
		rt := &d.Routes[i]
		for _, problem := range append(rt.problems(), rt.claim(mux)...) {
			errs = append(errs, fmt.Errorf("%s: %s %s: %s", d.Name, strings.Join(rt.Methods, ","), rt.Path, problem))
		}
	}
	return errors.Join(errs...)
}

// problems returns what is wrong with the row by itself.
func (rt *Route) problems() []string {
	var ps []string
	if rt.Access.isMissing() {
		ps = append(ps, "no access rule")
	}
	if rt.Doc == "" {
		ps = append(ps, "no documentation")
	}
	if len(rt.Methods) == 0 {
		ps = append(ps, "no method")
	}
	if rt.params.Kind() != reflect.Struct {
		return append(ps, "parameters are no struct")
	}
	for _, path := range rt.paths() {
		wild := wildcards(path)
		for _, f := range reflect.VisibleFields(rt.params) {
			if name := f.Tag.Get("path"); name != "" && !slices.Contains(wild, name) {
				ps = append(ps, fmt.Sprintf("no {%s} in %s", name, path))
			}
		}
	}
	return ps
}

// claim registers every spelling with mux, which panics about patterns that collide.
func (rt *Route) claim(mux *http.ServeMux) (problems []string) {
	defer func() {
		if p := recover(); p != nil {
			problems = append(problems, fmt.Sprint("collides: ", p))
		}
	}()
	for _, m := range rt.Methods {
		for _, p := range rt.paths() {
			mux.Handle(pattern(m, p), http.NotFoundHandler())
		}
	}
	return nil
}

var wildcard = regexp.MustCompile(`\{([^{}.$]+)(\.\.\.)?\}`)

// wildcards returns the names of the path's parameters.
func wildcards(path string) []string {
	var names []string
	for _, m := range wildcard.FindAllStringSubmatch(path, -1) {
		names = append(names, m[1])
	}
	return names
}
