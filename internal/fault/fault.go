// Package fault gives errors a kind and a public face.
//
// A caller decides by the kind, a client sees the kind (as its dialect spells it) and the public message, and the log
// sees the whole chain. Text that comes from drivers, files or other people's machines belongs into the cause, never
// into the message.
package fault

import (
	"errors"
	"fmt"
)

// Kind is the class of a failure. Each dialect maps the kinds to its own status codes in one table.
type Kind uint8

// The kinds of failure.
const (
	// Internal is everything that is not the caller's doing. Its message is never shown.
	Internal Kind = iota
	// Invalid means that the request itself is wrong and will stay wrong.
	Invalid
	// NotFound means that the named thing does not exist, or that the caller may not know that it does.
	NotFound
	// Conflict means that the request is well formed but contradicts what is stored.
	Conflict
	// Unauthenticated means that nobody, or nobody we believe, is asking.
	Unauthenticated
	// Denied means that the caller is known and lacks a permission.
	Denied
	// TooMany means that the caller has to slow down.
	TooMany
	// TooLarge means that the request is larger than a stated limit.
	TooLarge
	// Unavailable means that the same request may succeed later.
	Unavailable
)

// String returns the kind in words, as used in logs.
func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "not found", "conflict", "unauthenticated", "denied", "too many", "too large", "unavailable"}
	if int(k) >= len(names) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return names[k]
}

// Error is a failure with a kind, a message for people outside, and a cause for the log.
type Error struct {
	Kind    Kind
	Message string
	Cause   error
}

// Error returns message and cause, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Cause.Error()
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of the given kind whose formatted message may be shown to the caller.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because is New with a cause that only the log sees.
func Because(kind Kind, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Wrap prefixes *err with what was being done, if there is an error, and keeps its kind. It is meant for defer:
//
//	defer fault.Wrap(&err, "get node %q", name)
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}

// KindOf returns the kind of the first Error in the chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err has the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Message returns what the caller may read: the message of the first Error in the chain, and a fixed text for
// everything internal.
func Message(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal && e.Message != "" {
		return e.Message
	}
	return "internal error"
}
