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

func (d *dialect) edit(ctx context.Context, c identity.Caller, name string, req editUserRequest) (done string, err error) {
	var up identity.Update
	switch {
	case req.AddRole != "":
		done, err = "Add Role Success", d.addRole(req, &up)
	case req.RemoveRole != "":
		done, err = "Remove Role Success", d.removeRole(req.RemoveRole, &up)
	case req.AddProject != "":
		done, up.AddProjects = "Add Project Success", []string{req.AddProject}
	default:
		done, up.RemoveProjects = "Remove Project Success", []string{req.RemoveProject}
	}
	if err != nil {
		return "", err
	}
	_, err = d.Users.Update(ctx, c, name, up)
	return done, err
}

// addRole also adds the project that comes with the role manager, which nobody may have without one.
func (d *dialect) addRole(req editUserRequest, up *identity.Update) (err error) {
	up.AddRoles, err = d.Users.Roles().Parse(req.AddRole)
	if slices.Contains(up.AddRoles, identity.RoleManager) && req.AddProject != "" {
		up.AddProjects = []string{req.AddProject}
	}
	return err
}

// removeRole also removes the projects together with the role manager, as nobody else may have any.
func (d *dialect) removeRole(name string, up *identity.Update) (err error) {
	up.RemoveRoles, err = d.Users.Roles().Parse(name)
	if slices.Contains(up.RemoveRoles, identity.RoleManager) {
		up.Projects = &[]string{}
	}
	return err
}
