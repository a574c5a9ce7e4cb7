package token

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// WarningStore remembers until when it has been looked for service tokens that are about to expire, and finds them
// quickly.
type WarningStore interface {
	// CountExpiring returns how many live service tokens of the user expire after now and before that time.
	CountExpiring(ctx context.Context, id identity.UserID, now, before time.Time) (int, error)
	// WarnedUntil returns what SetWarnedUntil has stored, the zero time when it has not yet.
	WarnedUntil(ctx context.Context) (time.Time, error)
	// SetWarnedUntil stores until when has been warned.
	SetWarnedUntil(ctx context.Context, at time.Time) error
}

// Soon is how long before its end a service token begins to count as one that expires soon.
const Soon = 30 * day

// Expiring returns the live service tokens that expire within that time, as List does: with TokensRead those of
// everybody, else the caller's own.
func (s *Service) Expiring(ctx context.Context, c identity.Caller, within time.Duration) ([]Token, error) {
	now := s.clock.Now()
	return s.List(ctx, c, Filter{Kind: KindService, Live: now, Before: now.Add(within)})
}

// ExpiringSoon returns how many of the caller's own service tokens expire within Soon.
func (s *Service) ExpiringSoon(ctx context.Context, c identity.Caller) (n int, err error) {
	if s.warnings == nil || c.User.ID == "" {
		return 0, nil
	}
	defer fault.Wrap(&err, "count tokens that expire soon")
	now := s.clock.Now()
	return s.warnings.CountExpiring(ctx, c.User.ID, now, now.Add(Soon))
}

// Warning is a service token of which it is time to say that it will expire.
type Warning struct {
	Token
	Left time.Duration
	Days int // which of the days asked for it is
}

// Warn tells of the service tokens that have come, since it was last called, to have less than that many days left: each
// once for each number of days, and once in all when several come together. What was told before the program died may be
// told again.
func (s *Service) Warn(ctx context.Context, days []int, tell func(Warning)) (err error) {
	if s.warnings == nil || len(days) == 0 {
		return nil
	}
	defer fault.Wrap(&err, "warn of tokens that expire")
	since, err := s.warnings.WarnedUntil(ctx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	soon, err := s.store.ListTokens(ctx, Filter{Kind: KindService, Live: now, Before: now.Add(time.Duration(slices.Max(days)) * day)})
	if err != nil {
		return err
	}
	for _, t := range soon {
		if d, ok := due(t, days, since, now); ok {
			tell(Warning{t, t.Expires.Sub(now), d})
		}
	}
	return s.warnings.SetWarnedUntil(ctx, now)
}

// due returns the smallest of the numbers of days that t has left less of now than it had at since. A token that was made
// with fewer days than that has not come to it.
func due(t Token, days []int, since, now time.Time) (least int, ok bool) {
	for _, d := range days {
		at := t.Expires.Add(-time.Duration(d) * day)
		if at.After(since) && !at.After(now) && at.After(t.Issued) && (!ok || d < least) {
			least, ok = d, true
		}
	}
	return least, ok
}

// Figures is how many tokens there are.
type Figures struct {
	Live     map[Kind]int
	Expiring int // service tokens that expire within Soon
}

// Figures counts the tokens. With a million of them it takes part of a second: call it now and then, not at every scrape.
func (s *Service) Figures(ctx context.Context) (f Figures, err error) {
	defer fault.Wrap(&err, "count tokens")
	now := s.clock.Now()
	if f.Live, err = s.store.CountTokens(ctx, Filter{Live: now}); err != nil {
		return Figures{}, err
	}
	soon, err := s.store.CountTokens(ctx, Filter{Kind: KindService, Live: now, Before: now.Add(Soon)})
	f.Expiring = soon[KindService]
	return f, err
}

// Keep is how long the records of tokens stay after the tokens have expired.
type Keep struct {
	Logins time.Duration // access and refresh tokens
	Others time.Duration // service and impersonation tokens, which people made on purpose
}

// DefaultKeep returns how long records stay where a site says nothing.
func DefaultKeep() Keep { return Keep{Logins: 30 * day, Others: 365 * day} }

// purgeBatch is how many records go in one transaction, so that others get in between; purgeBatches is after how many of
// them the rest waits for the next time.
const (
	purgeBatch   = 1000
	purgeBatches = 100
)

// Purge forgets the records of tokens that have expired long enough ago, and returns how many. Revoked tokens too stay
// until they would have expired. The trail keeps what was done with them.
func (s *Service) Purge(ctx context.Context, k Keep) (n int, err error) {
	now := s.clock.Now()
	for _, group := range []struct {
		kinds []Kind
		keep  time.Duration
	}{{[]Kind{KindAccess, KindRefresh}, k.Logins}, {[]Kind{KindService, KindImpersonation}, k.Others}} {
		for range purgeBatches {
			gone, err := s.store.DeleteTokens(ctx, group.kinds, now.Add(-group.keep), purgeBatch)
			if n += gone; err != nil {
				return n, fmt.Errorf("purge tokens: %w", err)
			}
			if gone < purgeBatch {
				break
			}
		}
	}
	return n, nil
}
