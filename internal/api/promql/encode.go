package promql

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// queryReply is the answer to a question, in the form of Prometheus. It is written straight from the result, since it can
// have millions of points.
type queryReply struct {
	query  promql.Query
	result *promql.Result
	limit  int // of series; 0 for all
}

// flushAt is how much is collected before it is sent.
const flushAt = 64 << 10

// Respond writes the reply.
func (q queryReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	defer q.query.Close()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	e := encoder{to: w}
	e.text(`{"status":"success","data":{"resultType":"`, string(q.result.Value.Type()), `","result":`)
	more := false
	switch v := q.result.Value.(type) {
	case promql.Matrix:
		l := cut(v, q.limit)
		e.matrix(l.Data)
		more = l.Cut
	case promql.Vector:
		l := cut(v, q.limit)
		e.vector(l.Data)
		more = l.Cut
	case promql.Scalar:
		e.point(v.T, v.V)
	case promql.String:
		e.text("[")
		e.time(v.T)
		e.text(",")
		e.string(v.V)
		e.text("]")
	}
	e.text("}")
	warnings, infos := q.result.Warnings.AsStrings("", 10, 10)
	if more {
		warnings = append(warnings, warnCut)
	}
	e.strings("warnings", warnings)
	e.strings("infos", infos)
	e.text("}\n")
	e.flush()
	return nil
}

// encoder writes JSON piece by piece.
type encoder struct {
	to   io.Writer
	buf  []byte
	gone bool // the client is
}

func (e *encoder) flush() {
	if !e.gone {
		_, err := e.to.Write(e.buf)
		e.gone = err != nil // nobody is left to tell
	}
	e.buf = e.buf[:0]
}

func (e *encoder) text(pieces ...string) {
	for _, p := range pieces {
		e.buf = append(e.buf, p...)
	}
	if len(e.buf) > flushAt {
		e.flush()
	}
}

func (e *encoder) string(s string) {
	text, _ := json.Marshal(s) // a string always encodes
	e.buf = append(e.buf, text...)
}

// strings writes a member with a list, when there is something in it.
func (e *encoder) strings(name string, list []string) {
	for i, s := range list {
		if i == 0 {
			e.text(`,"`, name, `":[`)
		} else {
			e.text(",")
		}
		e.string(s)
	}
	if len(list) > 0 {
		e.text("]")
	}
}

func (e *encoder) labels(all labels.Labels) {
	e.text("{")
	first := true
	all.Range(func(l labels.Label) {
		if !first {
			e.text(",")
		}
		first = false
		e.string(l.Name)
		e.text(":")
		e.string(l.Value)
	})
	e.text("}")
}

func (e *encoder) matrix(m promql.Matrix) {
	e.text("[")
	for i := range m {
		if i > 0 {
			e.text(",")
		}
		e.text(`{"metric":`)
		e.labels(m[i].Metric)
		e.text(`,"values":[`)
		for j, p := range m[i].Floats {
			if j > 0 {
				e.text(",")
			}
			e.point(p.T, p.F)
		}
		e.text("]}")
	}
	e.text("]")
}

func (e *encoder) vector(v promql.Vector) {
	e.text("[")
	for i := range v {
		if i > 0 {
			e.text(",")
		}
		e.text(`{"metric":`)
		e.labels(v[i].Metric)
		e.text(`,"value":`)
		e.point(v[i].T, v[i].F)
		e.text("}")
	}
	e.text("]")
}

// point writes a time with a value. Values are texts, since JSON has no infinite numbers.
func (e *encoder) point(milliseconds int64, v float64) {
	e.text("[")
	e.time(milliseconds)
	e.text(`,"`)
	form := byte('f')
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		form = 'e'
	}
	e.buf = strconv.AppendFloat(e.buf, v, form, -1, 64)
	e.text(`"]`)
}

// time writes a time in seconds.
func (e *encoder) time(milliseconds int64) {
	e.buf = strconv.AppendFloat(e.buf, float64(milliseconds)/1000, 'f', -1, 64)
}
