package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// Account returns the record with the password's hash, for those who check passwords; fault.NotFound. It checks no
// permission and also returns disabled users.
func (s *Service) Account(ctx context.Context, name string) (User, error) {
	u, err := s.store.GetUser(ctx, name)
	if err != nil {
		return User{}, fmt.Errorf("get account: %w", err)
	}
	return u, nil
}

// SetLastLogin notes a login that succeeded, with its record in the trail; fault.NotFound.
func (s *Service) SetLastLogin(ctx context.Context, id UserID, at time.Time, rec audit.Record) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.store.SetLastLogin(ctx, id, at, rec)
}

// Rehash replaces the hash of a password by another hash of the same password. It does nothing when the password has
// been changed since old was read. The password stays the same, hence nothing that it opened ends. It fails with
// fault.NotFound.
func (s *Service) Rehash(ctx context.Context, id UserID, old, hash string, rec audit.Record) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	u, err := s.store.GetUserByID(ctx, id)
	if err != nil {
		return fmt.Errorf("rehash password: %w", err)
	}
	if u.Password != old {
		return nil
	}
	u.Password = hash
	_, err = s.store.UpdateUser(ctx, u, End{}, rec)
	return err
}
