package sim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// LineWriter takes lines of the line protocol. *client.Client is one.
type LineWriter interface {
	// WriteLines returns nil when the lines have been taken.
	WriteLines(ctx context.Context, cluster string, lines []byte) error
}

// Fill is the writing half of the workload: history, as fast as a store takes it.
type Fill struct {
	Workload
	From        time.Time
	Steps       int // samples of each series
	Connections int // that write at the same time
	NodesEach   int // nodes whose lines go into one request
	Clock       clock.Clock
	Progress    func(done, of int) // nil tells nobody
}

// Filled says how a Fill went.
type Filled struct {
	Samples  int64
	Took     time.Duration
	Requests []time.Duration // sorted
}

// Run writes everything. Each connection has its share of the nodes, step by step, so that time goes on for all of them.
func (f Fill) Run(ctx context.Context, to LineWriter) (Filled, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards done and all
	var all Filled
	done := 0
	began := f.Clock.Now()
	for c := range f.Connections {
		wg.Go(func() {
			took, samples, err := f.share(ctx, to, c, func() {
				mu.Lock()
				defer mu.Unlock()
				if done++; f.Progress != nil {
					f.Progress(done, f.Steps*f.Connections)
				}
			})
			if err != nil {
				cancel(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all.Samples += samples
			all.Requests = append(all.Requests, took...)
		})
	}
	wg.Wait()
	all.Took = f.Clock.Now().Sub(began)
	slices.Sort(all.Requests)
	return all, context.Cause(ctx)
}

// share writes what one connection has to.
func (f Fill) share(ctx context.Context, to LineWriter, number int, stepped func()) (took []time.Duration, samples int64, err error) {
	var nodes []*loadNode
	for n := number; n < f.Nodes; n += f.Connections {
		nodes = append(nodes, f.node(n))
	}
	var lines []byte
	for step := range f.Steps {
		at := f.From.Add(time.Duration(step) * f.Step)
		for batch := range slices.Chunk(nodes, max(f.NodesEach, 1)) {
			lines = lines[:0]
			for _, n := range batch {
				lines = n.appendLines(lines, at)
			}
			began := f.Clock.Now()
			if err := to.WriteLines(ctx, f.Cluster, lines); err != nil {
				return took, samples, fmt.Errorf("write %d nodes at step %d: %w", len(batch), step, err)
			}
			took = append(took, f.Clock.Now().Sub(began))
			samples += int64(len(batch) * WorkloadSeries)
		}
		stepped()
	}
	return took, samples, nil
}
