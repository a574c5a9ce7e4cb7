// Package housetest holds the rules of the tree itself, so that nobody has to remember them: which package may import
// which, what each program may depend on, no mutable globals, no init functions, sizes, documentation, links.
//
// It has no code of its own, only tests.
package housetest
