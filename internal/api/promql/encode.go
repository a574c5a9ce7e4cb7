package promql

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/decimal"
)

// queryReply is the answer to a question, in the form of Prometheus. It is written straight from the result, since it can
// have millions of points.
type queryReply struct {
	query  promql.Query
	result *promql.Result
	limit  int // of series; 0 for all
}

// Respond writes the reply.
func (q queryReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	defer q.query.Close()
	e := encoder{api.BeginStream(w)}
	e.Text(`{"status":"success","data":{"resultType":"`, string(q.result.Value.Type()), `","result":`)
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
		e.Text("[")
		e.time(v.T)
		e.Text(",")
		e.string(v.V)
		e.Text("]")
	}
	e.Text("}")
	warnings, infos := q.result.Warnings.AsStrings(q.query.String(), 10, 10)
	if more {
		warnings = append(warnings, warnCut)
	}
	e.strings("warnings", warnings)
	e.strings("infos", infos)
	e.Text("}\n")
	e.Flush()
	return nil
}

// encoder writes results.
type encoder struct{ *api.Stream }

func (e *encoder) string(s string) {
	text, _ := json.Marshal(s) // a string always encodes
	e.Buf = append(e.Buf, text...)
}

// strings writes a member with a list, when there is something in it.
func (e *encoder) strings(name string, list []string) {
	for i, s := range list {
		if i == 0 {
			e.Text(`,"`, name, `":[`)
		} else {
			e.Text(",")
		}
		e.string(s)
	}
	if len(list) > 0 {
		e.Text("]")
	}
}

func (e *encoder) labels(all labels.Labels) {
	e.Text("{")
	first := true
	all.Range(func(l labels.Label) {
		if !first {
			e.Text(",")
		}
		first = false
		e.string(l.Name)
		e.Text(":")
		e.string(l.Value)
	})
	e.Text("}")
}

func (e *encoder) matrix(m promql.Matrix) {
	e.Text("[")
	for i := range m {
		e.Separate(i)
		e.Text(`{"metric":`)
		e.labels(m[i].Metric)
		e.Text(`,"values":[`)
		for j, p := range m[i].Floats {
			e.Separate(j)
			e.point(p.T, p.F)
		}
		e.Text("]}")
	}
	e.Text("]")
}

func (e *encoder) vector(v promql.Vector) {
	e.Text("[")
	for i := range v {
		e.Separate(i)
		e.Text(`{"metric":`)
		e.labels(v[i].Metric)
		e.Text(`,"value":`)
		e.point(v[i].T, v[i].F)
		e.Text("}")
	}
	e.Text("]")
}

// point writes a time with a value. Values are texts, since JSON has no infinite numbers.
func (e *encoder) point(milliseconds int64, v float64) {
	e.Buf = append(e.Buf, '[')
	e.time(milliseconds)
	e.Buf = append(e.Buf, `,"`...)
	switch size := math.Abs(v); {
	case size == 0 || size >= 1e-6 && size < 1e21:
		e.Buf = decimal.Append(e.Buf, v)
	default: // NaN too
		e.Buf = strconv.AppendFloat(e.Buf, v, 'e', -1, 64)
	}
	e.Text(`"]`)
}

// time writes a time in seconds.
func (e *encoder) time(milliseconds int64) {
	if milliseconds%1000 == 0 {
		e.Buf = strconv.AppendInt(e.Buf, milliseconds/1000, 10)
		return
	}
	e.Buf = decimal.Append(e.Buf, float64(milliseconds)/1000)
}
