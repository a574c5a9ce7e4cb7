package identity

import (
	"context"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Binding says who somebody is at another system that lets people in here. His name there does not: it may change, and
// later be somebody else's.
type Binding struct {
	Issuer  string // the system
	Subject string // how it calls him, for ever
}

// BindingStore keeps to whom at other systems accounts belong. A user has one binding, and it is nobody else's. Each
// change is one transaction with its audit record.
type BindingStore interface {
	// GetBoundUser returns the user with that binding; fault.NotFound.
	GetBoundUser(ctx context.Context, b Binding) (User, error)
	// BindUser binds the user with that id; fault.NotFound, fault.Conflict when he or somebody else is bound already.
	BindUser(ctx context.Context, id UserID, b Binding, rec audit.Record) error
	// UnbindUser removes the binding of a user; fault.NotFound when he has none.
	UnbindUser(ctx context.Context, id UserID, rec audit.Record) error
}

// Bound returns the whole record of the user with that binding, for those who let people in; fault.NotFound. It checks no
// permission and also returns disabled users.
func (s *Service) Bound(ctx context.Context, b Binding) (User, error) {
	u, err := s.bindings.GetBoundUser(ctx, b)
	if err != nil {
		return User{}, fmt.Errorf("get account: %w", err)
	}
	return u, nil
}

// Bind binds a user to who has logged in as him at another system; fault.NotFound, and fault.Conflict when the user
// belongs to somebody else there.
func (s *Service) Bind(ctx context.Context, c Caller, u User, b Binding) (err error) {
	defer fault.Wrap(&err, "bind user %q", u.Name)
	s.writing.Lock()
	defer s.writing.Unlock()
	rec := c.Record(s.clock.Now(), "user.bind", "user/"+u.Name)
	rec.Details = map[string]string{"issuer": b.Issuer, "subject": b.Subject}
	return s.bindings.BindUser(ctx, u.ID, b, rec)
}

// Unbind forgets to whom at another system a user belongs, named as in Get, so that the next login of one with his name
// there binds him anew. It needs what changing him needs: fault.Denied, fault.NotFound.
func (s *Service) Unbind(ctx context.Context, c Caller, name string) (err error) {
	defer fault.Wrap(&err, "unbind user")
	if err := mayChangeUsers(c, AdminsWrite); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	c, u, err := s.toChange(ctx, c, name)
	if err != nil {
		return err
	}
	return s.bindings.UnbindUser(ctx, u.ID, c.Record(s.clock.Now(), "user.unbind", "user/"+u.Name))
}
