package cockpit

import (
	"bytes"
	"errors"
	"fmt"
)

// eventLine is a line of a message: what happened, and the JSON that REST has as a body.
type eventLine struct {
	measurement string
	function    string // the tag of that name
	body        []byte
}

// eventParser reads the lines of a message (contract clustercockpit 3.15):
//
//	job,function=start_job event="{\"jobId\":1001}" 1795459836
//
// Unlike samples, their value is a text, in which a line may end. Other tags and fields are left alone.
type eventParser struct {
	rest []byte
}

// next returns the next line; ok is false at the end of the message.
func (p *eventParser) next() (l eventLine, ok bool, err error) {
	p.rest = bytes.TrimLeft(p.rest, " \t\r\n")
	if len(p.rest) == 0 {
		return eventLine{}, false, nil
	}
	if l.measurement = string(p.word(", ")); l.measurement == "" {
		return l, false, errors.New("the measurement is missing")
	}
	for p.take(',') {
		name := p.word("=, ")
		if !p.take('=') {
			return l, false, fmt.Errorf("tag %.40q has no value", name)
		}
		if value := p.word(", "); string(name) == "function" {
			l.function = string(value)
		}
	}
	if err := p.fields(&l); err != nil {
		return l, false, err
	}
	if l.body == nil {
		return l, false, errors.New(`the field event="..." is missing`)
	}
	if err := p.time(); err != nil {
		return l, false, err
	}
	return l, true, nil
}

// fields reads the fields, of which event is the one that counts.
func (p *eventParser) fields(l *eventLine) error {
	if !p.take(' ') {
		return errors.New("the fields are missing")
	}
	p.rest = bytes.TrimLeft(p.rest, " ")
	for {
		name := p.word("=, ")
		if !p.take('=') {
			return fmt.Errorf("field %.40q has no value", name)
		}
		var value []byte
		if p.take('"') {
			var err error
			if value, err = p.text(); err != nil {
				return err
			}
			if string(name) == "event" {
				l.body = value
			}
		} else {
			p.word(", ")
		}
		if !p.take(',') {
			return nil
		}
	}
}

// time passes over the time of the line, which the JSON has anyway, and the end of the line.
func (p *eventParser) time() error {
	p.rest = bytes.TrimLeft(p.rest, " ")
	for _, c := range p.word(" ") {
		if c < '0' || c > '9' {
			return errors.New("something other than the time follows the fields")
		}
	}
	p.rest = bytes.TrimLeft(p.rest, " \r")
	if len(p.rest) > 0 && !p.take('\n') {
		return errors.New("something follows the time")
	}
	return nil
}

// word returns what comes before one of these characters or the end of the line.
func (p *eventParser) word(ends string) []byte {
	n := bytes.IndexAny(p.rest, ends+"\r\n")
	if n < 0 {
		n = len(p.rest)
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	return word
}

// take passes over the character, if it is the next one.
func (p *eventParser) take(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// text returns a text up to its closing quote. A backslash before a quote or a backslash is none.
func (p *eventParser) text() ([]byte, error) {
	text := []byte{}
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return text, nil
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '"' || p.rest[i+1] == '\\'):
			i++
		}
		text = append(text, p.rest[i])
	}
	return nil, errors.New(`a text is not ended by "`)
}
