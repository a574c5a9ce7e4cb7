package run_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

func waits(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestFirstFailureEndsTheOthers(t *testing.T) {
	err := run.Tasks(t.Context(), waits, func(context.Context) error { return io.EOF }, waits)
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestTaskThatIsDoneDisturbsNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	finished := make(chan struct{})
	err := run.Tasks(ctx,
		func(context.Context) error { close(finished); return nil },
		func(ctx context.Context) error { <-finished; cancel(); return waits(ctx) },
	)
	if err != nil {
		t.Errorf("an end that was asked for became %v", err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	err := run.Tasks(t.Context(), func(context.Context) error { panic("boom") }, waits)
	if err == nil || !strings.Contains(err.Error(), "boom") || !strings.Contains(err.Error(), "run_test.go") {
		t.Errorf("got %v", err)
	}
}
