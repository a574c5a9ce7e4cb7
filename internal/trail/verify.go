package trail

import (
	"context"
	"errors"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Report is what a walk through the whole trail has found.
type Report struct {
	Walked int64              // records that follow from each other
	Head   audit.Head         // the last one of them
	Broken *audit.BrokenError // the first that does not follow; nil when all do
}

// Verify walks the trail as it is now from its beginning, page by page, and reports the first record that does not follow
// from the one before it. noted is a head that was noted down earlier, which the trail has to contain; zero when there is
// none. fault.Denied; fault.TooMany while somebody else's walk is going on.
func (s *Service) Verify(ctx context.Context, c identity.Caller, noted audit.Head) (Report, error) {
	if err := c.Require(identity.AuditRead); err != nil {
		return Report{}, err
	}
	select {
	case s.checking <- struct{}{}:
		defer func() { <-s.checking }()
	default:
		return Report{}, fault.New(fault.TooMany, "the trail is being verified for somebody else; try again when that is done")
	}
	end, err := s.Head(ctx, c)
	if err != nil {
		return Report{}, err
	}
	v := audit.NewVerifier(audit.Head{})
	v.Noted = noted
	err = s.Walk(ctx, c, audit.Filter{Before: end.Seq + 1}, func(page []audit.Record) error {
		for _, r := range page {
			if err := v.Add(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = v.End()
	}
	report := Report{Walked: v.Walked(), Head: v.Head()}
	if errors.As(err, &report.Broken) {
		err = nil
	}
	return report, err
}

// Head returns where the trail ends; fault.Denied.
func (s *Service) Head(ctx context.Context, c identity.Caller) (audit.Head, error) {
	if err := c.Require(identity.AuditRead); err != nil {
		return audit.Head{}, err
	}
	return s.log.Head(ctx)
}
