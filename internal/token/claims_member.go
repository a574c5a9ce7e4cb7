package token

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// word reads a string that is a name or an id: not empty, not long, and nothing in it that does not show.
func (r *reader) word() string { return r.shown(maxWord) }

// shown reads a string of at most that many bytes, with the rules of word.
func (r *reader) shown(most int) string {
	s := r.str()
	if s == "" || len(s) > most {
		r.fail("a string of 1 to %d bytes expected", most)
	}
	if !prints(s) {
		r.fail("a character that does not print")
	}
	return s
}

// isWord reports whether s can be a name or an id in a claim.
func isWord(s string) bool { return s != "" && len(s) <= maxWord && prints(s) }

func prints(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
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

// nodes reads the expression of a limit to nodes.
func (r *reader) nodes() (string, []identity.NodeSet) {
	expr := r.shown(maxNodes)
	if r.err != nil {
		return "", nil
	}
	_, sets, err := parseNodes(expr)
	if err != nil {
		r.fail("nodes: %s", err)
	}
	return expr, sets
}

// networks reads a list of networks, each in its one form.
func (r *reader) networks() ([]string, []netip.Prefix) {
	list := r.narrowing()
	networks, err := parseNetworks(list)
	if err != nil {
		r.fail("cidr: %s", err)
	}
	if len(list) > maxNetworks {
		r.fail("cidr: more than %d networks", maxNetworks)
	}
	return list, networks
}

// clusters reads a list of clusters.
func (r *reader) clusters() []string {
	list := r.narrowing()
	if len(list) > maxClusters {
		r.fail("clusters: more than %d", maxClusters)
	}
	return list
}

// status reads the place of the token in a status list. Other kinds of status would be passed over by us and heeded by
// others, so there are none.
func (r *reader) status() (index int64, uri string) {
	found := false
	r.object(func(kind string) {
		if kind != "status_list" {
			r.fail("status %q", kind)
		}
		found = true
		r.object(func(name string) {
			switch name {
			case "idx":
				index = r.integer()
			case "uri":
				uri = r.shown(maxURI)
			default:
				r.skip()
			}
		})
	})
	if !found || index < 1 || uri == "" {
		r.fail("status without a status_list that has idx, from 1, and uri")
	}
	return index, uri
}
