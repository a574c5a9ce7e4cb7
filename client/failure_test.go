package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// call is one function of the client.
type call struct {
	name string
	do   func(ctx context.Context, c *client.Client) error
}

// dropped makes a call of a function that returns something.
func dropped[T any](name string, do func(ctx context.Context, c *client.Client) (T, error)) call {
	return call{name, func(ctx context.Context, c *client.Client) error {
		_, err := do(ctx, c)
		return err
	}}
}

func calls() []call {
	fields, attributes := map[string]any{"name": "x"}, map[string]string{"a": "b"}
	return []call{
		dropped("ListNodes", func(ctx context.Context, c *client.Client) ([]client.Node, error) { return c.ListNodes(ctx) }),
		dropped("GetNode", func(ctx context.Context, c *client.Client) (client.Node, error) { return c.GetNode(ctx, "n0") }),
		dropped("CreateNode", func(ctx context.Context, c *client.Client) (string, error) { return c.CreateNode(ctx, fields) }),
		{"UpdateNode", func(ctx context.Context, c *client.Client) error { return c.UpdateNode(ctx, "n0", fields) }},
		{"DeleteNode", func(ctx context.Context, c *client.Client) error { return c.DeleteNode(ctx, "n0") }},
		dropped("Attributes", func(ctx context.Context, c *client.Client) (map[string]string, error) { return c.Attributes(ctx, "n0") }),
		dropped("LocalAttributes", func(ctx context.Context, c *client.Client) (map[string]string, error) {
			return c.LocalAttributes(ctx, "n0")
		}),
		dropped("ExplainAttributes", func(ctx context.Context, c *client.Client) (map[string]client.Attribute, error) {
			return c.ExplainAttributes(ctx, "n0")
		}),
		{"MergeAttributes", func(ctx context.Context, c *client.Client) error { return c.MergeAttributes(ctx, "n0", attributes) }},
		{"SetAttributes", func(ctx context.Context, c *client.Client) error { return c.SetAttributes(ctx, "n0", attributes) }},
		{"ClearAttributes", func(ctx context.Context, c *client.Client) error { return c.ClearAttributes(ctx, "n0", []string{"a"}) }},
		{"JoinGroups", func(ctx context.Context, c *client.Client) error { return c.JoinGroups(ctx, "n0", []string{"g"}) }},
		{"LeaveGroups", func(ctx context.Context, c *client.Client) error { return c.LeaveGroups(ctx, "n0", []string{"g"}) }},
		dropped("GetGroup", func(ctx context.Context, c *client.Client) (client.Group, error) { return c.GetGroup(ctx, "g") }),
		dropped("ListGroups", func(ctx context.Context, c *client.Client) ([]client.Group, error) { return c.ListGroups(ctx) }),
		dropped("ListAdmins", func(ctx context.Context, c *client.Client) ([]client.Admin, error) { return c.ListAdmins(ctx) }),
		dropped("GetAdmin", func(ctx context.Context, c *client.Client) (client.Admin, error) { return c.GetAdmin(ctx, "ann") }),
		dropped("CreateAdmin", func(ctx context.Context, c *client.Client) (string, error) { return c.CreateAdmin(ctx, fields) }),
		{"UpdateAdmin", func(ctx context.Context, c *client.Client) error { return c.UpdateAdmin(ctx, "ann", fields) }},
		{"DeleteAdmin", func(ctx context.Context, c *client.Client) error { return c.DeleteAdmin(ctx, "ann") }},
		dropped("Whoami", func(ctx context.Context, c *client.Client) (client.Identity, error) { return c.Whoami(ctx) }),
		dropped("ListRoles", func(ctx context.Context, c *client.Client) ([]client.Role, error) { return c.ListRoles(ctx) }),
		dropped("GetRole", func(ctx context.Context, c *client.Client) (client.Role, error) { return c.GetRole(ctx, "role.X") }),
		dropped("CreateRole", func(ctx context.Context, c *client.Client) (string, error) { return c.CreateRole(ctx, fields) }),
		{"UpdateRole", func(ctx context.Context, c *client.Client) error { return c.UpdateRole(ctx, "role.X", fields) }},
		{"DeleteRole", func(ctx context.Context, c *client.Client) error { return c.DeleteRole(ctx, "role.X") }},
		{"GrantRoles", func(ctx context.Context, c *client.Client) error { return c.GrantRoles(ctx, "ann", "role.X") }},
		{"RevokeRoles", func(ctx context.Context, c *client.Client) error { return c.RevokeRoles(ctx, "ann", "role.X") }},
		dropped("MintToken", func(ctx context.Context, c *client.Client) (client.TokenFile, error) {
			return c.MintToken(ctx, "ann", client.TokenRequest{})
		}),
		dropped("ListTokens", func(ctx context.Context, c *client.Client) ([]client.Token, error) {
			return c.ListTokens(ctx, client.TokenFilter{All: true})
		}),
		dropped("GetToken", func(ctx context.Context, c *client.Client) (client.Token, error) { return c.GetToken(ctx, "t1") }),
		{"RenameToken", func(ctx context.Context, c *client.Client) error {
			return c.RenameToken(ctx, "t1", client.TokenLabels{})
		}},
		dropped("RevokeTokens", func(ctx context.Context, c *client.Client) (int, error) {
			return c.RevokeTokens(ctx, client.TokenSelection{All: true}, true)
		}),
		dropped("InspectToken", func(ctx context.Context, c *client.Client) (client.Inspection, error) {
			return c.InspectToken(ctx, "a.b.c")
		}),
		{"RevokeToken", func(ctx context.Context, c *client.Client) error { return c.RevokeToken(ctx, "t1") }},
		{"Logout", func(ctx context.Context, c *client.Client) error { return c.Logout(ctx, "secret-refresh") }},
		dropped("Login", func(ctx context.Context, c *client.Client) (client.TokenFile, error) {
			return c.Login(ctx, "ann", "secret-password")
		}),
		dropped("Refresh", func(ctx context.Context, c *client.Client) (client.TokenFile, error) {
			return c.Refresh(ctx, "secret-refresh")
		}),
		dropped("StartJob", func(ctx context.Context, c *client.Client) (int64, error) {
			return c.StartJob(ctx, client.Job{JobID: 1})
		}),
		dropped("StopJob", func(ctx context.Context, c *client.Client) (client.Job, error) {
			return c.StopJob(ctx, client.JobStop{JobID: 1})
		}),
		dropped("ListJobs", func(ctx context.Context, c *client.Client) ([]client.Job, error) {
			return c.ListJobs(ctx, client.JobFilter{WithMetaData: true})
		}),
		{"ReportNodes", func(ctx context.Context, c *client.Client) error { return c.ReportNodes(ctx, "alpha", nil) }},
		{"WriteSamples", func(ctx context.Context, c *client.Client) error {
			return c.WriteSamples(ctx, "alpha", []client.Sample{{Metric: "m", Host: "h"}})
		}},
	}
}

