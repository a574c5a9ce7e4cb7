package token

import (
	"slices"
	"time"
	"unicode"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// word reads a string that is a name or an id: not empty, not long, and nothing in it that does not show.
func (r *reader) word() string {
	s := r.str()
	if s == "" || len(s) > maxWord {
		r.fail("a string of 1 to %d bytes expected", maxWord)
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			r.fail("a character that does not print")
			break
		}
	}
	return s
}

// set reads an array of different words, which may be empty.
func (r *reader) set() []string {
	list := make([]string, 0, 4)
	r.open('[')
	for r.more(len(list), ']') {
		w := r.word()
		if slices.Contains(list, w) {
			r.fail("%q occurs twice", w)
		}
		if list = append(list, w); len(list) > maxList {
			r.fail("too many entries")
		}
	}
	return list
}

// narrowing reads a list that must not be empty: to some an empty list would mean nothing, to others everything.
func (r *reader) narrowing() []string {
	list := r.set()
	if len(list) == 0 {
		r.fail("an empty list")
	}
	return list
}

// audience reads a word or an array of words.
func (r *reader) audience() []string {
	if r.peek() == '[' {
		return r.narrowing()
	}
	return []string{r.word()}
}

// time reads whole seconds since 1970.
func (r *reader) time() time.Time {
	n := r.integer()
	if n < 1 || n > maxTime {
		r.fail("a time between 1970 and 9999 expected")
	}
	return time.Unix(n, 0).UTC()
}

// actor reads the act claim. An actor behind the actor would be a chain of impersonations, which we never make.
func (r *reader) actor() *identity.Actor {
	a := new(identity.Actor)
	r.object(func(name string) {
		switch name {
		case "sub":
			a.Name = r.word()
		case "uid":
			a.ID = identity.UserID(r.word())
		case "jti":
			a.TokenID = r.word()
		case "act":
			r.fail("a chain of actors")
		default:
			r.skip()
		}
	})
	if a.Name == "" {
		r.fail("act without sub")
	}
	return a
}
