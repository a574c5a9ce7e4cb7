package ingest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// queryReply is the answer to a query: a list of results for each query. It is written straight from the samples, since
// it can have millions of them.
type queryReply struct {
	queries     []queryItem // only with for-all-nodes
	results     [][]metric.Result
	stats, data bool
}

// flushAt is how much is collected before it is sent.
const flushAt = 64 << 10

// Respond writes the reply.
func (q queryReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	head := []byte("{")
	if q.queries != nil {
		queries, err := json.Marshal(q.queries)
		if err != nil {
			return fmt.Errorf("encode queries: %w", err)
		}
		head = append(append(append(head, `"queries":`...), queries...), ',')
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	e := encoder{to: w, buf: append(head, `"results":[`...)}
	for i, results := range q.results {
		e.separate(i)
		e.buf = append(e.buf, '[')
		for j := range results {
			e.separate(j)
			e.result(&results[j], q.stats, q.data)
		}
		e.buf = append(e.buf, ']')
	}
	e.buf = append(e.buf, "]}\n"...)
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

// separate appends a comma in front of all elements of a list but the first.
func (e *encoder) separate(i int) {
	if i > 0 {
		e.buf = append(e.buf, ',')
	}
}

func (e *encoder) result(r *metric.Result, stats, data bool) {
	if r.Err != nil {
		text, _ := json.Marshal(fault.Message(r.Err))
		e.buf = append(append(append(e.buf, `{"error":`...), text...), `,"from":0,"to":0,"resolution":0,"avg":0,"min":0,"max":0}`...)
		return
	}
	e.buf = append(e.buf, '{')
	if data {
		e.samples(r.Data)
		e.buf = append(e.buf, ',')
	}
	e.buf = strconv.AppendInt(append(e.buf, `"from":`...), r.From.Unix(), 10)
	e.buf = strconv.AppendInt(append(e.buf, `,"to":`...), r.To.Unix(), 10)
	e.buf = strconv.AppendInt(append(e.buf, `,"resolution":`...), int64(r.Step.Seconds()), 10)
	if stats {
		e.buf = appendFixed(append(e.buf, `,"avg":`...), r.Statistics.Avg, 2)
		e.buf = appendFixed(append(e.buf, `,"min":`...), r.Statistics.Min, 2)
		e.buf = appendFixed(append(e.buf, `,"max":`...), r.Statistics.Max, 2)
	}
	e.buf = append(e.buf, '}')
}

func (e *encoder) samples(values []float64) {
	e.buf = append(e.buf, `"data":[`...)
	for i, v := range values {
		e.separate(i)
		e.buf = appendFixed(e.buf, v, 3)
		if len(e.buf) > flushAt {
			e.flush()
		}
	}
	e.buf = append(e.buf, ']')
}

// appendFixed appends v with two or three decimals, as strconv rounds it, and null for what is not a finite number.
//
// Of numbers of usual size the multiple is at most one ten-thousandth wrong, so rounding it is right unless it lies that
// close to the middle between two results.
func appendFixed(dst []byte, v float64, decimals int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	factor := 1000.0
	if decimals == 2 {
		factor = 100
	}
	scaled := math.Abs(v) * factor
	n := uint64(0)
	if scaled < 1e12 {
		n = uint64(scaled)
	}
	fraction := scaled - float64(n)
	if scaled >= 1e12 || math.Abs(fraction-0.5) < 1e-3 {
		return strconv.AppendFloat(dst, v, 'f', decimals, 64)
	}
	if fraction > 0.5 {
		n++
	}
	if math.Signbit(v) {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, n/uint64(factor), 10)
	rest := n % uint64(factor)
	dst = append(dst, '.')
	if decimals == 3 {
		dst = append(dst, byte('0'+rest/100))
	}
	return append(dst, byte('0'+rest/10%10), byte('0'+rest%10))
}