// fake answers every request alike.
func fake(t *testing.T, r reply) *head {
	t.Helper()
	h := newHead(t, nil)
	h.always = &r
	return h
}

func TestEveryCallPassesOnWhatTheHeadRefuses(t *testing.T) {
	t.Parallel()
	refused := fake(t, reply{status: 403, header: map[string]string{"X-Request-Id": "r7"}, body: `{"success": false, "reason": "no", "error": "no"}`})
	c := refused.connect(t, client.Config{Credential: client.StaticToken("secret-token")})
	for _, f := range calls() {
		err := f.do(t.Context(), c)
		var told *client.Error
		if !errors.Is(err, client.ErrDenied) || !errors.As(err, &told) || err.Error() != "no" || told.RequestID != "r7" || told.Path == "" {
			t.Errorf("%s: %+v", f.name, err)
		}
	}
}

func TestEveryCallToldWhatIsNoHead(t *testing.T) {
	t.Parallel()
	page := fake(t, reply{status: 502, body: "<html>bad gateway</html>"})
	c := page.connect(t, client.Config{Credential: client.StaticToken("secret-token")})
	for _, f := range calls() {
		err := f.do(t.Context(), c)
		if !errors.Is(err, client.ErrServer) || !strings.Contains(err.Error(), "502 Bad Gateway") || strings.Contains(err.Error(), "html") {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	gone := fake(t, reply{})
	c := gone.connect(t, client.Config{Credential: client.StaticToken("secret-token")})
	gone.Close()
	for _, f := range calls() {
		err := f.do(t.Context(), c)
		var unreachable *client.UnreachableError
		if !errors.As(err, &unreachable) || strings.Contains(err.Error(), "secret-") || unreachable.Unwrap() == nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestEveryCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := fake(t, reply{body: `{"success": true, "data": {}}`})
	c := h.connect(t, client.Config{Credential: client.StaticToken("tok")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range calls() {
		if err := f.do(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	if len(h.asked) > 0 {
		t.Errorf("asked %q", h.asked)
	}
}

func TestAnAnswerOfTheWrongTypeNamesTheRequest(t *testing.T) {
	t.Parallel()
	h := fake(t, reply{body: `{"success": true, "data": 7, "jobs": 7, "id": "x", "jobId": "x"}`})
	c := h.connect(t, client.Config{Credential: client.StaticToken("tok")})
	silent := map[string]bool{ // these are not told anything but success
		"UpdateNode": true, "DeleteNode": true, "MergeAttributes": true, "SetAttributes": true, "ClearAttributes": true, "JoinGroups": true,
		"LeaveGroups": true, "UpdateAdmin": true, "DeleteAdmin": true, "RevokeToken": true, "RenameToken": true, "Logout": true, "ReportNodes": true, "WriteSamples": true,
		"UpdateRole": true, "DeleteRole": true, "GrantRoles": true, "RevokeRoles": true,
	}
	for _, f := range calls() {
		err := f.do(t.Context(), c)
		told := err != nil && strings.Contains(err.Error(), "decode ")
		if silent[f.name] && err != nil || !silent[f.name] && !told {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}
