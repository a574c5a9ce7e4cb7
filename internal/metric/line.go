package metric

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// MaxName is the length of the longest metric, cluster, host or device name in bytes.
const MaxName = 255

// Line is one sample as the line protocol has it (contract clustercockpit 5.6). The names belong to the parser or to the
// line that was parsed, and are good until either is used again.
type Line struct {
	metricstore.Labels
	Value   float64
	Time    int64 // Unix seconds
	HasTime bool
}

// Parser parses lines one after the other. Its zero value is ready for use; it is for one goroutine.
type Parser struct {
	unescaped []byte // names in which something was escaped
}

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

// Parse reads a line, without its end of line, into l. The error says what is wrong with it. A line that is taken costs
// no memory. A line without a host, or with a name that could be part of a path to elsewhere, is not taken. The cluster
// may be empty.
func (p *Parser) Parse(line []byte, l *Line) error {
	p.unescaped = p.unescaped[:0]
	*l = Line{}
	rest := bytes.TrimRight(bytes.TrimLeft(line, " "), " \r")
	name, rest, err := p.name(rest, false)
	if err != nil {
		return err
	}
	if len(name) == 0 {
		return errors.New("the metric's name is missing")
	}
	l.Metric = name
	if rest, err = p.tags(rest, l); err != nil {
		return err
	}
	rest, err = p.field(bytes.TrimLeft(rest, " "), l)
	if err != nil {
		return err
	}
	if rest = bytes.TrimLeft(rest, " "); len(rest) > 0 {
		if l.Time, err = parseTime(rest); err != nil {
			return err
		}
		l.HasTime = true
	}
	return l.check()
}

