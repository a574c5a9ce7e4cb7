package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/decimal"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// queryReply is the answer to a query: a list of results for each query. It is written straight from the samples, since
// it can have millions of them.
type queryReply struct {
	queries     []queryItem // only with for-all-nodes
	answer      metric.Answer
	stats, data bool
}

// Respond writes the reply.
func (q queryReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	defer q.answer.Release()
	head := []byte("{")
	if q.queries != nil {
		queries, err := json.Marshal(q.queries)
		if err != nil {
			return fmt.Errorf("encode queries: %w", err)
		}
		head = append(append(append(head, `"queries":`...), queries...), ',')
	}
	e := encoder{api.BeginStream(w)}
	e.Buf = append(head, `"results":[`...)
	for i, results := range q.answer.Results {
		e.Separate(i)
		e.Buf = append(e.Buf, '[')
		for j := range results {
			e.Separate(j)
			e.result(&results[j], q.stats, q.data)
		}
		e.Buf = append(e.Buf, ']')
	}
	e.Buf = append(e.Buf, "]}\n"...)
	e.Flush()
	return nil
}

// encoder writes results.
type encoder struct{ *api.Stream }

func (e *encoder) result(r *metric.Result, stats, data bool) {
	if r.Err != nil {
		text, _ := json.Marshal(fault.Message(r.Err))
		e.Buf = append(append(append(e.Buf, `{"error":`...), text...), `,"from":0,"to":0,"resolution":0,"avg":0,"min":0,"max":0}`...)
		return
	}
	e.Buf = append(e.Buf, '{')
	if data {
		e.samples(r.Data)
		e.Buf = append(e.Buf, ',')
	}
	e.Buf = strconv.AppendInt(append(e.Buf, `"from":`...), r.From.Unix(), 10)
	e.Buf = strconv.AppendInt(append(e.Buf, `,"to":`...), r.To.Unix(), 10)
	e.Buf = strconv.AppendInt(append(e.Buf, `,"resolution":`...), int64(r.Step.Seconds()), 10)
	if stats {
		e.statistic(`,"avg":`, r.Statistics.Avg)
		e.statistic(`,"min":`, r.Statistics.Min)
		e.statistic(`,"max":`, r.Statistics.Max)
	}
	e.Buf = append(e.Buf, '}')
}

// samplesAtOnce is how many samples are written between two looks at how much has been collected.
const samplesAtOnce = 1024

func (e *encoder) samples(values []float64) {
	e.Buf = append(e.Buf, `"data":[`...)
	for i := 0; i < len(values); i += samplesAtOnce {
		e.Separate(i)
		e.Buf = decimal.AppendFixed3(e.Buf, values[i:min(i+samplesAtOnce, len(values))]...)
		e.Pass()
	}
	e.Buf = append(e.Buf, ']')
}

// statistic appends a number with two decimals; what is none becomes null.
func (e *encoder) statistic(name string, v float64) {
	e.Buf = append(e.Buf, name...)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		e.Buf = append(e.Buf, "null"...)
		return
	}
	e.Buf = decimal.AppendFixed2(e.Buf, v)
}
