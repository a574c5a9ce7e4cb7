package cli

import (
	"context"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// requestsAtOnce is how many requests a tool has under way at the head.
const requestsAtOnce = 16

// each acts on all targets, at most limit at the same time, and collects what went wrong. A failure does not stop the
// others.
func each(ctx context.Context, targets []target, limit int, act func(ctx context.Context, i int, t target) error) error {
	errs := make([]error, len(targets))
	var next atomic.Int64
	worker := func(ctx context.Context) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(targets) {
				return nil
			}
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = act(ctx, i, targets[i])
			}
		}
	}
	tasks := make([]run.Task, max(1, min(limit, len(targets))))
	for i := range tasks {
		tasks[i] = worker
	}
	if err := run.Tasks(ctx, tasks...); err != nil { // a panic
		return err
	}
	failed := &targetsError{total: len(targets)}
	for i, err := range errs {
		if err != nil {
			failed.failed = append(failed.failed, targetError{targets[i].label, err})
		}
	}
	if len(failed.failed) > 0 {
		return failed
	}
	return nil
}