// name reads a name, or the value of a tag, up to what ends it, which stays in rest. In names of metrics the equals sign
// is a character like any other.
func (p *Parser) name(b []byte, equalsEnds bool) (name, rest []byte, err error) {
	end, found := nameEnd(b, equalsEnds)
	name, rest = b[:end], b[end:]
	if found == 0 {
		if end > MaxName {
			return nil, nil, tooLong(name)
		}
		return name, rest, nil
	}
	if found&foundControl != 0 {
		return nil, nil, fmt.Errorf("control character 0x%02x", b[end])
	}
	if found&foundEscape != 0 {
		name = p.unescape(name)
	}
	if len(name) > MaxName {
		return nil, nil, tooLong(name)
	}
	if found&foundHigh != 0 && !utf8.Valid(name) {
		return nil, nil, fmt.Errorf("name %q is not valid UTF-8", name)
	}
	return name, rest, nil
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

// tags reads the tags into l and returns what follows them.
func (p *Parser) tags(b []byte, l *Line) ([]byte, error) {
	var host []byte
	for len(b) > 0 && b[0] == ',' {
		key, rest, err := p.name(b[1:], true)
		if err != nil {
			return nil, err
		}
		if len(key) == 0 || len(rest) == 0 || rest[0] != '=' {
			return nil, fmt.Errorf("tag %q has no value", key)
		}
		value, rest, err := p.name(rest[1:], true)
		if err != nil {
			return nil, err
		}
		if len(value) == 0 {
			return nil, fmt.Errorf("tag %q has no value", key)
		}
		if len(rest) > 0 && rest[0] == '=' {
			return nil, fmt.Errorf("tag %q: an equals sign in a value is written \\=", key)
		}
		if to := l.tag(key, &host); to != nil {
			if len(*to) > 0 {
				return nil, fmt.Errorf("tag %q is there twice", key)
			}
			*to = value
		}
		b = rest
	}
	if len(l.Host) == 0 {
		l.Host = host
	}
	return b, nil
}

// tag returns where the value of a tag belongs, nil when it means nothing to us. host is for the tag that names the host
// only when no other does.
func (l *Line) tag(key []byte, host *[]byte) *[]byte {
	switch string(key) {
	case "cluster":
		return &l.Cluster
	case "hostname":
		return &l.Host
	case "host":
		return host
	case "type":
		return &l.Type
	case "type-id":
		return &l.TypeID
	case "stype":
		return &l.SubType
	case "stype-id":
		return &l.SubTypeID
	default:
		return nil
	}
}

// field reads the one field and returns what follows it.
func (p *Parser) field(b []byte, l *Line) ([]byte, error) {
	key, rest, err := p.name(b, true)
	if err != nil {
		return nil, err
	}
	if len(key) == 0 || len(rest) == 0 || rest[0] != '=' {
		return nil, errors.New("the field is missing: a line is <metric>,<tags> value=<number> [<time>]")
	}
	if string(key) != "value" {
		return nil, fmt.Errorf("unknown field: '%s', only 'value' is allowed", key)
	}
	rest = rest[1:]
	end := 0
	for end < len(rest) && rest[end] != ' ' && rest[end] != ',' {
		end++
	}
	if l.Value, err = parseValue(rest[:end]); err != nil {
		return nil, err
	}
	if rest = rest[end:]; len(rest) > 0 && rest[0] == ',' {
		key, _, err := p.name(rest[1:], true)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("unknown field: '%s', only one field 'value' is allowed", key)
	}
	return rest, nil
}

// check refuses what has no host or could lead out of a folder, and brings the device into its usual form.
func (l *Line) check() error {
	if len(l.Host) == 0 {
		return errors.New("tag hostname is missing")
	}
	for _, name := range [...][]byte{l.Cluster, l.Host} {
		if bytes.IndexByte(name, '/') >= 0 || bytes.IndexByte(name, '\\') >= 0 || bytes.Contains(name, dots) {
			return fmt.Errorf("cluster or host %q contains a slash, a backslash or two dots", name)
		}
	}
	if string(l.Type) == string(ScopeNode) {
		l.Type = nil
	}
	if len(l.Type) == 0 {
		l.TypeID = nil // "type=node,type-id=0" is the node itself
	}
	if len(l.SubType) == 0 {
		l.SubTypeID = nil
	}
	return nil
}

var dots = []byte("..")

// parseTime reads a time in seconds, milliseconds, microseconds or nanoseconds and returns it in seconds. Which of them
// it is, its size tells: in seconds the first bound is the year 5138, and in milliseconds the year 1973.
func parseTime(b []byte) (int64, error) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("time %q is not a whole number", clip(b))
	}
	switch {
	case n < 0:
		return 0, fmt.Errorf("time %d is before 1970", n)
	case n < 1e11:
		return n, nil
	case n < 1e14:
		return n / 1e3, nil
	case n < 1e17:
		return n / 1e6, nil
	default:
		return n / 1e9, nil
	}
}

// parseValue reads a number: a float, an integer with suffix i, or an unsigned integer with suffix u.
func parseValue(b []byte) (float64, error) {
	if v, ok := parseDecimal(b); ok {
		return v, nil
	}
	if len(b) == 0 {
		return 0, errors.New("the value is missing")
	}
	var v float64
	var err error
	switch digits := b[:len(b)-1]; {
	case b[len(b)-1] == 'i':
		var n int64
		n, err = strconv.ParseInt(string(digits), 10, 64)
		v = float64(n)
	case b[len(b)-1] == 'u':
		var n uint64
		n, err = strconv.ParseUint(string(digits), 10, 64)
		v = float64(n)
	default:
		return parseFloat(b)
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", clip(b))
	}
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", clip(b))
	}
	return v, nil
}

// parseFloat reads a float that is not short and plain.
func parseFloat(b []byte) (float64, error) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, fmt.Errorf("value %q is not a number", clip(b))
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is out of range", clip(b))
	}
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", clip(b))
	}
	return v, nil
}

// parseDecimal reads a number of at most 15 digits, with or without sign and point. Up to there, and only up to there,
// one division of exact numbers gives the nearest float.
func parseDecimal(b []byte) (v float64, ok bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i = 1
	}
	var mantissa uint64
	digits, point := 0, -1
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	v = float64(mantissa)
	if point >= 0 {
		v /= powers[digits-point]
	}
	if b[0] == '-' {
		v = math.Copysign(v, -1)
	}
	return v, true
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// clip keeps what is quoted in an error short.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }
