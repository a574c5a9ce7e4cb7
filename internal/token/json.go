package token

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
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

// str reads a string.
func (r *reader) str() string {
	if !r.expect('"') {
		return ""
	}
	start := r.pos
	for ; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '"':
			r.pos++
			return r.text[start : r.pos-1]
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			r.fail("control character in a string")
			return ""
		}
	}
	r.err = errTruncated
	return ""
}

// escaped reads on in a string that began at start and in which an escape has come up.
func (r *reader) escaped(start int) string {
	out := []byte(r.text[start:r.pos])
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		r.pos++
		switch {
		case c == '"':
			return string(out)
		case c < ' ':
			r.fail("control character in a string")
			return ""
		case c != '\\':
			out = append(out, c)
		default:
			out = utf8.AppendRune(out, r.escape())
		}
		if r.err != nil {
			return ""
		}
	}
	r.err = errTruncated
	return ""
}

// escape reads what follows a backslash. Half a surrogate pair is refused: parsers make different things of it.
func (r *reader) escape() rune {
	if r.pos >= len(r.text) {
		r.err = errTruncated
		return 0
	}
	c := r.text[r.pos]
	r.pos++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	if c != 'u' {
		r.fail("unknown escape")
		return 0
	}
	u := r.hex4()
	if !utf16.IsSurrogate(u) {
		return u
	}
	if !strings.HasPrefix(r.text[r.pos:], `\u`) {
		r.fail("half a surrogate pair")
		return 0
	}
	r.pos += 2
	pair := utf16.DecodeRune(u, r.hex4())
	if pair == utf8.RuneError {
		r.fail("half a surrogate pair")
	}
	return pair
}

func (r *reader) hex4() rune {
	if len(r.text)-r.pos < 4 {
		r.err = errTruncated
		return 0
	}
	n, err := strconv.ParseUint(r.text[r.pos:r.pos+4], 16, 16)
	if err != nil {
		r.fail("four hexadecimal digits expected")
	}
	r.pos += 4
	return rune(n)
}

// integer reads a number that has neither fraction nor exponent and fits into 53 bits, the range in which all parsers
// agree.
func (r *reader) integer() int64 {
	text := r.number()
	n, err := strconv.ParseInt(text, 10, 54)
	if r.err == nil && err != nil {
		r.fail("a whole number below 2^53 expected")
	}
	return n
}

// number reads a number and returns its text.
func (r *reader) number() string {
	r.peek()
	start := r.pos
	r.skipByte('-')
	if !r.skipByte('0') && r.digits() == 0 {
		r.fail("number expected")
	}
	if r.skipByte('.') && r.digits() == 0 {
		r.fail("digit expected")
	}
	if r.skipByte('e') || r.skipByte('E') {
		_ = r.skipByte('-') || r.skipByte('+')
		if r.digits() == 0 {
			r.fail("digit expected")
		}
	}
	return r.text[start:r.pos]
}

func (r *reader) skipByte(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *reader) digits() (n int) {
	for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
		r.pos++
		n++
	}
	return n
}

// boolean reads true or false.
func (r *reader) boolean() bool {
	if r.peek() == 't' {
		return r.literal("true")
	}
	r.literal("false")
	return false
}

func (r *reader) literal(word string) bool {
	if r.peek(); r.err == nil && !strings.HasPrefix(r.text[r.pos:], word) {
		r.fail("%s expected", word)
	}
	if r.err != nil {
		return false
	}
	r.pos += len(word)
	return true
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
