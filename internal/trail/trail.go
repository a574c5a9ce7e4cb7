// Package trail reads the audit trail for those who may, checks it, and passes it on to receivers outside.
//
// Writing is not its business: records are written by stores, in the transaction of the change that they record.
package trail

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Log is the trail as its readers see it.
type Log interface {
	// List returns the matching records, newest first unless the filter says otherwise.
	List(ctx context.Context, f audit.Filter) ([]audit.Record, error)
	// Head returns where the trail ends; the zero value for an empty trail.
	Head(ctx context.Context) (audit.Head, error)
	// Appended returns a channel that is closed when this process has written the next record. Whoever takes it before he
	// looks misses nothing.
	Appended() <-chan struct{}
}

// Config is what a Service needs.
type Config struct {
	Log   Log
	Clock clock.Clock
}

// Service answers questions about the trail. It is safe for concurrent use.
type Service struct {
	log      Log
	clock    clock.Clock
	stopped  chan struct{} // closed when the program ends, so that nobody waits any longer
	checking chan struct{} // holds one place: the whole trail is walked by one at a time
}

// New returns a service over c.
func New(c Config) *Service {
	return &Service{log: c.Log, clock: c.Clock, stopped: make(chan struct{}), checking: make(chan struct{}, 1)}
}

// MaxPage is how many records a page has at most.
const MaxPage = 1000

// List returns a page of the records that match and that the caller may see; fault.Denied, fault.Invalid.
//
// With AuditRead that is everything. Without it, everybody sees what he did himself, and what others did as him: records
// in which he is actor or subject, since his account was made. Asking for somebody else is refused.
func (s *Service) List(ctx context.Context, c identity.Caller, f audit.Filter) ([]audit.Record, error) {
	f, err := narrow(c, f)
	if err != nil {
		return nil, err
	}
	records, err := s.log.List(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list the audit trail: %w", err)
	}
	return records, nil
}

// narrow checks a filter and leaves of it what the caller may see.
func narrow(c identity.Caller, f audit.Filter) (audit.Filter, error) {
	if err := check(f); err != nil {
		return f, err
	}
	if c.Can(identity.AuditRead) {
		return f, nil
	}
	me := c.User.Name
	if f.Who != "" && f.Who != me {
		return f, identity.DeniedError(identity.AuditRead)
	}
	f.Mine = me
	if f.Since.Before(c.User.Created) { // the name may have been somebody else's before
		f.Since = c.User.Created
	}
	return f, nil
}

// check returns what is wrong with a filter.
func check(f audit.Filter) error {
	switch {
	case f.Limit < 0 || f.Limit > MaxPage:
		return fault.New(fault.Invalid, "limit must be between 1 and %d", MaxPage)
	case f.After < 0 || f.Before < 0:
		return fault.New(fault.Invalid, "before and after are places in the trail: numbers from 0")
	case !f.Since.IsZero() && !f.Until.IsZero() && f.Until.Before(f.Since):
		return fault.New(fault.Invalid, "until is before since")
	case f.Outcome != "" && f.Outcome != audit.Done && f.Outcome != audit.Refused && f.Outcome != audit.Failed:
		return fault.New(fault.Invalid, "unknown outcome %q; the outcomes are done, refused and failed", f.Outcome)
	}
	return nil
}

// Wait is List, and when nothing matches it waits for records that do, but not longer than d. It is for those who follow
// the trail, with the last record that they have seen as f.After.
func (s *Service) Wait(ctx context.Context, c identity.Caller, f audit.Filter, d time.Duration) ([]audit.Record, error) {
	timeout := s.clock.After(d)
	for {
		more := s.log.Appended()
		records, err := s.List(ctx, c, f)
		if err != nil || len(records) > 0 || d <= 0 {
			return records, err
		}
		select {
		case <-more:
			if err := clock.Sleep(ctx, s.clock, linger); err != nil {
				return nil, err
			}
		case <-s.clock.After(elsewhere):
		case <-timeout:
			return nil, nil
		case <-s.stopped:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// elsewhere is how often who waits looks by himself: the command line writes records as well, in another process, of
// which no channel tells.
const elsewhere = 5 * time.Second

// linger is how long who has been woken lets further records gather: a busy head writes a thousand a second, and each
// look costs a query.
const linger = 100 * time.Millisecond

// Run ends all waiting when ctx ends, so that a program that stops need not wait for them. It does nothing else.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	close(s.stopped)
	return nil
}

// Walk calls do with one page after the other of the records that match and that the caller may see, oldest first, until
// there are no more; fault.Denied, fault.Invalid, or what do returns. f.Limit is how many records there are at most in
// all, 0 for all of them.
func (s *Service) Walk(ctx context.Context, c identity.Caller, f audit.Filter, do func([]audit.Record) error) error {
	left := f.Limit
	f.Limit = 0
	f, err := narrow(c, f)
	if err != nil {
		return err
	}
	f.Ascending = true
	for {
		f.Limit = MaxPage
		if left > 0 {
			f.Limit = min(left, MaxPage)
		}
		page, err := s.log.List(ctx, f)
		if err != nil {
			return fmt.Errorf("walk the audit trail: %w", err)
		}
		if len(page) > 0 {
			if err := do(page); err != nil {
				return err
			}
			f.After = page[len(page)-1].Seq
		}
		if left > 0 {
			if left -= len(page); left <= 0 {
				return nil
			}
		}
		if len(page) < f.Limit {
			return nil
		}
	}
}
