package directory

import (
	"context"
	"log/slog"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Accounts are the users here. *identity.Service is one.
type Accounts interface {
	// List returns all users.
	List(ctx context.Context, c identity.Caller) ([]identity.User, error)
	// Create adds a user; fault.Invalid, fault.Conflict.
	Create(ctx context.Context, c identity.Caller, n identity.NewUser) (identity.User, error)
	// Update changes a user; fault.NotFound.
	Update(ctx context.Context, c identity.Caller, name string, up identity.Update) (identity.User, error)
	// Delete removes a user; fault.NotFound, fault.Conflict for the last administrator.
	Delete(ctx context.Context, c identity.Caller, name string) error
}

// Rules say how accounts follow the directory.
type Rules struct {
	CreateOnLogin bool // who has no account gets one when he logs in
	UpdateOnLogin bool // and who has one, his name of the moment
	DeleteOld     bool // Sync removes accounts that the directory does not know any more
}

// Logins checks passwords in a directory, and keeps accounts in step with it. It is safe for concurrent use.
type Logins struct {
	directory *Directory
	users     Accounts
	rules     Rules
	log       *slog.Logger
}

// NewLogins returns logins by a directory.
func NewLogins(d *Directory, users Accounts, r Rules, log *slog.Logger) *Logins {
	return &Logins{d, users, r, log}
}

// itself is who the trail says has changed accounts.
func itself() identity.Caller { return identity.System("ldap") }

// Check implements authn.Backend: the directory decides about accounts that came from it, and, where accounts are made at
// login, about names without account. Never does it get the password of another account.
func (l *Logins) Check(ctx context.Context, acc *identity.User, name, password string) (authn.Verdict, error) {
	switch {
	case acc == nil && !l.rules.CreateOnLogin, acc != nil && acc.Source != identity.AuthLDAP, acc == nil && !canBeAccount(name):
		return authn.Verdict{}, nil
	case acc == nil:
		return l.checkNew(ctx, name, password)
	}
	v := authn.Verdict{Applies: true, User: *acc, Reason: authn.WrongPassword}
	right, err := l.directory.Bind(ctx, name, password)
	if err != nil || !right {
		return v, err
	}
	v.Reason = ""
	if acc.Disabled || !l.rules.UpdateOnLogin {
		return v, nil
	}
	return l.update(ctx, v)
}

func canBeAccount(name string) bool { return identity.User{Name: name}.Validate() == nil }

// checkNew makes an account for somebody whom the directory knows, after his password was right.
func (l *Logins) checkNew(ctx context.Context, name, password string) (authn.Verdict, error) {
	v := authn.Verdict{Applies: true, Reason: authn.NoSuchUser}
	e, err := l.directory.Find(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	right, err := l.directory.Bind(ctx, name, password)
	if err != nil || !right {
		return v, err
	}
	if v.User, err = l.users.Create(ctx, itself(), newUser(e)); err == nil {
		v.Reason = ""
	}
	return v, err
}

// update brings the name up to date, and refuses who is no user of the directory any more, such as one who has left a
// group that the filter asks for.
func (l *Logins) update(ctx context.Context, v authn.Verdict) (authn.Verdict, error) {
	e, err := l.directory.Find(ctx, v.User.Name)
	switch {
	case fault.Is(err, fault.NotFound):
		v.Reason = "no user of the directory any more"
		return v, nil
	case err != nil:
		return v, err
	case e.FullName == "" || e.FullName == v.User.FullName:
		return v, nil
	}
	v.User, err = l.users.Update(ctx, itself(), v.User.Name, identity.Update{FullName: &e.FullName})
	return v, err
}

func newUser(e Entry) identity.NewUser {
	return identity.NewUser{Name: e.Name, FullName: e.FullName, Roles: []identity.Role{identity.RoleUser}, Source: identity.AuthLDAP}
}
