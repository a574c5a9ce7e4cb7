package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

func (e *loginError) hint() string {
	if e.reason != "" {
		return "give it as -u USER:PASSWD, or use a token file: client.authtkn in ~/.scyldcw/settings.ini, or CW_TOKEN_FILE"
	}
	why := e.socket + " is not there"
	if elsewhere(e.baseURL) {
		why = "it does not reach the head at " + e.baseURL
	}
	return "log in as a user: -u USER, or client.authuser = USER in ~/.scyldcw/settings.ini;\n" +
		"      or with a token file: client.authtkn = FILE in ~/.scyldcw/settings.ini, or CW_TOKEN_FILE;\n" +
		"      or on the head itself through its local socket: client.socket or CW_SOCKET (" + why + ")"
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

// report prints an error, and what can be done about it.
func (t *tool) report(err error) {
	if err == nil {
		return
	}
	var targets *targetsError
	if errors.As(err, &targets) && targets.total > 1 {
		for _, f := range targets.failed {
			t.tell("ERROR: %s: %s\n", f.label, mask(f.err.Error()))
		}
		err = targets.failed[0].err
	} else {
		t.tell("ERROR: %s\n", mask(err.Error()))
	}
	if errors.As(err, &targets) {
		err = targets.failed[0].err
	}
	if hint := t.hint(err); hint != "" {
		t.tell("hint: %s\n", hint)
	}
}

// hint says what can be done about an error, "" when that is not known.
func (t *tool) hint(err error) string {
	var (
		usage       *usageError
		noLogin     *loginError
		expired     *client.ExpiredError
		unreachable *client.UnreachableError
		told        *client.Error
	)
	switch {
	case errors.As(err, &told) && len(told.Details) > 0:
		return strings.Join(told.Details, ", ")
	case errors.As(err, &usage):
		return fmt.Sprintf("'%s --help' shows the actions and options, '%s ACTION --help' those of one action", t.name, t.name)
	case errors.As(err, &noLogin):
		return noLogin.hint()
	case errors.As(err, &expired):
		return t.expiredHint(expired)
	case errors.As(err, &unreachable):
		return "is it running there? The address comes from --base-url, CW_BASE_URL or client.base_url in settings.ini"
	case errors.Is(err, client.ErrUnauthenticated):
		return t.refusedHint()
	case errors.Is(err, client.ErrDenied):
		return "'cw-adminctl whoami' shows as whom you are logged in, and the permissions"
	case errors.Is(err, client.ErrNotFound):
		return fmt.Sprintf("'%s ls' shows what there is", t.name)
	default:
		return ""
	}
}

func (t *tool) expiredHint(e *client.ExpiredError) string {
	who := "NAME"
	if e.User != "" {
		who = e.User
	}
	hint := fmt.Sprintf("that is %s. A new one: cw-adminctl -i %s token --lifetime 1d --outfile %s",
		age(t.env.Clock.Now(), e.Since), who, e.Source)
	if e.IssuedBy != "" {
		return hint + ", run by " + e.IssuedBy + ", who made the old one"
	}
	return hint + ", run by an administrator or with -u USER"
}

func (t *tool) refusedHint() string {
	switch {
	case t.login.tokenFile != "":
		return "the token in " + t.login.tokenFile + " is revoked, expired or from another cluster; a new one: cw-adminctl -i NAME token --lifetime 1d --outfile FILE"
	case t.login.socket != "":
		return "the head does not know the user that you are on this machine; ask an administrator: cw-adminctl create name=USER roles=ROLE"
	default:
		return "the user name comes from -u or client.authuser in settings.ini"
	}
}
