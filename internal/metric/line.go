package metric

import (
	"errors"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

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
	unescaped []byte                  // names in which something was escaped
	other     func(key, value []byte) // told of tags that mean nothing to us; may be nil
}

// Parse reads a line, without its end of line, into l. The error says what is wrong with it. A line that is taken costs
// no memory. A line without a host, or with a name that could be part of a path to elsewhere, is not taken. The cluster
// may be empty.
func (p *Parser) Parse(line []byte, l *Line) error {
	p.unescaped = p.unescaped[:0]
	*l = Line{}
	rest := trim(line)
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
	if err := p.tail(trimLeft(rest), l); err != nil {
		return err
	}
	return l.check()
}

// tail reads what follows the names: the field and the time.
func (p *Parser) tail(rest []byte, l *Line) error {
	rest, err := p.field(rest, l)
	if err != nil {
		return err
	}
	if rest = trimLeft(rest); len(rest) > 0 {
		if l.Time, err = parseTime(rest); err != nil {
			return err
		}
		l.HasTime = true
	}
	return nil
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

// trim returns a line without the spaces around it, and without what Windows ends lines with. The library's way costs more
// than a number.
func trim(line []byte) []byte { return trimRight(trimLeft(line)) }

func trimLeft(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}
