package cockpit

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

type userPath struct {
	ID string `path:"id" doc:"Name of the user."`
}

// editUserRequest is one change; of several, the first one is made (contract clustercockpit 3.12).
type editUserRequest struct {
	AddRole       string `json:"add-role" form:"add-role" doc:"Role to give. For manager, add-project comes with it."`
	RemoveRole    string `json:"remove-role" form:"remove-role" doc:"Role to take. With manager go the projects."`
	AddProject    string `json:"add-project" form:"add-project" doc:"Project for a manager to manage."`
	RemoveProject string `json:"remove-project" form:"remove-project" doc:"Project to manage no longer."`
}

func (d *dialect) editUser(ctx context.Context, r api.Request[userPath, editUserRequest]) (message, error) {
	done, err := d.applyEdit(ctx, r.Caller, r.Params.ID, r.Body)
	return message{done + " for user " + r.Params.ID}, err
}

func (d *dialect) editUserInPlace(ctx context.Context, r api.Request[userPath, editUserRequest]) (message, error) {
	done, err := d.applyEdit(ctx, r.Caller, r.Params.ID, r.Body)
	return message{done}, err
}

// applyEdit makes the change and returns what has been done, in the contract's words.
func (d *dialect) applyEdit(ctx context.Context, c identity.Caller, name string, req editUserRequest) (string, error) {
	if req == (editUserRequest{}) {
		return "", fault.New(fault.Invalid, "one of add-role, remove-role, add-project and remove-project is required")
	}
	done, err := d.edit(ctx, c, name, req)
	return done, unprocessable(err, fault.Invalid, fault.NotFound)
}

func (d *dialect) edit(ctx context.Context, c identity.Caller, name string, req editUserRequest) (string, error) {
	u, err := d.Users.Get(ctx, c, name)
	if err != nil {
		return "", err
	}
	var up identity.Update
	var done string
	switch {
	case req.AddRole != "":
		done, err = "Add Role Success", d.addRole(u, req, &up)
	case req.RemoveRole != "":
		done, err = "Remove Role Success", d.removeRole(u, req.RemoveRole, &up)
	case req.AddProject != "":
		done, up.Projects = "Add Project Success", with(u.Projects, req.AddProject)
	default:
		done, err = "Remove Project Success", removeProject(u, req.RemoveProject, &up)
	}
	if err != nil {
		return "", err
	}
	_, err = d.Users.Update(ctx, c, name, up)
	return done, err
}

// addRole also adds the project that comes with the role manager, which nobody may have without one.
func (d *dialect) addRole(u identity.User, req editUserRequest, up *identity.Update) error {
	roles, err := d.Users.Roles().Parse(req.AddRole)
	if err != nil {
		return err
	}
	up.Roles = with(u.Roles, roles[0])
	if roles[0] == identity.RoleManager && req.AddProject != "" {
		up.Projects = with(u.Projects, req.AddProject)
	}
	return nil
}

// removeRole also removes the projects together with the role manager, as nobody else may have any.
func (d *dialect) removeRole(u identity.User, name string, up *identity.Update) error {
	roles, err := d.Users.Roles().Parse(name)
	if err != nil {
		return err
	}
	if !slices.Contains(u.Roles, roles[0]) {
		return fault.New(fault.Invalid, "user %s does not have the role %s", u.Name, roles[0])
	}
	up.Roles = without(u.Roles, roles[0])
	if roles[0] == identity.RoleManager {
		up.Projects = &[]string{}
	}
	return nil
}

func removeProject(u identity.User, name string, up *identity.Update) error {
	if !slices.Contains(u.Projects, name) {
		return fault.New(fault.Invalid, "user %s does not manage the project %s", u.Name, name)
	}
	up.Projects = without(u.Projects, name)
	return nil
}

func with[T comparable](list []T, v T) *[]T {
	out := slices.Clone(list)
	if !slices.Contains(out, v) {
		out = append(out, v)
	}
	return &out
}

func without[T comparable](list []T, v T) *[]T {
	out := slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == v })
	return &out
}
