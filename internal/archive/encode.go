package archive

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/decimal"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// encoder writes data.json. It is written by hand, since the numbers have a form of their own and there are many of
// them. The first error of the writer sticks.
type encoder struct {
	w   io.Writer
	buf []byte
	err error
}

// flushSize is how much is collected before it is written.
const flushSize = 32 << 10

func (e *encoder) flush() {
	if e.err == nil && len(e.buf) > 0 {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) text(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) quoted(s string) {
	text, err := json.Marshal(s)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf = append(e.buf, text...)
}

// appendNumber writes v with two decimals and never with an exponent; what is no number becomes null.
func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if math.Abs(v) < 0.005 {
		v = 0 // not -0.00
	}
	return decimal.AppendFixed2(b, v)
}

func (e *encoder) numbers(values []float64) {
	e.text("[")
	for i, v := range values {
		if i > 0 {
			e.text(",")
		}
		e.buf = appendNumber(e.buf, v)
		if len(e.buf) > flushSize {
			e.flush()
		}
	}
	e.text("]")
}

// encodeData writes data.json: metrics and scopes sorted by name, so that equal data gives equal files.
func encodeData(w io.Writer, d job.Data) error {
	e := &encoder{w: w}
	e.text("{")
	for i, name := range slices.Sorted(maps.Keys(d)) {
		if i > 0 {
			e.text(",")
		}
		e.quoted(name)
		e.text(":{")
		for i, scope := range slices.Sorted(maps.Keys(d[name])) {
			if i > 0 {
				e.text(",")
			}
			e.quoted(string(scope))
			e.text(":")
			e.metric(d[name][scope])
		}
		e.text("}")
		if e.flush(); e.err != nil {
			return e.err
		}
	}
	e.text("}\n")
	e.flush()
	return e.err
}

func (e *encoder) metric(md job.MetricData) {
	e.text(`{"unit":`)
	e.unit(md.Unit)
	e.text(`,"timestep":`)
	e.buf = strconv.AppendInt(e.buf, int64(md.Step/time.Second), 10)
	e.text(`,"series":[`)
	for i, s := range md.Series {
		if i > 0 {
			e.text(",")
		}
		e.series(s)
	}
	e.text("]")
	if b := md.Bands; b != nil {
		e.text(`,"statisticsSeries":{"min":`)
		e.numbers(b.Min)
		e.text(`,"max":`)
		e.numbers(b.Max)
		e.text(`,"mean":`)
		e.numbers(b.Mean)
		e.text(`,"median":`)
		e.numbers(b.Median)
		e.text("}")
	}
	e.text("}")
}

func (e *encoder) unit(u metric.Unit) {
	e.text(`{"base":`)
	e.quoted(u.Base)
	if u.Prefix != "" {
		e.text(`,"prefix":`)
		e.quoted(u.Prefix)
	}
	e.text("}")
}

func (e *encoder) series(s job.Series) {
	e.text(`{"hostname":`)
	e.quoted(s.Hostname)
	if s.ID != "" {
		e.text(`,"id":`)
		e.quoted(s.ID)
	}
	e.text(`,"statistics":{"min":`)
	e.buf = appendNumber(e.buf, s.Statistics.Min)
	e.text(`,"avg":`)
	e.buf = appendNumber(e.buf, s.Statistics.Avg)
	e.text(`,"max":`)
	e.buf = appendNumber(e.buf, s.Statistics.Max)
	e.text(`},"data":`)
	e.numbers(s.Data)
	e.text("}")
}

func gzipped(w io.Writer, d job.Data) error {
	file := bufio.NewWriter(w)
	zip := gzip.NewWriter(file)
	return errors.Join(encodeData(zip, d), zip.Close(), file.Flush())
}
