package metric

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// batch is one request that is worked off: by one goroutine, or by several when there are cores that no other request has.
type batch struct {
	service   *Service
	request   Request
	catalogue Catalogue
	next      atomic.Int64 // the query that nobody has taken yet
	points    atomic.Int64 // in the answer

	mu     sync.Mutex // guards answer.used; of the results, each is its querier's
	answer Answer
}

// queriesEach is for how many queries it is worth to start another goroutine.
const queriesEach = 8

// run answers the queries.
func (b *batch) run(ctx context.Context) error {
	n := len(b.answer.Queries)
	b.answer.Results = make([][]Result, n)
	workers := b.service.claimCores(n / queriesEach)
	defer b.service.asking.Add(-workers)
	if workers == 1 {
		return b.work(ctx)
	}
	return run.Tasks(ctx, slices.Repeat([]run.Task{b.work}, int(workers))...)
}

// claimCores returns how many goroutines may work for a request: one, and as many more as are wanted and as there are cores
// that no request has. They are counted in asking.
func (s *Service) claimCores(more int) (workers int64) {
	cores := int64(runtime.GOMAXPROCS(0))
	for {
		busy := s.asking.Load()
		workers = max(min(int64(more), cores-busy), 1)
		if s.asking.CompareAndSwap(busy, busy+workers) {
			return workers
		}
	}
}

// work answers queries until there are no more.
func (b *batch) work(ctx context.Context) error {
	q, ok := b.service.queriers.Get().(*querier)
	if !ok {
		q = &querier{}
	}
	q.batch = b
	defer b.finish(q)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		i := int(b.next.Add(1)) - 1
		if i >= len(b.answer.Queries) {
			return nil
		}
		b.answer.Results[i] = q.answer(&b.answer.Queries[i])
		if b.points.Load() > maxPoints {
			return fault.New(fault.TooLarge, "the answer would have more than %d points; ask for fewer series, a shorter time or a coarser resolution", maxPoints)
		}
	}
}

// finish takes over what q has used for the answer.
func (b *batch) finish(q *querier) {
	b.mu.Lock()
	b.answer.used = append(b.answer.used, q.room.used...)
	b.mu.Unlock()
	clear(q.room.used)
	q.room = room{used: q.room.used[:0]}
	q.batch = nil
	b.service.queriers.Put(q)
}

// block is memory for values of answers, which is used again: zeroing and collecting it takes longer than filling it.
type block [1 << 16]float64

// room is where values of an answer are put. A small answer takes no block.
type room struct {
	small int // values that are in no block
	free  []float64
	used  []*block
}

// take returns n values, whatever they are.
func (r *room) take(n int, s *Service) []float64 {
	const most = len(block{})
	if r.small+n <= most/4 || n > most/4 {
		r.small += min(n, most/4)
		return make([]float64, n)
	}
	if len(r.free) < n {
		b, ok := s.blocks.Get().(*block)
		if !ok {
			b = new(block)
		}
		r.used, r.free = append(r.used, b), b[:]
	}
	values := r.free[:n:n]
	r.free = r.free[n:]
	return values
}
