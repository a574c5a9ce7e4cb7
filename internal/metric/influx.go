package metric

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// WriteInflux is WriteFrom for lines as InfluxDB has them, with any number of fields:
//
//	cpu,cpu=cpu0,host=n01 usage_user=1.5,usage_idle=98i,online=t,governor="powersave" 1795463640000000000
//
// Every number is a sample of the metric <measurement>_<field>, or <measurement> when the field is called value. True is 1
// and false is 0; texts are dropped. Times are in units of precision. The tag cpu of Telegraf names a hardware thread
// (cpu0), or the host (cpu-total). Of a line, nothing is taken from the first field on that is rejected.
func (s *Service) WriteInflux(ctx context.Context, from Source, precision time.Duration, lines io.Reader) (WriteResult, error) {
	w := &influxWriter{writer: s.writer(from), unit: precision}
	w.parser.other, w.texts = w.tag, true
	return w.finish(w.readAll(ctx, lines, w.addFields))
}

// WriteMixed is WriteFrom for messages with lines of both kinds; what is wrong with one message does no harm to the next. A
// line whose only field is called value is a line of ClusterCockpit's collectors, and becomes what WriteFrom makes of it; every
// other is one of InfluxDB's, by the rules of WriteInflux. In which units a time is, its size tells.
func (s *Service) WriteMixed(ctx context.Context, from Source, messages [][]byte) (WriteResult, error) {
	w := &influxWriter{writer: s.writer(from)}
	w.parser.other, w.texts = w.tag, true
	var lines bytes.Reader
	for _, m := range messages {
		lines.Reset(m)
		if err := w.readAll(ctx, &lines, w.addEither); err != nil {
			return w.finish(err)
		}
	}
	return w.finish(nil)
}

// influxWriter works off a batch of such lines.
type influxWriter struct {
	*writer
	unit   time.Duration // of times; 0 when the size of a time tells
	sample Foreign
	cpu    []byte // value of the tag
	fields []field
	name   []byte // of the metric

	whole       []byte // the line
	head        []byte // its names, if nothing is escaped in them
	measurement []byte
	named       bool // the cluster stands in the line
	apart       bool // the names are in sample

	hashed struct { // the host whose hash this is
		cluster []byte
		host    string
		hash    uint64
	}
}

// farOff is a number of seconds or more beyond all time, with which can be reckoned.
const farOff = 1 << 40

type field struct {
	name  []byte
	value float64
}

// tag is told of tags that the line protocol does not have.
func (w *influxWriter) tag(key, value []byte) {
	if string(key) == "cpu" {
		w.cpu = value
		return
	}
	w.sample.SetApart(key, value)
}

// addFields notes the samples of a line.
func (w *influxWriter) addFields(n int, line []byte) {
	if blank(line) {
		return
	}
	w.clear(trim(line))
	if !w.follow() {
		if err := w.parse(); err != nil {
			w.reject(n, err.Error())
			return
		}
	}
	for i := range w.fields {
		if w.addField(n, &w.fields[i]) == wrong {
			return
		}
	}
}

// addEither notes the samples of a line of either kind.
func (w *influxWriter) addEither(n int, line []byte) {
	if onlyValue(line) {
		w.add(n, line)
		return
	}
	w.addFields(n, line)
}

// onlyValue reports whether a line has one field, which is called value.
func onlyValue(line []byte) bool {
	line = trimLeft(line)
	end := bytes.IndexByte(line, ' ')
	for end > 0 && line[end-1] == '\\' { // that one is escaped
		next := bytes.IndexByte(line[end+1:], ' ')
		if next < 0 {
			return false
		}
		end += 1 + next
	}
	if end <= 0 {
		return false
	}
	value, ok := bytes.CutPrefix(trimLeft(line[end:]), []byte("value="))
	for i := 0; ok && i < len(value) && value[i] != ' '; i++ {
		ok = value[i] != ','
	}
	return ok
}

// clear makes line the current one.
func (w *influxWriter) clear(line []byte) {
	w.sample, w.cpu, w.fields, w.apart = Foreign{}, nil, w.fields[:0], false
	w.parser.unescaped = w.parser.unescaped[:0]
	w.whole = line
	w.head = line[:max(bytes.IndexByte(line, ' '), 0)]
}

