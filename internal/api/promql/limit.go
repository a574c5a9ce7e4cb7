package promql

import (
	"reflect"
	"strconv"
)

// limited is a list of which a client has perhaps asked for the beginning only.
type limited[T any] struct {
	Data []T
	Cut  bool // there is more
}

// warnCut is what a client is told who gets the beginning only.
const warnCut = "there is more than the limit that was asked for; the rest is left out"

// limit reads how many rows are wanted at most; 0 is all.
func (p *params) limit() int {
	const name = "limit"
	text := p.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		p.fail(name, "whole number")
	}
	return max(n, 0)
}

// cut returns the first n of a list, or all when n is 0.
func cut[T any](list []T, n int) limited[T] {
	if n == 0 || len(list) <= n {
		return limited[T]{list, false}
	}
	return limited[T]{list[:n], true}
}

func (l limited[T]) body() success {
	s := success{Status: "success", Data: l.Data}
	if l.Cut {
		s.Warnings = []string{warnCut}
	}
	return s
}

// shown returns what stands in the document for a reply of type t: its data.
func shown(t reflect.Type) reflect.Type {
	if _, ok := reflect.Zero(t).Interface().(interface{ body() success }); ok {
		return t.Field(0).Type
	}
	return t
}
