package hostlist

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDigits is how many digits a number in brackets may have: as many as always fit 64 bits.
const maxDigits = 18

// SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	Expr   string
	Pos    int // byte at which the fault was found, from 0
	Reason string
}

// Error names the place counted from 1, as editors do, and shows what stands there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("host list %q: character %d: %s", shorten(e.Expr, e.Pos), e.Pos+1, e.Reason)
}

// shorten keeps a long expression readable: the part around pos.
func shorten(expr string, pos int) string {
	const around = 40
	if len(expr) <= 2*around {
		return expr
	}
	from, to := max(0, pos-around), min(len(expr), pos+around)
	text := expr[from:to]
	if from > 0 {
		text = "..." + text
	}
	if to < len(expr) {
		text += "..."
	}
	return text
}

// Parse reads a list expression. Blanks around items do not matter; an empty expression is an empty list. Every error
// is a *SyntaxError.
func Parse(expr string) (List, error) {
	l := List{expr: expr}
	if len(expr) > MaxLength {
		return List{}, &SyntaxError{expr, MaxLength, fmt.Sprintf("the list is longer than %d bytes", MaxLength)}
	}
	if strings.TrimSpace(expr) == "" {
		return l, nil
	}
	p := parser{expr: expr}
	for total := 0; ; {
		start := p.pos
		it, negative, err := p.item()
		if err != nil {
			return List{}, err
		}
		if negative {
			l.exclude = append(l.exclude, it)
		} else {
			l.include = append(l.include, it)
		}
		if total += it.size(); total > MaxHosts {
			return List{}, &SyntaxError{expr, start, fmt.Sprintf("%d hosts are more than the %d that one list may have", total, MaxHosts)}
		}
		if p.pos == len(expr) {
			return l, nil
		}
		p.pos++ // the comma
	}
}

// parser walks through expr; pos is the next byte.
type parser struct {
	expr string
	pos  int
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{p.expr, p.pos, fmt.Sprintf(format, args...)}
}

// item reads up to the next comma outside brackets, or to the end.
func (p *parser) item() (it item, negative bool, err error) {
	p.blanks()
	if p.peek() == '^' {
		negative = true
		p.pos++
	}
	start := p.pos
	for {
		it.lits = append(it.lits, p.literal())
		if p.peek() != '[' {
			break
		}
		if len(it.sets) == MaxBrackets {
			return item{}, false, p.fail("a name may have at most %d brackets", MaxBrackets)
		}
		set, err := p.brackets()
		if err != nil {
			return item{}, false, err
		}
		it.sets = append(it.sets, set)
		if n := it.size(); n > MaxHosts {
			return item{}, false, p.fail("the name stands for %d hosts, more than the %d that one list may have", n, MaxHosts)
		}
	}
	if p.pos == start {
		return item{}, false, p.fail("expected a host name, found %s", p.found())
	}
	p.blanks()
	if p.pos < len(p.expr) && p.expr[p.pos] != ',' {
		return item{}, false, p.fail("expected a comma or the end of the list, found %s", p.found())
	}
	return it, negative, nil
}

// literal reads what stands between brackets.
func (p *parser) literal() string {
	start := p.pos
	for p.pos < len(p.expr) && isNameByte(p.expr[p.pos]) {
		p.pos++
	}
	return p.expr[start:p.pos]
}

// isNameByte reports whether c may stand in a name outside brackets. Slashes may not: names become parts of paths.
func isNameByte(c byte) bool {
	return c > ' ' && c != 0x7f && !strings.ContainsRune(`,[]^/\`, rune(c))
}

// brackets reads [a-b,c,...].
func (p *parser) brackets() ([]span, error) {
	p.pos++
	var set []span
	for total := 0; ; {
		s, err := p.span()
		if err != nil {
			return nil, err
		}
		set = append(set, s)
		if total += s.size(); total > MaxHosts {
			return nil, p.fail("the brackets hold %d numbers, more than the %d hosts that one list may have", total, MaxHosts)
		}
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return set, nil
		default:
			return nil, p.fail("expected a comma or ] in brackets, found %s", p.found())
		}
	}
}

// span reads one number or a range.
func (p *parser) span() (span, error) {
	start := p.pos
	lo, loText, err := p.number()
	if err != nil {
		return span{}, err
	}
	s := span{lo: lo, hi: lo, width: len(loText)}
	if p.peek() == '-' {
		p.pos++
		hi, hiText, err := p.number()
		if err != nil {
			return span{}, err
		}
		s.hi = hi
		if hi < lo {
			return span{}, &SyntaxError{p.expr, start, fmt.Sprintf("the range %s-%s goes backwards", loText, hiText)}
		}
		if hiText[0] == '0' && len(hiText) != len(loText) {
			return span{}, &SyntaxError{p.expr, start, fmt.Sprintf("the ends of the range %s-%s have different widths", loText, hiText)}
		}
		if hi-lo >= MaxHosts {
			return span{}, &SyntaxError{p.expr, start, fmt.Sprintf("the range %s-%s has more than the %d hosts that one list may have", loText, hiText, MaxHosts)}
		}
	}
	if loText[0] != '0' {
		s.width = 1 // 8-10 is 8, 9, 10; only a leading zero asks for a width
	}
	return s, nil
}

func (p *parser) number() (n uint64, text string, err error) {
	start := p.pos
	for p.pos < len(p.expr) && isDigit(p.expr[p.pos]) {
		p.pos++
	}
	text = p.expr[start:p.pos]
	switch {
	case text == "":
		return 0, "", p.fail("expected a number, found %s", p.found())
	case len(text) > maxDigits:
		return 0, "", &SyntaxError{p.expr, start, fmt.Sprintf("a number may have at most %d digits", maxDigits)}
	}
	n, err = strconv.ParseUint(text, 10, 64)
	if err != nil { // cannot be: at most maxDigits digits
		return 0, "", p.fail("%v", err)
	}
	return n, text, nil
}

func (p *parser) blanks() {
	for p.pos < len(p.expr) && strings.IndexByte(" \t\r\n", p.expr[p.pos]) >= 0 {
		p.pos++
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.pos == len(p.expr) {
		return 0
	}
	return p.expr[p.pos]
}

// found names the next byte for an error.
func (p *parser) found() string {
	if p.pos == len(p.expr) {
		return "the end of the list"
	}
	return strconv.QuoteRune(rune(p.expr[p.pos]))
}