// parse reads the current line into w.sample and w.fields.
func (w *influxWriter) parse() error {
	rest, err := w.parseNames()
	if err != nil {
		return err
	}
	if err := w.parseTail(rest); err != nil {
		return err
	}
	return w.sample.check()
}

// parseNames reads measurement and tags of the current line and returns what follows them.
func (w *influxWriter) parseNames() ([]byte, error) {
	p, l := &w.parser, &w.sample.Line
	name, rest, err := p.name(w.whole, false)
	if err != nil {
		return nil, err
	}
	if len(name) == 0 {
		return nil, errors.New("the measurement's name is missing")
	}
	w.measurement = name
	if rest, err = p.tags(rest, l); err != nil {
		return nil, err
	}
	w.named = len(l.Cluster) > 0
	w.device()
	w.apart = true
	return rest, nil
}

// parseTail reads what follows the names: the fields and the time.
func (w *influxWriter) parseTail(rest []byte) error {
	l := &w.sample.Line
	rest, err := w.parseFields(trimLeft(rest))
	if err != nil {
		return err
	}
	if rest = trimLeft(rest); len(rest) > 0 {
		l.HasTime = true
		l.Time, err = w.parseTime(rest)
		return err
	}
	l.Time, l.HasTime = w.now, true
	return nil
}

func (w *influxWriter) parseTime(b []byte) (int64, error) {
	if w.unit == 0 {
		return parseTime(b)
	}
	t, err := wholeNumber(b)
	if w.unit < time.Second {
		return t / int64(time.Second/w.unit), err
	}
	return min(t, farOff) * int64(w.unit/time.Second), err
}

// device makes a device of the tag cpu, when the line names none otherwise.
func (w *influxWriter) device() {
	id, numbered := bytes.CutPrefix(w.cpu, []byte("cpu"))
	switch {
	case len(w.cpu) == 0:
	case len(w.sample.Type) > 0:
		w.sample.SetApart([]byte("cpu"), w.cpu)
	case string(id) == "-total":
	case numbered && len(id) > 0:
		w.sample.Type, w.sample.TypeID = thread, id
	default:
		w.sample.SetApart([]byte("cpu"), w.cpu)
	}
}

// parseFields reads the fields and returns what follows them.
func (w *influxWriter) parseFields(b []byte) ([]byte, error) {
	for {
		key, rest, err := w.parser.name(b, true)
		if err != nil {
			return nil, err
		}
		if len(key) == 0 || len(rest) == 0 || rest[0] != '=' {
			return nil, errors.New("a field is missing: a line is <measurement>,<tags> <field>=<value>,... [<time>]")
		}
		value, number, rest, err := influxValue(rest[1:])
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", key, err)
		}
		if number {
			w.fields = append(w.fields, field{key, value})
		} else {
			w.result.Dropped++
		}
		if len(rest) == 0 || rest[0] != ',' {
			return rest, nil
		}
		b = rest[1:]
	}
}

// influxValue reads the value of a field and returns what follows it; number is false for a text.
func influxValue(b []byte) (v float64, number bool, rest []byte, err error) { //nolint:revive // what it is, and what is left
	if len(b) > 0 && b[0] == '"' {
		rest, err = skipText(b[1:])
		return 0, false, rest, err
	}
	end := 0
	for end < len(b) && b[end] != ' ' && b[end] != ',' {
		end++
	}
	if end > 0 && b[0] <= '9' { // a digit, a sign or a point
		v, err = parseValue(b[:end])
		return v, true, b[end:], err
	}
	switch string(b[:end]) {
	case "t", "T", "true", "True", "TRUE":
		v = 1
	case "f", "F", "false", "False", "FALSE":
	default:
		v, err = parseValue(b[:end])
	}
	return v, true, b[end:], err
}

// skipText returns what follows a text.
func skipText(b []byte) ([]byte, error) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[i+1:], nil
		}
	}
	return nil, errors.New("the text has no end")
}
