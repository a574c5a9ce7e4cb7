package promql

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

const (
	// defaultLookback is how old a sample may be to stand for a time, when it is not known which metrics are meant.
	defaultLookback = 5 * time.Minute
	// lookbackSteps is the same for a metric, in its own steps, and leastLookback the least of all.
	lookbackSteps = 3
	leastLookback = time.Minute
)

// queryParams are the parameters of a question at one time.
type queryParams struct {
	api.AnyQuery
	Query    string `query:"query" doc:"The expression." example:"sum by (hostname) (cpu_load)"`
	Time     string `query:"time" doc:"When; in Unix seconds or as RFC 3339. Default: now."`
	Timeout  string `query:"timeout" doc:"How long the answer may take, at most as long as this server allows." example:"10s"`
	Lookback string `query:"lookback_delta" doc:"How old a sample may be. Default: three steps of the metric, at least a minute."`
	Limit    string `query:"limit" doc:"So many series at most; 0, or none, is all." example:"100"`
}

func (d *dialect) query(ctx context.Context, r api.Request[queryParams, api.RawBody]) (queryReply, error) {
	p, err := paramsOf(r.HTTP, r.Body)
	if err != nil {
		return queryReply{}, err
	}
	at := p.time("time", d.Clock.Now())
	ctx, cancel := context.WithTimeout(ctx, p.timeout(d.Timeout))
	defer cancel()
	lookback, limit := p.duration("lookback_delta", 0), p.limit()
	if p.err != nil {
		return queryReply{}, p.err
	}
	q, opts, err := d.question(ctx, r.Caller, p.Get("query"), lookback)
	if err != nil {
		return queryReply{}, err
	}
	query, err := d.engine.NewInstantQuery(ctx, q, opts, p.Get("query"), at)
	return d.execute(ctx, limit, query, err)
}

// rangeParams are the parameters of a question over a range of time.
type rangeParams struct {
	api.AnyQuery
	Query    string `query:"query" doc:"The expression." example:"rate(ib_recv[5m])"`
	Start    string `query:"start" doc:"The first time; in Unix seconds or as RFC 3339."`
	End      string `query:"end" doc:"The last time."`
	Step     string `query:"step" doc:"Distance between two times; in seconds, or with a unit." example:"60s"`
	Timeout  string `query:"timeout" doc:"How long the answer may take, at most as long as this server allows." example:"10s"`
	Lookback string `query:"lookback_delta" doc:"How old a sample may be. Default: three steps of the metric, at least a minute."`
	Limit    string `query:"limit" doc:"So many series at most; 0, or none, is all." example:"100"`
}

func (d *dialect) queryRange(ctx context.Context, r api.Request[rangeParams, api.RawBody]) (queryReply, error) {
	p, err := paramsOf(r.HTTP, r.Body)
	if err != nil {
		return queryReply{}, err
	}
	start, end, step := p.time("start", time.Time{}), p.time("end", time.Time{}), p.duration("step", 0)
	ctx, cancel := context.WithTimeout(ctx, p.timeout(d.Timeout))
	defer cancel()
	lookback, limit := p.duration("lookback_delta", 0), p.limit()
	switch {
	case p.err != nil:
		return queryReply{}, p.err
	case start.IsZero() || end.IsZero() || step <= 0:
		return queryReply{}, fault.New(fault.Invalid, "start, end and a step above zero are needed")
	case end.Before(start):
		return queryReply{}, fault.New(fault.Invalid, "the range ends before it starts")
	case step < time.Millisecond:
		return queryReply{}, fault.New(fault.Invalid, "the step is shorter than a millisecond")
	case (end.UnixMilli()-start.UnixMilli())/step.Milliseconds() > int64(d.MaxSteps):
		return queryReply{}, fault.New(fault.Invalid, "the range has more than %d steps; ask for a shorter one, or for larger steps", d.MaxSteps)
	}
	q, opts, err := d.question(ctx, r.Caller, p.Get("query"), lookback)
	if err != nil {
		return queryReply{}, err
	}
	query, err := d.engine.NewRangeQuery(ctx, q, opts, p.Get("query"), start, end, step)
	return d.execute(ctx, limit, query, err)
}

// question returns what the engine reads from, and how.
func (d *dialect) question(ctx context.Context, c identity.Caller, text string, lookback time.Duration) (*question, promql.QueryOpts, error) {
	if text == "" {
		return nil, nil, fault.New(fault.Invalid, "the expression is missing: parameter query")
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return nil, nil, fault.Because(fault.Invalid, err, "the expression cannot be read: %s", err)
	}
	q := &question{scope: newScope(d.Metrics, c), ctx: ctx, maxSeries: d.MaxSeries, maxSamples: d.MaxSamples}
	if lookback <= 0 {
		lookback = q.lookback(expr)
	}
	return q, promql.NewPrometheusQueryOpts(false, lookback), nil
}

// lookback returns how old a sample may be to stand for a time: a few steps of the metric with the largest ones.
func (s scope) lookback(expr parser.Expr) time.Duration {
	longest := time.Duration(0)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, cluster := range s.clusters(selector.LabelMatchers) {
			catalogue := s.metrics.Catalogue(cluster)
			for _, name := range s.names(cluster, selector.LabelMatchers) {
				longest = max(longest, catalogue[name].Frequency)
			}
		}
		return nil
	})
	if longest == 0 {
		return defaultLookback
	}
	return max(lookbackSteps*longest, leastLookback)
}

// execute has the engine answer a question, with so many series at most; 0 is all. err is why it cannot be asked.
func (d *dialect) execute(ctx context.Context, limit int, query promql.Query, err error) (queryReply, error) {
	if err != nil && ctx.Err() != nil { // it has waited for its turn
		return queryReply{}, executionError(ctx, err)
	}
	if err != nil { // such as a kind of value that a range has none of
		return queryReply{}, fault.Because(fault.Invalid, err, "%s", err)
	}
	result := query.Exec(ctx)
	if result.Err != nil {
		query.Close()
		return queryReply{}, executionError(ctx, result.Err)
	}
	return queryReply{query, result, limit}, nil
}

// errExecution is the cause of a failure to evaluate an expression that could be read.
var errExecution = errors.New("evaluate an expression")

// executionError gives an error of the engine its kind.
func executionError(ctx context.Context, err error) error {
	var storageError promql.ErrStorage
	if errors.As(err, &storageError) {
		err = storageError.Err
	}
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	switch {
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.Because(fault.Unavailable, errTimeout, "the question took too long, or too many others were asked at the same time")
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return fault.Because(fault.Unavailable, errCanceled, "the question was cancelled")
	case fault.KindOf(err) != fault.Internal:
		return err
	default: // of the engine, about the expression: nothing of it is a secret
		return fault.Because(fault.Invalid, errors.Join(errExecution, err), "%s", err)
	}
}

// errTimeout is the cause of a failure for want of time, errCanceled of one for want of somebody who waits for the answer.
var (
	errTimeout  = errors.New("out of time")
	errCanceled = errors.New("the client has left")
)
