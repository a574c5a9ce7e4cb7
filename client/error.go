package client

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The classes of failure. errors.Is tells which one an *Error belongs to.
var (
	// ErrInvalid means that the request is wrong and will stay wrong.
	ErrInvalid = errors.New("invalid request")
	// ErrUnauthenticated means that the head does not know who asks.
	ErrUnauthenticated = errors.New("not logged in")
	// ErrDenied means that a permission is missing.
	ErrDenied = errors.New("denied")
	// ErrNotFound means that there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that the request contradicts what the head has stored.
	ErrConflict = errors.New("conflict")
	// ErrServer means that the head failed, or asks to come back later.
	ErrServer = errors.New("server failure")
)

// Error is a failure that the head reported.
type Error struct {
	Status       int      // HTTP status
	Reason       string   // what the head says, for people
	Code         string   // what the head says, for programs; "" when it says nothing
	Details      []string // more for people, such as the candidates for an ambiguous id
	RequestID    string   // finds the request in the head's log
	RetryAfter   time.Duration
	Method, Path string
}

// Error returns the head's reason.
func (e *Error) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the head answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return e.Reason
}

// Is reports whether the error belongs to the class target.
func (e *Error) Is(target error) bool { return e.class() == target }

func (e *Error) class() error {
	switch {
	case e.Status == http.StatusUnauthorized:
		return ErrUnauthenticated
	case e.Status == http.StatusForbidden:
		return ErrDenied
	case e.Status == http.StatusNotFound:
		return ErrNotFound
	case e.Status == http.StatusConflict, e.Status == http.StatusPreconditionFailed, e.Status == http.StatusLocked:
		return ErrConflict
	case e.Status == http.StatusTooManyRequests, e.Status >= 500, e.Status < 400:
		return ErrServer
	default:
		return ErrInvalid
	}
}

// UnreachableError means that there was no reply.
type UnreachableError struct {
	Address string // base URL or socket
	Cause   error
}

// Error names the address and what went wrong.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the head at %s cannot be reached: %v", e.Address, e.Cause)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// ExpiredError means that the credential's time is over, which the client saw without asking the head.
type ExpiredError struct {
	Source   string // file that the token came from
	Since    time.Time
	IssuedBy string // who made the token, "" when the file does not tell
	User     string // whom it is for, "" when the file does not tell
}

// Error says which token expired and when.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("the token in %s expired at %s", e.Source, e.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// Is makes an expired token an ErrUnauthenticated.
func (e *ExpiredError) Is(target error) bool { return target == ErrUnauthenticated }
