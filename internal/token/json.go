package token

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reader reads one JSON text the strict way: valid UTF-8, no member twice at any level, bounded depth, nothing behind
// the value. Where parsers disagree about an input, it is refused. Strings without escapes are parts of the text, so
// that reading allocates next to nothing. The first error sticks; the reader then gives zero values.
type reader struct {
	text  string
	pos   int
	depth int
	err   error
}

const (
	maxDepth   = 8   // of nesting; our own claims need 2
	maxMembers = 100 // of an object, so that looking for duplicates stays cheap
)

var errTruncated = errors.New("JSON ends early")

func newReader(text string) *reader {
	r := &reader{text: text}
	if !utf8.ValidString(text) {
		r.err = errors.New("not valid UTF-8")
	}
	return r
}

// end reports the first error; anything but white space behind what has been read is one.
func (r *reader) end() error {
	r.space()
	if r.err == nil && r.pos != len(r.text) {
		r.fail("something follows the JSON value")
	}
	return r.err
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format+" at byte %d", append(args, r.pos)...)
	}
}

func (r *reader) space() {
	for r.pos < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.pos]) >= 0 {
		r.pos++
	}
}

// peek returns the next byte that is no white space, 0 at the end or after an error.
func (r *reader) peek() byte {
	r.space()
	if r.err != nil || r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

func (r *reader) expect(c byte) bool {
	if r.peek() != c {
		if r.pos >= len(r.text) && r.err == nil {
			r.err = errTruncated
		}
		r.fail("%q expected", c)
		return false
	}
	r.pos++
	return true
}

// open enters an object or array.
func (r *reader) open(c byte) {
	if r.depth++; r.depth > maxDepth {
		r.fail("nested too deeply")
	}
	r.expect(c)
}

// more reports whether another element, the n-th from 0, comes before the closing byte, and steps over the comma or the
// closing byte.
func (r *reader) more(n int, closing byte) bool {
	if r.err != nil {
		return false
	}
	if r.peek() == closing {
		r.pos++
		r.depth--
		return false
	}
	return n == 0 || r.expect(',')
}

// object calls member for each member of an object, with the reader at its value, which member must read.
func (r *reader) object(member func(name string)) {
	var buf [16]string
	seen := buf[:0]
	r.open('{')
	for r.more(len(seen), '}') {
		name := r.str()
		for _, s := range seen {
			if s == name {
				r.fail("member %q occurs twice", name)
			}
		}
		if seen = append(seen, name); len(seen) > maxMembers {
			r.fail("too many members")
		}
		if r.expect(':') && r.err == nil {
			member(name)
		}
	}
}

// skip reads a value of any kind and drops it.
func (r *reader) skip() {
	switch r.peek() {
	case '{':
		r.object(func(string) { r.skip() })
	case '[':
		r.open('[')
		for n := 0; r.more(n, ']'); n++ {
			r.skip()
		}
	case '"':
		r.str()
	case 't', 'f':
		r.boolean()
	case 'n':
		r.literal("null")
	default:
		if _, err := strconv.ParseFloat(r.number(), 64); err != nil {
			r.fail("a number that some parsers cannot hold")
		}
	}
}
