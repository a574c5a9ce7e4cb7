// Package identity knows the users, their roles and permissions, and who may act for whom.
//
// There is one table of users for both dialects: ClusterCockpit's users and ClusterWare's administrators are the same
// records. Every decision compares sets of permissions; no role has a rank.
package identity

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// UserID identifies a user for ever: 32 lower-case hexadecimal digits. A user who is deleted and created again under
// the same name is another user.
type UserID string

// AuthSource says where a user's password is checked (contract clustercockpit 1.7).
type AuthSource uint8

// The sources, with the numbers that ClusterCockpit sends.
const (
	AuthLocal AuthSource = 0
	AuthLDAP  AuthSource = 1
	AuthToken AuthSource = 2
	AuthOIDC  AuthSource = 3
)

// User is a person, script or service with an account.
type User struct {
	ID          UserID
	Name        string // login name, unique
	FullName    string
	Email       string
	Description string
	Roles       []Role
	Projects    []string // projects that a manager manages
	Keys        []string // SSH public keys in authorized_keys form
	Source      AuthSource
	// Password is the encoded hash of a local password, "" when the account has none. It never leaves the server.
	Password   string
	Disabled   bool
	Created    time.Time
	Modified   time.Time
	ModifiedBy string
	LastLogin  time.Time // zero when never
}

var userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}$`)

// looksLikeID reports whether a name could be taken for an id, by which users can be named as well.
func looksLikeID(name string) bool {
	return len(name) == 32 && strings.Trim(name, "0123456789abcdefABCDEF") == ""
}

// Validate reports the first thing that is wrong with the record itself, as fault.Invalid. It does not know which roles
// exist; Roles.Parse does.
func (u User) Validate() error {
	if !userName.MatchString(u.Name) {
		return fault.New(fault.Invalid, "user name %q is not valid: 1 to 100 letters, digits or _ . @ + -, beginning with a letter, digit or _", u.Name)
	}
	if looksLikeID(u.Name) {
		return fault.New(fault.Invalid, "user name %q is not valid: it looks like the id of another user", u.Name)
	}
	manager := slices.Contains(u.Roles, RoleManager)
	if manager && len(u.Projects) == 0 {
		return fault.New(fault.Invalid, "role manager needs at least one project to manage")
	}
	if !manager && len(u.Projects) > 0 {
		return fault.New(fault.Invalid, "only a user with role manager can have projects")
	}
	return nil
}

// Update is a change to a user. A nil field stays as it is.
type Update struct {
	FullName    *string
	Email       *string
	Description *string
	Roles       *[]Role
	Projects    *[]string
	Keys        *[]string
	Password    *string // in the clear, as in NewUser; "" takes the password away
	Disabled    *bool

	// What is added to and then taken from the lists as they are at that moment, so that of two such changes at the same
	// time none is lost. Adding what is there already changes nothing; what is not there cannot be taken away.
	AddRoles       []Role
	RemoveRoles    []Role
	AddProjects    []string
	RemoveProjects []string
}

// End says which credentials of a user end together with a change of his record.
type End struct {
	Logins bool // what continues a login of his: sessions, access and refresh tokens
	Own    bool // all of his sessions and tokens, whoever issued them
	Issued bool // tokens that he has issued for others
}

// Store keeps users. Each change is one transaction with its audit record.
type Store interface {
	// GetUser returns the user with that name; fault.NotFound.
	GetUser(ctx context.Context, name string) (User, error)
	// GetUserByID returns the user with that id; fault.NotFound.
	GetUserByID(ctx context.Context, id UserID) (User, error)
	// ListUsers returns all users by name.
	ListUsers(ctx context.Context) ([]User, error)
	// CreateUser adds a user; fault.Conflict when the name is taken.
	CreateUser(ctx context.Context, u User, rec audit.Record) error
	// UpdateUser replaces the record with u.ID, ends what end says, and returns the ids of the tokens that it revoked by
	// that; fault.NotFound.
	UpdateUser(ctx context.Context, u User, end End, rec audit.Record) (revoked []string, err error)
	// DeleteUser removes the user, ends all his credentials and the tokens that he has issued, and returns the ids of
	// the tokens that it revoked; fault.NotFound.
	DeleteUser(ctx context.Context, id UserID, rec audit.Record) (revoked []string, err error)
	// SetLastLogin notes a login that succeeded.
	SetLastLogin(ctx context.Context, id UserID, at time.Time, rec audit.Record) error
}

// NewUser is the wish for a user.
type NewUser struct {
	Name        string
	FullName    string
	Email       string
	Description string
	Roles       []Role // nil inherits the creator's, empty means none
	Projects    []string
	Keys        []string
	Source      AuthSource
	Password    string // in the clear; "" makes an account without password
}
