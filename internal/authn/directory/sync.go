package directory

import (
	"context"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Synced says what Sync has done.
type Synced struct {
	Added, Updated, Removed int
	// Skipped are entries that cannot become accounts, and accounts that could not be removed.
	Skipped int
}

// String says it in one line.
func (s Synced) String() string {
	return fmt.Sprintf("%d added, %d updated, %d removed, %d skipped", s.Added, s.Updated, s.Removed, s.Skipped)
}

// Sync makes an account for everybody in the directory who has none, brings names up to date, and removes accounts from
// the directory that it does not know any more, where that is wished. What is skipped is logged. An empty answer removes
// nobody: it is more likely to be a mistake than the end of all users. It fails with fault.Unavailable.
func (l *Logins) Sync(ctx context.Context) (Synced, error) {
	entries, err := l.directory.List(ctx)
	if err != nil {
		return Synced{}, fmt.Errorf("take over users from the directory: %w", err)
	}
	users, err := l.users.List(ctx, itself())
	if err != nil {
		return Synced{}, fmt.Errorf("take over users from the directory: %w", err)
	}
	have := make(map[string]identity.User, len(users))
	for _, u := range users {
		have[u.Name] = u
	}
	var done Synced
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		if there[e.Name] {
			continue
		}
		there[e.Name] = true
		if err := l.syncOne(ctx, e, have, &done); err != nil {
			return done, err
		}
	}
	if !l.rules.DeleteOld {
		return done, nil
	}
	if len(entries) == 0 {
		return done, fault.New(fault.Unavailable, "the directory lists no user at all; no account is removed")
	}
	err = l.removeOld(ctx, users, there, &done)
	return done, err
}

// syncOne takes over one entry.
func (l *Logins) syncOne(ctx context.Context, e Entry, have map[string]identity.User, done *Synced) error {
	u, known := have[e.Name]
	var err error
	switch {
	case !known:
		if _, err = l.users.Create(ctx, itself(), newUser(e)); err == nil {
			done.Added++
		}
	case u.Source != identity.AuthLDAP:
		err = fault.New(fault.Conflict, "there is a user %q of another source", e.Name)
	case e.FullName != "" && e.FullName != u.FullName:
		if _, err = l.users.Update(ctx, itself(), u.Name, identity.Update{FullName: &e.FullName}); err == nil {
			done.Updated++
		}
	}
	return l.skip(ctx, e.Name, err, done)
}

func (l *Logins) removeOld(ctx context.Context, users []identity.User, there map[string]bool, done *Synced) error {
	for _, u := range users {
		if u.Source != identity.AuthLDAP || there[u.Name] {
			continue
		}
		err := l.users.Delete(ctx, itself(), u.Name)
		if err == nil {
			done.Removed++
		}
		if err := l.skip(ctx, u.Name, err, done); err != nil {
			return err
		}
	}
	return nil
}

// skip logs and counts what is wrong with one user only; other errors pass.
func (l *Logins) skip(ctx context.Context, name string, err error, done *Synced) error {
	switch fault.KindOf(err) { //nolint:exhaustive // the others are everybody's
	case fault.Invalid, fault.Conflict, fault.NotFound:
		l.log.WarnContext(ctx, "a user of the directory is skipped", "user", name, "reason", fault.Message(err))
		done.Skipped++
		return nil
	}
	if err != nil {
		return fmt.Errorf("take over user %q from the directory: %w", name, err)
	}
	return nil
}
