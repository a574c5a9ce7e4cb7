package promql

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// writeRequest is an encoded prometheus.WriteRequest. It is read where it lies: no sample and no label costs memory.
type writeRequest []byte

// Numbers of the fields that are read. Everything else (metadata, exemplars, histograms) is passed over.
const (
	requestSeries                  = 1
	seriesLabels, seriesSamples    = 1, 2
	labelName, labelValue          = 1, 2
	sampleValue, sampleMillisecond = 1, 2
)

// maxLabels is how many labels a series may have.
const maxLabels = 256

// check reads the whole request and returns what is wrong with its form.
func (w writeRequest) check() error { return w.each(func(*metric.Foreign) bool { return true }) }

// samples yields the samples. The request must have passed check. Each sample is good until the next.
func (w writeRequest) samples(yield func(*metric.Foreign) bool) {
	_ = w.each(yield) // checked
}

func (w writeRequest) each(yield func(*metric.Foreign) bool) error {
	var s sender
	f := fields{rest: w}
	for f.next() {
		if f.number != requestSeries || f.kind != protowire.BytesType {
			continue
		}
		if err := s.readLabels(f.bytes); err != nil {
			return fmt.Errorf("series %d: %w", s.number, err)
		}
		more, err := s.each(f.bytes, yield)
		if err != nil {
			return fmt.Errorf("series %d: %w", s.number, err)
		}
		if !more {
			return nil
		}
	}
	return f.err
}

// sender reads one series after the other.
type sender struct {
	number int // the first one is 1
	sample metric.Foreign
	names
}

// names are the labels that may name the host, the one before the other.
type names struct{ hostname, host, instance []byte }

// readLabels reads the labels of a series, which need not stand before its samples.
func (s *sender) readLabels(message []byte) error {
	s.number++
	s.sample, s.names = metric.Foreign{}, names{}
	n := 0
	f := fields{rest: message}
	for f.next() {
		if f.number != seriesLabels || f.kind != protowire.BytesType {
			continue
		}
		if n++; n > maxLabels {
			return fmt.Errorf("more than %d labels", maxLabels)
		}
		name, value, err := readLabel(f.bytes)
		if err != nil {
			return err
		}
		s.label(name, value)
	}
	s.place()
	return f.err
}

func readLabel(message []byte) (name, value []byte, err error) {
	f := fields{rest: message}
	for f.next() {
		switch {
		case f.kind != protowire.BytesType:
		case f.number == labelName:
			name = f.bytes
		case f.number == labelValue:
			value = f.bytes
		}
	}
	return name, value, f.err
}

// label puts a label where it belongs. What the store has no place for tells origins apart. An empty label is none.
func (s *sender) label(name, value []byte) {
	if len(value) == 0 {
		return
	}
	l := &s.sample
	to := s.room(name)
	switch {
	case to == nil:
		l.SetApart(name, value)
		return
	case *to != nil: // one of the two would be another series
		l.Err = fmt.Errorf("label %s is there twice", name)
	case to == &s.instance:
		l.SetApart(name, value) // the port that is cut off tells exporters of one host apart
	}
	*to = value
}

// room returns where the value of a label belongs, nil for labels that the store has no place for.
func (s *sender) room(name []byte) *[]byte {
	l := &s.sample
	switch string(name) {
	case "__name__":
		return &l.Metric
	case "cluster":
		return &l.Cluster
	case "hostname":
		return &s.hostname
	case "host":
		return &s.host
	case "instance":
		return &s.instance
	case "type":
		return &l.Type
	case "type-id", "type_id":
		return &l.TypeID
	case "stype":
		return &l.SubType
	case "stype-id", "stype_id":
		return &l.SubTypeID
	default:
		return nil
	}
}

// place finds out which host the series belongs to.
func (s *sender) place() {
	switch l := &s.sample; {
	case len(s.hostname) > 0:
		l.Host = s.hostname
		if len(s.host) > 0 {
			l.SetApart([]byte("host"), s.host)
		}
	case len(s.host) > 0:
		l.Host = s.host
	default:
		l.Host = withoutPort(s.instance)
	}
}

// withoutPort returns the host of an address host:port.
func withoutPort(address []byte) []byte {
	i := bytes.LastIndexByte(address, ':')
	if i < 0 || i+1 == len(address) || bytes.IndexFunc(address[i+1:], func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
		return address
	}
	host := address[:i]
	if inner, ok := bytes.CutPrefix(host, []byte("[")); ok {
		return bytes.TrimSuffix(inner, []byte("]"))
	}
	if bytes.IndexByte(host, ':') >= 0 { // an address of version 6 without a port
		return address
	}
	return host
}

// each yields the samples of a series; more is false when no more are wanted. Values that are no number are left out: with
// one of them, Prometheus says that a series has ended.
func (s *sender) each(message []byte, yield func(*metric.Foreign) bool) (more bool, err error) {
	f := fields{rest: message}
	named := s.sample.Line
	for f.next() {
		if f.number != seriesSamples || f.kind != protowire.BytesType {
			continue
		}
		value, milliseconds, err := readSample(f.bytes)
		if err != nil {
			return false, err
		}
		if math.IsNaN(value) {
			continue
		}
		s.sample.Line = named // whoever took the last one may have completed it
		s.sample.Value, s.sample.Time, s.sample.HasTime = value, seconds(milliseconds), true
		if !yield(&s.sample) {
			return false, nil
		}
	}
	return true, f.err
}

func readSample(message []byte) (value float64, milliseconds int64, err error) {
	f := fields{rest: message}
	for f.next() {
		switch {
		case f.number == sampleValue && f.kind == protowire.Fixed64Type:
			value = math.Float64frombits(f.bits)
		case f.number == sampleMillisecond && f.kind == protowire.VarintType:
			milliseconds = int64(f.bits)
		}
	}
	return value, milliseconds, f.err
}

// fields goes through the fields of a message.
type fields struct {
	rest   []byte
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of a field with a length
	bits   uint64 // of a number
	err    error
}

var errCut = errors.New("it is cut off or damaged")

// next reads the next field; false at the end and when something is wrong, which err then says.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.err != nil {
		return false
	}
	number, kind, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		f.err = errCut
		return false
	}
	f.rest, f.number, f.kind = f.rest[n:], number, kind
	switch kind { //nolint:exhaustive // what nobody reads is passed over
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(f.rest)
	case protowire.VarintType:
		f.bits, n = protowire.ConsumeVarint(f.rest)
	case protowire.Fixed64Type:
		f.bits, n = protowire.ConsumeFixed64(f.rest)
	default:
		n = protowire.ConsumeFieldValue(number, kind, f.rest)
	}
	if n < 0 {
		f.err = errCut
		return false
	}
	f.rest = f.rest[n:]
	return true
}
