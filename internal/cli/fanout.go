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

// eachSaying acts on all targets and says for which it succeeded.
func (t *tool) eachSaying(ctx context.Context, targets []target, done string, act func(ctx context.Context, id string) error) error {
	ok := make([]bool, len(targets))
	err := each(ctx, targets, requestsAtOnce, func(ctx context.Context, i int, t target) error {
		err := act(ctx, t.id)
		ok[i] = err == nil
		return err
	})
	for i, target := range targets {
		if ok[i] {
			t.say("%s %s", target.label, done)
		}
	}
	return err
}

// gather gets each target's record. Those that were found are returned even when others failed.
func gather[T any](ctx context.Context, targets []target, get func(context.Context, string) (T, error)) ([]T, error) {
	all := make([]T, len(targets))
	found := make([]bool, len(targets))
	err := each(ctx, targets, requestsAtOnce, func(ctx context.Context, i int, t target) (err error) {
		all[i], err = get(ctx, t.id)
		found[i] = err == nil
		return err
	})
	var list []T
	for i, ok := range found {
		if ok {
			list = append(list, all[i])
		}
	}
	return list, err
}
