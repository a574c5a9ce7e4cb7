package authn

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// attempt is who tries and how, for the trail. An account that does not exist is not named: people type their password
// into the wrong field.
type attempt struct {
	identity.Attempt
	via  identity.Via
	user identity.User
}

func (a attempt) of(u identity.User) attempt {
	a.user = u
	return a
}

func (a attempt) record(at time.Time, action string) audit.Record {
	user := a.user
	user.Password = ""
	c := identity.Caller{User: user, Via: a.via, Addr: a.Addr, RequestID: a.RequestID}
	object := "user"
	if user.Name != "" {
		object += "/" + user.Name
	}
	return c.Record(at, action, object)
}

// refuse records a refusal and returns it with the message that the client gets.
func (s *Service) refuse(ctx context.Context, a attempt, reason, message string) error {
	return s.recorded(ctx, a, reason, fault.New(fault.Unauthenticated, "%s", message))
}

// recorded returns the refusal, unless it cannot be recorded.
func (s *Service) recorded(ctx context.Context, a attempt, reason string, refusal error) error {
	rec := a.record(s.Clock.Now(), "user.login")
	rec.Outcome, rec.Reason = audit.Refused, reason
	if err := s.Audit.Append(ctx, rec); err != nil {
		return fmt.Errorf("record refused login: %w", err)
	}
	return refusal
}
