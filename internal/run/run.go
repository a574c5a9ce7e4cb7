// Package run supervises goroutines: each has an owner, an end, and a place where its error goes.
package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Task is a function that works until it is done, has failed, or ctx is over.
type Task func(ctx context.Context) error

// Tasks runs all tasks at the same time and waits for all of them. The first failure cancels the others; it is what
// Tasks returns. A task that returns nil, or the cancellation that the caller asked for, does not disturb its siblings.
// A panic becomes the error of its task.
func Tasks(ctx context.Context, tasks ...Task) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for _, task := range tasks {
		wg.Go(func() {
			err := guard(ctx, task)
			if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return
			}
			once.Do(func() {
				first = err
				cancel(err)
			})
		})
	}
	wg.Wait()
	return first
}

func guard(ctx context.Context, task Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return task(ctx)
}
