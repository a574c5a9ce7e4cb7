package token

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
