package job

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Data is the samples of a job: metric -> scope -> series.
type Data map[string]map[metric.Scope]MetricData

// MetricData is one metric of a job at one scope.
type MetricData struct {
	Unit   metric.Unit
	Step   time.Duration // distance between two samples
	Series []Series
	// Bands sums up many series, slot by slot. nil when there are fewer than 8 series.
	Bands *Bands
}

// Series is the samples of one device of one host of a job. Slot 0 is the job's start; an absent sample is NaN.
type Series struct {
	Hostname   string
	ID         string // device, "" at node scope
	Statistics metric.Statistics
	Data       []float64
}

// Bands is what many series have in common: their minimum, mean, median and maximum in each slot.
type Bands struct {
	Min, Mean, Median, Max []float64
}

// Selection says which samples of a job are wanted.
type Selection struct {
	Metrics    []string       // nil: every metric of the job's sub-cluster
	Scopes     []metric.Scope // nil: node
	Resolution time.Duration  // 0: as stored
	Points     int            // at most about so many samples a series; 0: no limit
}

// Querier answers metric queries. *metric.Service is one.
type Querier interface {
	// Query returns the samples; fault.Invalid when the request makes no sense.
	Query(ctx context.Context, r metric.Request) (metric.Answer, error)
}

// Archive keeps finished jobs.
type Archive interface {
	// WriteJob stores a finished job, its statistics filled in, with its samples. It replaces what is there.
	WriteJob(ctx context.Context, j Job, d Data) error
	// ReadData returns the samples of an archived job; fault.NotFound.
	ReadData(ctx context.Context, j Job) (Data, error)
}
