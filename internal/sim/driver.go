package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Head is what the simulated cluster asks of a head node.
type Head interface {
	// RegisterNodes makes nodes that the head does not know yet; it is no error when it does.
	RegisterNodes(ctx context.Context, cluster string, nodes []Node) error
	// RunningJobs returns the numbers of the cluster's running jobs with their start, and the highest number ever seen.
	RunningJobs(ctx context.Context, cluster string) (running map[int64]time.Time, last int64, err error)
	// StartJob tells that a job has started.
	StartJob(ctx context.Context, m Machine, j *Job) error
	// StopJob tells that a job has ended.
	StopJob(ctx context.Context, cluster string, id int64, start, end time.Time, state string) error
	// ReportNodes tells what the scheduler thinks of each node.
	ReportNodes(ctx context.Context, m Machine, jobs []*Job) error
	// WriteSamples sends lines of the line protocol.
	WriteSamples(ctx context.Context, cluster string, lines []byte) error
}

// Driver plays a machine against a head node.
type Driver struct {
	Machine  Machine
	Head     Head
	Clock    clock.Clock
	Log      *slog.Logger
	Seed     uint64
	Backfill time.Duration // history to make before going live
	Once     bool          // end after the history
	Progress func(done, total time.Duration)
}

// batchBytes is how much history goes into one request.
const batchBytes = 1 << 20

// Run makes the history and then lives, one step at a time, until ctx ends. Jobs that run at the end keep running: the
// next Run ends what an earlier one has left behind.
func (d *Driver) Run(ctx context.Context) error {
	last, err := d.prepare(ctx)
	if err != nil {
		return err
	}
	step := d.Machine.Step
	begin := d.Clock.Now().Add(-d.Backfill).Truncate(step)
	s := NewScheduler(d.Machine, d.Seed+uint64(last), begin, last)
	tick := begin
	if d.Backfill > 0 {
		if tick, err = d.history(ctx, s, begin); err != nil {
			return err
		}
	}
	if d.Once {
		return nil
	}
	return d.live(ctx, s, tick)
}

// prepare registers the nodes and ends jobs of an earlier run. It returns the highest job number so far.
func (d *Driver) prepare(ctx context.Context) (last int64, err error) {
	if err := d.Head.RegisterNodes(ctx, d.Machine.Name, d.Machine.Nodes); err != nil {
		return 0, fmt.Errorf("register nodes: %w", err)
	}
	running, last, err := d.Head.RunningJobs(ctx, d.Machine.Name)
	if err != nil {
		return 0, fmt.Errorf("list running jobs: %w", err)
	}
	for id, start := range running {
		if err := d.Head.StopJob(ctx, d.Machine.Name, id, start, d.Clock.Now(), "cancelled"); err != nil {
			return 0, fmt.Errorf("end job %d of an earlier run: %w", id, err)
		}
	}
	return last, nil
}

// history plays from begin to now as fast as the head takes it and returns the first tick that is left.
func (d *Driver) history(ctx context.Context, s *Scheduler, begin time.Time) (time.Time, error) {
	var buf []byte
	smp := sampler{machine: d.Machine}
	flush := func() error {
		if len(buf) == 0 {
			return nil
		}
		err := d.Head.WriteSamples(ctx, d.Machine.Name, buf)
		buf = buf[:0]
		return err
	}
	tick := begin
	for ; !tick.After(d.Clock.Now()); tick = tick.Add(d.Machine.Step) {
		ended, started := s.Advance(tick)
		if len(ended) > 0 || len(buf) > batchBytes { // a job that stops is archived at once: its samples go first
			if err := flush(); err != nil {
				return tick, fmt.Errorf("write samples: %w", err)
			}
		}
		if err := d.events(ctx, ended, started); err != nil {
			return tick, err
		}
		buf = smp.append(buf, tick, s.Running())
		if d.Progress != nil {
			d.Progress(tick.Sub(begin), d.Backfill)
		}
	}
	if err := flush(); err != nil {
		return tick, fmt.Errorf("write samples: %w", err)
	}
	return tick, d.Head.ReportNodes(ctx, d.Machine, s.Running())
}

// live plays one step each time that the clock has reached it. A head that does not answer is tried again at the next
// step: collectors outlive restarts.
func (d *Driver) live(ctx context.Context, s *Scheduler, tick time.Time) error {
	smp := sampler{machine: d.Machine}
	var late eventQueue
	for ; ; tick = tick.Add(d.Machine.Step) {
		if err := clock.Sleep(ctx, d.Clock, tick.Sub(d.Clock.Now())); err != nil {
			return nil //nolint:nilerr // the end of the context is the normal end of a simulation
		}
		ended, started := s.Advance(tick)
		late.add(ended, started)
		err := errors.Join(
			d.Head.WriteSamples(ctx, d.Machine.Name, smp.append(nil, tick, s.Running())),
			d.replay(ctx, &late),
			d.Head.ReportNodes(ctx, d.Machine, s.Running()),
		)
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("the head node did not take everything; trying again", "error", err)
		}
	}
}

// eventQueue holds the job events that the head has not taken yet, in order.
type eventQueue struct {
	events []event
}

type event struct {
	job *Job
	end bool
}

func (q *eventQueue) add(ended, started []*Job) {
	for _, j := range ended {
		q.events = append(q.events, event{j, true})
	}
	for _, j := range started {
		q.events = append(q.events, event{j, false})
	}
}

func (d *Driver) events(ctx context.Context, ended, started []*Job) error {
	var q eventQueue
	q.add(ended, started)
	return d.replay(ctx, &q)
}

// replay sends events until one fails; the rest stay in the queue.
func (d *Driver) replay(ctx context.Context, q *eventQueue) error {
	for len(q.events) > 0 {
		e := q.events[0]
		var err error
		if e.end {
			err = d.Head.StopJob(ctx, d.Machine.Name, e.job.ID, e.job.Start, e.job.End, e.job.State)
		} else {
			err = d.Head.StartJob(ctx, d.Machine, e.job)
		}
		if err != nil {
			return fmt.Errorf("job %d: %w", e.job.ID, err)
		}
		q.events = q.events[1:]
	}
	return nil
}
