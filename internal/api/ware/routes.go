// Package ware speaks ClusterWare's REST interface, /api/v1 (contract clusterware 2 to 5): nodes, attribute groups,
// administrators and their tokens.
//
// Every JSON reply is an envelope with "success" and either "data" or "reason". docs/wire/clusterware.md lists where
// this interface differs from the original on purpose.
package ware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Config is what the dialect needs.
type Config struct {
	Users  Users
	Logins Logins
	// SSH is logins with SSH keys.
	SSH KeyLogins
	// Factors are the second factors of accounts.
	Factors Factors
	// SingleSignOn is what the login page calls the provider where one can log in as well; "" when there is none.
	SingleSignOn string
	Tokens       Tokens
	// Keys is the keys that sign tokens.
	Keys SigningKeys
	// Sessions is logins of browsers.
	Sessions Sessions
	// Audit is the audit trail.
	Audit Trail
	Nodes NodeService
	Clock clock.Clock
	Log   *slog.Logger // told of internal errors, which no client is shown; nil drops them
	// Head is this head's host name, shown as last_modified_on.
	Head string
	// Version is the program's.
	Version string
	// Clusters returns the names of the monitored clusters; nil when there are none.
	Clusters func() []string
	// ClientAddr returns the address that a request comes from, without port. Logins are limited by it.
	ClientAddr func(r *http.Request) string
	// RequestID returns the id that joins a reply with the request log; nil when requests have none.
	RequestID func(ctx context.Context) string
}

// NodeService is nodes, their attributes and the attribute groups. *node.Service is one.
type NodeService interface {
	Nodes
	Attributes
	Groups
}

type door struct{ Config }

const base = "/api/v1"

// New returns the dialect. Its OpenAPI document and page are at /api/v1/openapi.json and /api/v1/docs. It fails when its
// table has a mistake.
func New(cfg Config) (*api.Dialect, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.ClientAddr == nil { // without it one stranger's attempts would count against everybody
		return nil, errors.New("make ware door: ClientAddr is missing")
	}
	d := &door{cfg}
	dialect := &api.Dialect{
		Name: "ware", Title: "Bridgehead: nodes, attributes and administrators", Version: "1",
		Description: "ClusterWare's interface. Replies are {\"success\": true, \"data\": ...} or {\"success\": false, \"reason\": ...}.",
		StrictJSON:  true,
		Success:     success, Failure: d.failure, Error: reflect.TypeFor[failureReply](),
		Routes: d.routes(),
	}
	if err := dialect.Documented(base+"/openapi.json", base+"/docs"); err != nil {
		return nil, fmt.Errorf("make ware door: %w", err)
	}
	if err := dialect.Check(); err != nil {
		return nil, fmt.Errorf("make ware door: %w", err)
	}
	return dialect, nil
}

func (d *door) requestID(ctx context.Context) string {
	if d.RequestID == nil {
		return ""
	}
	return d.RequestID(ctx)
}

func (d *door) routes() []api.Route {
	var all []api.Route
	for _, table := range [][]api.Route{d.loginRoutes(), d.sshRoutes(), d.factorRoutes(), d.roleRoutes(), d.sessionRoutes(), d.keyRoutes(), d.auditRoutes(), d.adminRoutes(), d.nodeRoutes(), d.groupRoutes(), d.clusterRoutes()} {
		all = append(all, table...)
	}
	return all
}

