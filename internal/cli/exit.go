package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// The exit codes of the tools (contract clusterware 7.1).
const (
	exitOK       = 0
	exitFailed   = 1 // some targets failed, or something that fits nowhere else
	exitUsage    = 2
	exitAuth     = 3
	exitNotFound = 4
	exitServer   = 5
)

const exitCodeHelp = `
Exit codes: 0 ok, 1 failed for some targets, 2 wrong usage, 3 not logged in or denied, 4 not found, 5 server failure
`

// errInterrupted is what becomes of every error once the user has pressed Ctrl-C.
var errInterrupted = errors.New("interrupted")

// usageError is a mistake in the command line, the settings or the input.
type usageError struct{ cause error }

// Error returns the cause's text.
func (e *usageError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.cause }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// loginError means that there is no way to log in.
type loginError struct {
	reason  string // "" means that none of the ways is set up
	socket  string
	baseURL string
}

// Error says what is missing, or why the login was refused.
func (e *loginError) Error() string {
	if e.reason != "" {
		return e.reason
	}
	return "not logged in: there is neither a user nor a token, and no head on this machine"
}

// targetsError collects what went wrong for which target.
type targetsError struct {
	total  int
	failed []targetError // in the order in which the targets were named
}

type targetError struct {
	label string
	err   error
}

// Error counts the targets that failed; of a single one, it is that one's failure.
func (e *targetsError) Error() string {
	if e.total == 1 {
		return e.failed[0].err.Error()
	}
	return fmt.Sprintf("failed for %d of %d", len(e.failed), e.total)
}

func (e *targetsError) code() int {
	first := exitCode(e.failed[0].err)
	if len(e.failed) < e.total || slices.ContainsFunc(e.failed, func(t targetError) bool { return exitCode(t.err) != first }) {
		return exitFailed
	}
	return first
}

// exitCode classifies an error.
func exitCode(err error) int {
	var (
		usage       *usageError
		noLogin     *loginError
		targets     *targetsError
		unreachable *client.UnreachableError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &targets):
		return targets.code()
	case errors.As(err, &usage), errors.Is(err, client.ErrInvalid):
		return exitUsage
	case errors.As(err, &noLogin), errors.Is(err, client.ErrUnauthenticated), errors.Is(err, client.ErrDenied):
		return exitAuth
	case errors.Is(err, client.ErrNotFound):
		return exitNotFound
	case errors.As(err, &unreachable), errors.Is(err, client.ErrServer), errors.Is(err, context.DeadlineExceeded):
		return exitServer
	default:
		return exitFailed
	}
}
