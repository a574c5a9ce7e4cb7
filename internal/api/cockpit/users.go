package cockpit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// user is an account in a reply (contract clustercockpit 1.7).
type user struct {
	Username   string   `json:"username"`
	Name       string   `json:"name" doc:"Full name."`
	Email      string   `json:"email"`
	Roles      []string `json:"roles"`
	Projects   []string `json:"projects" doc:"Projects that a manager manages."`
	AuthType   int      `json:"authType" doc:"Always 0: how somebody is logged in is no property of the account."`
	AuthSource int      `json:"authSource" doc:"Where the password is checked. 0: here, 1: LDAP, 2: token, 3: OpenID Connect."`
}

func toUser(u identity.User) user {
	out := user{
		Username: u.Name, Name: u.FullName, Email: u.Email, Roles: make([]string, len(u.Roles)),
		Projects: append([]string{}, u.Projects...), AuthSource: int(u.Source),
	}
	for i, r := range u.Roles {
		out.Roles[i] = string(r)
	}
	return out
}

type listUsersParams struct {
	NotJustUser bool `query:"not-just-user" doc:"Leave out those who have only the role user."`
	ViaLDAP     bool `query:"via-ldap" doc:"Only those whose password is checked by LDAP."`
}

func (d *dialect) listUsers(ctx context.Context, r api.Request[listUsersParams, api.None]) ([]user, error) {
	users, err := d.Users.List(ctx, r.Caller)
	if err != nil {
		return nil, err
	}

	list := []user{}
	for _, u := range users {
		justUser := slices.Equal(u.Roles, []identity.Role{identity.RoleUser})
		if r.Params.NotJustUser && justUser || r.Params.ViaLDAP && u.Source != identity.AuthLDAP {
			continue
		}
		list = append(list, toUser(u))
	}
	return list, nil
}

type createUserRequest struct {
	Username string   `json:"username" form:"username" required:"true" doc:"1 to 100 characters."`
	Password string   `json:"password" form:"password" doc:"May be left out for the role api."`
	Role     roleList `json:"role" form:"role" required:"true" doc:"One role, or several with commas."`
	Name     string   `json:"name" form:"name" doc:"Full name."`
	Email    string   `json:"email" form:"email"`
	Project  roleList `json:"project" form:"project" doc:"Projects that a manager manages, with commas."`
}

// roleList is one word or several with commas between them.
type roleList []string

// UnmarshalText splits at commas.
func (l *roleList) UnmarshalText(text []byte) error {
	*l = nil
	for word := range strings.SplitSeq(string(text), ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

func (d *dialect) createUser(ctx context.Context, r api.Request[api.None, createUserRequest]) (api.Text, error) {
	roles, err := d.Users.Roles().Parse(r.Body.Role...)
	if err != nil {
		return "", err
	}
	if len(roles) == 0 { // would mean the creator's own
		return "", fault.New(fault.Invalid, "the field 'role' is required")
	}

	u, err := d.Users.Create(ctx, r.Caller, identity.NewUser{
		Name: r.Body.Username, FullName: r.Body.Name, Email: r.Body.Email, Password: r.Body.Password,
		Roles: roles, Projects: r.Body.Project,
	})

	return api.Text(fmt.Sprintf("User %s successfully created!", u.Name)), err
}

type deleteUserRequest struct {
	Username string `json:"username" form:"username" required:"true"`
}

func (d *dialect) deleteUser(ctx context.Context, r api.Request[api.None, deleteUserRequest]) (api.None, error) {
	if r.Body.Username == "" {
		return api.None{}, fault.New(fault.Invalid, "the field 'username' is required")
	}
	return api.None{}, d.Users.Delete(ctx, r.Caller, r.Body.Username)
}

func (d *dialect) listRoles(context.Context, api.Request[api.None, api.None]) ([]string, error) {
	var names []string
	for _, g := range d.Users.Roles().List() {
		if !strings.HasPrefix(string(g.Role), "role.") { // those are ClusterWare's
			names = append(names, string(g.Role))
		}
	}
	return names, nil
}
