package metric

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxName is the length of the longest metric, cluster, host or device name in bytes.
const MaxName = 255

// Classes of bytes in a line. Everything else is plain.
const (
	special = 1 + iota // may end a name, or escapes
	control            // never allowed
	high               // part of a longer character
)

var classes = func() (c [256]uint8) {
	for b := range 0x20 {
		c[b] = control
	}
	c[0x7f] = control
	for b := 0x80; b < 256; b++ {
		c[b] = high
	}
	c[','], c['='], c[' '], c['\\'] = special, special, special, special
	return c
}()

// name reads a name, or the value of a tag, up to what ends it, which stays in rest. In names of metrics the equals sign
// is a character like any other.
func (p *Parser) name(b []byte, equalsEnds bool) (name, rest []byte, err error) {
	name, rest, err = p.anyName(b, equalsEnds)
	if len(name) > MaxName {
		return nil, nil, tooLong(name)
	}
	return name, rest, err
}

// anyName is name without a limit: for what is not kept.
func (p *Parser) anyName(b []byte, equalsEnds bool) (name, rest []byte, err error) {
	end, found := nameEnd(b, equalsEnds)
	name, rest = b[:end], b[end:]
	if found == 0 {
		return name, rest, nil
	}
	if found&foundControl != 0 {
		return nil, nil, controlError(b[end])
	}
	if found&foundEscape != 0 {
		name = p.unescape(name)
	}
	if found&foundHigh != 0 && !utf8.Valid(name) {
		return nil, nil, fmt.Errorf("name %q is not valid UTF-8", clip(name))
	}
	return name, rest, nil
}

func controlError(c byte) error {
	switch c {
	case '\t':
		return errors.New("a tab: the parts of a line are divided by spaces")
	case 0x1f: // gzip begins with it
		return errors.New("control character 0x1f: are these lines compressed? Then the header Content-Encoding is missing")
	default:
		return fmt.Errorf("control character 0x%02x", c)
	}
}

func tooLong(name []byte) error {
	return fmt.Errorf("name %q... is longer than %d bytes", name[:32], MaxName)
}

// What nameEnd finds in a name beside plain characters.
const (
	foundEscape = 1 << iota
	foundHigh
	foundControl
)

// nameEnd returns where the name at the beginning of b ends, and what is in it.
func nameEnd(b []byte, equalsEnds bool) (end, found int) {
	for i := 0; i < len(b); i++ {
		switch classes[b[i]] {
		case control:
			return i, found | foundControl
		case high:
			found |= foundHigh
		case special:
			switch {
			case b[i] != '\\':
				if b[i] != '=' || equalsEnds {
					return i, found
				}
			case escapes(b[i+1:]):
				found |= foundEscape
				i++
			}
		}
	}
	return len(b), found
}

// escapes reports whether a backslash before b escapes something.
func escapes(b []byte) bool { return len(b) > 0 && (b[0] == ',' || b[0] == '=' || b[0] == ' ') }

// unescape returns name without the backslashes that escape something.
func (p *Parser) unescape(name []byte) []byte {
	start := len(p.unescaped)
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && escapes(name[i+1:]) {
			i++
		}
		p.unescaped = append(p.unescaped, name[i])
	}
	return p.unescaped[start:len(p.unescaped):len(p.unescaped)]
}

// checkName holds a name that the parser has not read to the parser's rules.
func checkName(name []byte) error {
	if len(name) > MaxName {
		return tooLong(name)
	}
	if i := bytes.IndexFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }); i >= 0 {
		return fmt.Errorf("control character 0x%02x", name[i])
	}
	if !utf8.Valid(name) {
		return fmt.Errorf("name %q is not valid UTF-8", name)
	}
	return nil
}

// checkPlace refuses names of clusters and hosts that could lead out of a folder.
func checkPlace(name []byte) error {
	if bytes.IndexByte(name, '/') >= 0 || bytes.IndexByte(name, '\\') >= 0 || bytes.Contains(name, dots) {
		return fmt.Errorf("cluster or host %q contains a slash, a backslash or two dots", name)
	}
	return nil
}

var dots = []byte("..")