func (d *door) loginRoutes() []api.Route {
	ownTokens := api.Needs(identity.TokensRead, identity.AdminsRead, identity.AdminsWriteSelf)
	revokes := api.Needs(identity.TokensWrite, identity.AdminsWriteSelf)
	return []api.Route{
		api.Row("POST", base+"/login", api.Public(), "Log in with name and password and get an access and a refresh token.", d.login).
			Alias(base+"/auth/login", base+"/token"),
		api.Row("POST", base+"/token/refresh", api.Public(), "Get a new access token for a refresh token, given as Bearer or in the body.", d.refresh).
			Alias(base+"/refresh", base+"/auth/refresh"),
		api.Row("POST", base+"/logout", api.LoggedIn(), "Revoke the token that this request is made with, and the refresh token in the body.", d.logout),
		api.Row("GET", base+"/whoami", api.LoggedIn(), "Who the credential stands for, what it may do, and for how long.", d.whoami),
		api.Row("GET", base+"/tokens", ownTokens, "List tokens: the caller's own, or those of others with TokensRead.", d.listTokens),
		api.Row("GET", base+"/token/{jti}", ownTokens, "Read the record of a token: an own one, or any with TokensRead.", d.getToken),
		api.Row("PATCH", base+"/token/{jti}", revokes, "Change name and purpose of a token: an own one, or any with TokensWrite.", d.renameToken),
		api.Row("DELETE", base+"/token/{jti}", revokes, "Revoke a token: an own one, or any with TokensWrite.", d.revokeToken),
		api.Row("POST", base+"/tokens/revoke", revokes, "Revoke, or count, the tokens of a user, an issuer, a key, or all.", d.revokeTokens),
		api.Row("POST", base+"/tokens/inspect", api.LoggedIn(), "Tell what a text is that was found: whose token, how far it reaches, whether it is good.", d.inspectToken).WithMaxBody(64 << 10),
	}
}

func (d *door) roleRoutes() []api.Route {
	read, write := api.Needs(identity.AdminsRead), api.Needs(identity.AdminsWrite)
	return []api.Route{
		api.Row("GET", base+"/roles", read, "List the roles and what they permit.", d.listRoles),
		api.Row("GET", base+"/roles/meta", read, "The catalogue of permissions.", d.roleMeta),
		api.Row("POST", base+"/roles", write, "Make a role of this site; data is the UID, which is its name.", d.createRole),
		api.Row("GET", base+"/role/{id}", read, "Read one role.", d.getRole),
		api.Row("PATCH", base+"/role/{id}", write, "Change some fields of a role, at once for everybody who has it.", d.updateRole),
		api.Row("PUT", base+"/role/{id}", write, "Replace a role's fields; absent ones become empty.", d.replaceRole),
		api.Row("DELETE", base+"/role/{id}", write, "Delete a role that nobody has; one that comes with the program becomes what it was.", d.deleteRole),
	}
}

func (d *door) adminRoutes() []api.Route {
	read, write := api.Needs(identity.AdminsRead), api.Needs(identity.AdminsWrite)
	readSelf := api.Needs(identity.AdminsRead, identity.AdminsWriteSelf)
	writeSelf := api.Needs(identity.AdminsWrite, identity.AdminsWriteSelf)
	return []api.Route{
		api.Row("GET", base+"/admins", read, "List the administrators.", d.listAdmins),
		api.Row("GET", base+"/admins/meta", read, "The fields of an administrator.", metaOf[adminRecord]),
		api.Row("POST", base+"/admins", write, "Create an administrator; data is the UID.", d.createAdmin),
		api.Row("GET", base+"/admin/{id}", readSelf, "Read an administrator, by UID or name.", d.getAdmin),
		api.Row("PATCH", base+"/admin/{id}", writeSelf, "Change some fields of an administrator.", d.updateAdmin),
		api.Row("PUT", base+"/admin/{id}", write, "Replace an administrator's fields; absent ones revert to their defaults.", d.replaceAdmin),
		api.Row("DELETE", base+"/admin/{id}", write, "Delete an administrator and revoke his tokens.", d.deleteAdmin),
		api.Row("POST", base+"/admin/{id}/token", writeSelf, "Mint a token for oneself, or for another to act as him.", d.mintToken),
	}
}

