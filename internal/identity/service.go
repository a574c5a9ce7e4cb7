package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// PasswordHasher turns passwords into what may be stored. *authn.Passwords is one.
type PasswordHasher interface {
	// HashPassword returns the encoded hash; fault.Invalid for passwords that cannot be, fault.TooMany when busy.
	HashPassword(ctx context.Context, password string) (string, error)
}

// Config is what a Service needs.
type Config struct {
	Store     Store
	Roles     *Roles       // those that come with the program; nil means DefaultRoles
	RoleStore RoleStore    // the roles of this site; nil when it has none and can make none
	Bindings  BindingStore // nil where no other system lets people in
	Hasher    PasswordHasher
	Clock     clock.Clock
}

// Service is the use cases around users. It is safe for concurrent use.
type Service struct {
	store    Store
	kept     RoleStore
	bindings BindingStore
	defaults *Roles
	hasher   PasswordHasher
	clock    clock.Clock

	// roles is the table as it is now. It is replaced as a whole, by who holds writing.
	roles atomic.Pointer[Roles]

	// factors says who needs a second factor; nil when nobody does.
	factors atomic.Pointer[factorRule]

	// writing is held from reading a record until its successor is stored, so that of two changes at the same time none
	// is lost and the last administrator cannot be removed from both ends. It also guards onRevoke.
	writing  sync.Mutex
	onRevoke []func(ids []string)
}

// New returns a service over c.
func New(c Config) *Service {
	if c.Roles == nil {
		c.Roles = DefaultRoles()
	}
	s := &Service{store: c.Store, kept: c.RoleStore, bindings: c.Bindings, defaults: c.Roles, hasher: c.Hasher, clock: c.Clock}
	s.roles.Store(c.Roles)
	return s
}

// Roles returns the table of roles as it is now. It does not change any more; whoever asks again may get another one.
func (s *Service) Roles() *Roles { return s.roles.Load() }

// Get returns the user with that name, id, or beginning of an id of at least 5 characters. Everybody may get himself;
// others need AdminsRead. It fails with fault.Denied, fault.NotFound, and fault.Conflict when the beginning fits several.
func (s *Service) Get(ctx context.Context, c Caller, name string) (_ User, err error) {
	defer fault.Wrap(&err, "get user")
	u, err := s.find(ctx, name)
	if !c.is(u) {
		// Asked before whether there is such a user at all, which is not for everybody to know.
		if err := c.Require(AdminsRead); err != nil {
			return User{}, err
		}
	}
	return u.public(), err
}

// List returns all users by name; fault.Denied without AdminsRead.
func (s *Service) List(ctx context.Context, c Caller) (_ []User, err error) {
	defer fault.Wrap(&err, "list users")
	if err := c.Require(AdminsRead); err != nil {
		return nil, err
	}
	users, err := s.store.ListUsers(ctx)
	for i := range users {
		users[i] = users[i].public()
	}
	return users, err
}

// Resolve returns what the user with exactly that name may do now. It is meant for authenticators and checks no permission. It
// fails with fault.NotFound, and with fault.Unauthenticated when the user is disabled.
func (s *Service) Resolve(ctx context.Context, name string) (Standing, error) {
	u, err := s.store.GetUser(ctx, name)
	return s.standing(ctx, u, err)
}

// ResolveID is Resolve for the id, which unlike a name never comes to mean somebody else.
func (s *Service) ResolveID(ctx context.Context, id UserID) (Standing, error) {
	u, err := s.store.GetUserByID(ctx, id)
	return s.standing(ctx, u, err)
}

func (s *Service) standing(ctx context.Context, u User, err error) (Standing, error) {
	if err != nil {
		return Standing{}, fmt.Errorf("resolve user: %w", err)
	}
	if u.Disabled {
		return Standing{}, fault.New(fault.Unauthenticated, "user %q is disabled", u.Name)
	}
	switch enrols, err := s.enrols(ctx, u); {
	case err != nil:
		return Standing{}, fmt.Errorf("resolve user: %w", err)
	case enrols:
		return Standing{User: u.public(), Enrols: true}, nil
	}
	table := s.Roles()
	has, handsOn := table.Effective(u.Roles)
	return Standing{
		User: u.public(), Permissions: has, HandsOn: handsOn, Limits: table.Limits(u.Roles), MaxLifetime: table.MaxLifetime(u.Roles),
	}, nil
}

// shortestPrefix is how much of an id names a user (contract clusterware 3.2).
const shortestPrefix = 5

// find returns the whole record of the user that name means: a name first, then an id, then the beginning of one.
func (s *Service) find(ctx context.Context, name string) (User, error) {
	u, err := s.store.GetUser(ctx, name)
	if !fault.Is(err, fault.NotFound) {
		return u, err
	}
	if u, err = s.store.GetUserByID(ctx, UserID(name)); !fault.Is(err, fault.NotFound) {
		return u, err
	}
	id := strings.ToLower(name)
	if len(id) < shortestPrefix || strings.Trim(id, "0123456789abcdef") != "" {
		return User{}, noUser(name)
	}
	users, err := s.store.ListUsers(ctx)
	if err != nil {
		return User{}, err
	}
	fits := slices.DeleteFunc(users, func(u User) bool { return !strings.HasPrefix(string(u.ID), id) })
	switch len(fits) {
	case 0:
		return User{}, noUser(name)
	case 1:
		return fits[0], nil
	default:
		names := make([]string, len(fits))
		for i, u := range fits {
			names[i] = u.Name + " (" + string(u.ID) + ")"
		}
		return User{}, fault.New(fault.Conflict, "%q is the beginning of several ids: %s", name, strings.Join(names, ", "))
	}
}

func noUser(name string) error { return fault.New(fault.NotFound, "no user %q", name) }

// is reports whether u is the caller himself. What a name means is found out first: the beginning of one's own id may be
// somebody else's name.
func (c Caller) is(u User) bool { return c.User.ID != "" && c.User.ID == u.ID }

// public returns the record without the password's hash.
func (u User) public() User {
	u.Password = ""
	return u
}