func (d *door) nodeRoutes() []api.Route {
	read, write := api.Needs(identity.NodesRead), api.Needs(identity.NodesWrite)
	readAttributes, writeAttributes := api.Needs(identity.NodesReadAttribs), api.Needs(identity.NodesWriteAttribs)
	writeGroups := api.Needs(identity.NodesWriteGroups)
	writeAny := api.Needs(identity.NodesWrite, identity.NodesWriteAttribs, identity.NodesWriteGroups)
	const one = base + "/node/{id}"
	return []api.Route{
		api.Row("GET", base+"/nodes", read, "List the nodes.", d.listNodes),
		api.Row("GET", base+"/nodes/meta", read, "The fields of a node.", metaOf[nodeRecord]),
		api.Row("POST", base+"/nodes", write, "Create a node; data is the UID.", d.createNode),
		api.Row("GET", one, read, "Read a node, by UID, name, MAC or IP.", d.getNode),
		api.Row("PATCH", one, writeAny, "Change some fields of a node.", d.updateNode),
		api.Row("PUT", one, write, "Replace a node's fields; absent optional ones revert to their defaults.", d.replaceNode),
		api.Row("DELETE", one, write, "Delete a node.", d.deleteNode),
		api.Row("GET", one+"/attributes", readAttributes, "The node's effective attributes.", d.getAttributes),
		api.Row("PUT", one+"/attributes", writeAttributes, "Replace the node's own attributes. Absent ones are removed from the node.", d.setAttributes),
		api.Row("PATCH", one+"/attributes", writeAttributes, "Set some of the node's own attributes.", d.mergeAttributes),
		api.Row("DELETE", one+"/attributes", writeAttributes, "Remove some of the node's own attributes.", d.clearAttributes),
		api.Row("GET", one+"/groups", read, "The groups of the node, in order.", d.getNodeGroups),
		api.Row("POST", one+"/groups", writeGroups, "Join groups.", d.joinGroups),
		api.Row("PATCH PUT", one+"/groups", writeGroups, "Replace the list of groups.", d.setGroups),
		api.Row("DELETE", one+"/groups", writeGroups, "Leave groups.", d.leaveGroups),
		api.Row("GET", one+"/status", read, "What the node and the scheduler reported.", d.getStatus),
		api.Row("GET", one+"/hardware", read, "The hardware that the node reported.", d.getHardware),
	}
}

func (d *door) groupRoutes() []api.Route {
	read, write := api.Needs(identity.AttribGroupsRead), api.Needs(identity.AttribGroupsWrite)
	const one, other = base + "/attrib/{id}", base + "/attribs/{id}"
	return []api.Route{
		api.Row("GET", base+"/attribs", read, "List the attribute groups.", d.listGroups),
		api.Row("GET", base+"/attribs/meta", read, "The fields of an attribute group.", metaOf[groupRecord]),
		api.Row("POST", base+"/attribs", write, "Create an attribute group; data is the UID.", d.createGroup),
		api.Row("GET", one, read, "Read an attribute group, by UID or name.", d.getGroup).Alias(other),
		api.Row("PATCH", one, write, "Change some fields of an attribute group; attributes are replaced as a whole.", d.updateGroup).Alias(other),
		api.Row("PUT", one, write, "Replace an attribute group's fields.", d.replaceGroup).Alias(other),
		api.Row("DELETE", one, write, "Delete an attribute group that no node is in.", d.deleteGroup).Alias(other),
		api.Row("GET", one+"/attributes", read, "The attributes of a group.", d.getGroupAttributes).Alias(other + "/attributes"),
		api.Row("PUT", one+"/attributes", write, "Replace the attributes of a group.", d.setGroupAttributes).Alias(other + "/attributes"),
		api.Row("PATCH", one+"/attributes", write, "Set some attributes of a group.", d.mergeGroupAttributes).Alias(other + "/attributes"),
		api.Row("DELETE", one+"/attributes", write, "Remove some attributes of a group.", d.clearGroupAttributes).Alias(other + "/attributes"),
	}
}

func (d *door) clusterRoutes() []api.Route {
	return []api.Route{
		api.Row("GET", base+"/cluster", api.Needs(identity.ClusterRead), "This installation.", d.getCluster),
		api.Row("PATCH", base+"/cluster", api.Needs(identity.ClusterWrite), "Change this installation.", d.updateCluster),
		api.Row("GET", base+"/cluster/time", api.Public(), "The head's time.", d.getTime),
	}
}
