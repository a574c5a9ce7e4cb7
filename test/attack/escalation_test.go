package attack_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// newUser makes a user, who has a password where his roles want one, and returns a token of his own. To hash a password
// takes its time.
func (h *head) newUser(t *testing.T, name string, roles ...identity.Role) string {
	t.Helper()
	n := identity.NewUser{Name: name, Roles: roles}
	if slices.ContainsFunc(roles, func(r identity.Role) bool { return r != identity.RoleAPI && !strings.HasPrefix(string(r), "role.") }) {
		n.Password = "correct horse battery " + name
	}
	if slices.Contains(roles, identity.RoleManager) {
		n.Projects = []string{servertest.Project}
	}
	if _, err := h.Server.Users().Create(t.Context(), servertest.Local(), n); err != nil {
		t.Fatal(err)
	}
	return h.Mint(token.MintRequest{For: name}).Text
}

func (h *head) call(method, path, raw, body string) servertest.Reply {
	return h.Do(servertest.Call{Method: method, Path: path, Token: raw, Body: body})
}

// actAs asks for a token to act as a user.
func (h *head) actAs(raw, user string) servertest.Reply {
	return h.call(http.MethodPost, "/api/v1/admin/"+user+"/token", raw, "{}")
}

func accessToken(t *testing.T, r servertest.Reply) string {
	t.Helper()
	var reply struct {
		Data struct {
			Token string `json:"access_token"`
		}
	}
	r.Decode(t, &reply)
	if reply.Data.Token == "" {
		t.Fatalf("no token: %d %s", r.Status, r.Body)
	}
	return reply.Data.Token
}

// TestNobodyActsAsSomebodyBetter asks for everybody to act as everybody. Who may act as whom is decided by what the two may
// do, so the test does it as well: nobody gets a token that can do something which he could not give to anybody before.
func TestNobodyActsAsSomebodyBetter(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	roles := h.Server.Users().Roles()
	granted := 0
	for _, actor := range roles.List() {
		may, handsOn := roles.Effective([]identity.Role{actor.Role})
		for _, target := range roles.List() {
			targetMay, _ := roles.Effective([]identity.Role{target.Role})
			r := h.actAs(h.Token(actor.Role), h.User(target.Role))
			if r.Status == http.StatusOK && actor.Role == target.Role {
				continue // a token for oneself
			}
			if r.Status != http.StatusOK {
				want(t, fmt.Sprintf("%s as %s", actor.Role, target.Role), r, http.StatusForbidden)
				continue
			}
			granted++
			if !targetMay.SubsetOf(handsOn) || may == targetMay {
				t.Errorf("%s, who hands on %v, acts as %s, who may %v", actor.Role, handsOn, target.Role, targetMay)
			}
			if who := h.whoami(accessToken(t, r)); !strings.Contains(who.Body, `"impersonated_by":"`+h.User(actor.Role)+`"`) {
				t.Errorf("%s as %s: %d %s", actor.Role, target.Role, who.Status, who.Body)
			}
		}
	}
	if granted < 5 {
		t.Errorf("only %d of all pairs are allowed: the test shows nothing", granted)
	}
}

func TestNobodyActsAsWhoIsDisabledOrGone(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root := h.Token(identity.RoleFullAdmin)
	h.newUser(t, "sleeper", identity.RoleProductionEngineer)
	acting := accessToken(t, h.actAs(root, "sleeper"))
	want(t, "acting", h.whoami(acting), http.StatusOK)
	yes := true
	if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "sleeper", identity.Update{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	want(t, "acting as a disabled user", h.whoami(acting), http.StatusUnauthorized)
	if r := h.actAs(root, "sleeper"); r.Status == http.StatusOK {
		t.Errorf("a token for a disabled user: %d %s", r.Status, r.Body)
	}
	if r := h.actAs(root, "nobody"); r.Status != http.StatusNotFound {
		t.Errorf("a token for nobody: %d %s", r.Status, r.Body)
	}
}

// TestAnImpersonationTokenCannotMakeItselfAtHome: whoever acts as somebody cannot change who that is, nor stay.
func TestAnImpersonationTokenCannotMakeItselfAtHome(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root := h.Token(identity.RoleFullAdmin)
	h.newUser(t, "boss", identity.RoleWareManager)
	h.newUser(t, "engineer", identity.RoleProductionEngineer)
	acting := accessToken(t, h.actAs(root, "boss"))
	want(t, "who", h.whoami(acting), http.StatusOK)
	before := h.tables(t)
	for what, c := range map[string]servertest.Call{
		"a token for the one it stands for": {Method: http.MethodPost, Path: "/api/v1/admin/boss/token", Body: "{}"},
		"a token for a third":               {Method: http.MethodPost, Path: "/api/v1/admin/engineer/token", Body: "{}"},
		"a new user":                        {Method: http.MethodPost, Path: "/api/v1/admins", Body: `{"name":"back-door","roles":["role.ProductionEngineer"]}`},
		"another's roles":                   {Method: http.MethodPatch, Path: "/api/v1/admin/engineer", Body: `{"roles":["role.Manager"]}`},
		"the password":                      {Method: http.MethodPatch, Path: "/api/v1/admin/boss", Body: `{"password":"another password"}`},
		"the roles":                         {Method: http.MethodPatch, Path: "/api/v1/admin/boss", Body: `{"roles":["role.FullAdmin"]}`},
		"the keys":                          {Method: http.MethodPatch, Path: "/api/v1/admin/boss", Body: `{"keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDummy x"]}`},
		"the end of another":                {Method: http.MethodDelete, Path: "/api/v1/admin/engineer"},
		"the older door's users":            {Method: http.MethodPost, Path: "/api/users/", Type: "application/x-www-form-urlencoded", Body: "username=x&password=longenough&role=admin"},
		"the older door's tokens":           {Path: "/api/jwt/?username=engineer"},
		"the pages' tokens":                 {Path: "/frontend/jwt/?username=boss"},
		"another role":                      {Method: http.MethodPost, Path: "/api/v1/roles", Body: `{"name":"role.Mine","permissions":["NodesRead"]}`},
		"another key":                       {Method: http.MethodPost, Path: "/api/v1/keys/rotate", Body: "{}"},
		"a second factor":                   {Method: http.MethodPost, Path: "/api/v1/admin/boss/totp", Body: "{}"},
		"other people's sessions":           {Method: http.MethodDelete, Path: "/api/v1/sessions?user=engineer"},
		"all tokens' end":                   {Method: http.MethodPost, Path: "/api/v1/tokens/revoke", Body: `{"all":true}`},
	} {
		c.Token = acting
		if r := h.Do(c); r.Status < 400 || r.Status >= 500 {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	if h.tables(t) != before {
		t.Error("an impersonation token has changed something")
	}
}

// TestAnActorsTokenFallsWithHisRights: what was granted goes when the one who granted it could not grant it now.
func TestAnActorsTokenFallsWithHisRights(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]identity.Update{
		"demoted":         {Roles: &[]identity.Role{identity.RoleAuthUser}},
		"without a role":  {Roles: &[]identity.Role{identity.RoleNoAccess}},
		"disabled":        {Disabled: ptr(true)},
		"of other rights": {Roles: &[]identity.Role{identity.RoleImageEngineer}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := newHead(t)
			h.User(identity.RoleFullAdmin)
			boss := h.newUser(t, "boss", identity.RoleWareManager)
			h.newUser(t, "engineer", identity.RoleProductionEngineer)
			acting := accessToken(t, h.actAs(boss, "engineer"))
			want(t, "before", h.whoami(acting), http.StatusOK)
			if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "boss", change); err != nil {
				t.Fatal(err)
			}
			want(t, "after", h.whoami(acting), http.StatusUnauthorized)
			if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "boss", identity.Update{Roles: &[]identity.Role{identity.RoleWareManager}, Disabled: ptr(false)}); err != nil {
				t.Fatal(err)
			}
			want(t, "when he has them back", h.whoami(acting), http.StatusUnauthorized)
		})
	}
	t.Run("the other is raised", func(t *testing.T) {
		t.Parallel()
		h := newHead(t)
		boss := h.newUser(t, "boss", identity.RoleWareManager)
		h.newUser(t, "engineer", identity.RoleProductionEngineer)
		acting := accessToken(t, h.actAs(boss, "engineer"))
		if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), "engineer", identity.Update{Roles: &[]identity.Role{identity.RoleFullAdmin}}); err != nil {
			t.Fatal(err)
		}
		want(t, "acting as who is an administrator now", h.whoami(acting), http.StatusUnauthorized)
	})
}

func ptr[T any](v T) *T { return &v }

// TestNobodyRaisesHimself: with every role of its own, each tries to become more.
func TestNobodyRaisesHimself(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	all := h.Server.Users().Roles()
	for _, g := range all.List() {
		may, _ := all.Effective([]identity.Role{g.Role})
		self, raw := h.User(g.Role), h.Token(g.Role)
		for _, to := range all.List() {
			toMay, _ := all.Effective([]identity.Role{to.Role})
			if toMay.SubsetOf(may) {
				continue
			}
			body := fmt.Sprintf(`{"roles":[%q,%q]}`, g.Role, to.Role)
			if r := h.call(http.MethodPatch, "/api/v1/admin/"+self, raw, body); r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
				t.Errorf("%s becomes %s: %d %s", g.Role, to.Role, r.Status, r.Body)
			}
			if r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/user/" + self, Token: raw, Type: "application/x-www-form-urlencoded", Body: "add-role=" + string(to.Role)}); r.Status < 400 {
				t.Errorf("%s becomes %s by the other door: %d %s", g.Role, to.Role, r.Status, r.Body)
			}
			if r := h.call(http.MethodPost, "/api/v1/admins", raw, fmt.Sprintf(`{"name":"helper-%s","roles":[%q]}`, strings.ToLower(strings.ReplaceAll(string(to.Role), ".", "-")), to.Role)); r.Status < 400 && !handsOn(all, g.Role, toMay) {
				t.Errorf("%s makes a %s: %d %s", g.Role, to.Role, r.Status, r.Body)
			}
		}
		var who struct{ Data struct{ Roles []string } }
		h.whoami(raw).Decode(t, &who)
		if !slices.Equal(who.Data.Roles, []string{string(g.Role)}) {
			t.Errorf("%s is %v now", g.Role, who.Data.Roles)
		}
	}
}

// handsOn reports whether the holders of a role may make users who may do all that.
func handsOn(all *identity.Roles, role identity.Role, may identity.Set) bool {
	_, on := all.Effective([]identity.Role{role})
	return may.SubsetOf(on)
}

// TestTheLastAdministratorStays lets two administrators remove each other at the same moment, in every way that there is.
func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	h := openHead(t)
	h.newUser(t, "keeper", identity.RoleAdmin) // so that the first pair can be made and remade
	for round, remove := range []func(raw, other string) servertest.Reply{
		func(raw, other string) servertest.Reply {
			return h.call(http.MethodDelete, "/api/v1/admin/"+other, raw, "")
		},
		func(raw, other string) servertest.Reply {
			return h.call(http.MethodPatch, "/api/v1/admin/"+other, raw, `{"roles":["role.NoAccess"]}`)
		},
	} {
		a, b := fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round)
		rawA, rawB := h.newUser(t, a, identity.RoleFullAdmin), h.newUser(t, b, identity.RoleFullAdmin)
		for _, u := range []string{"keeper", "a0", "b0"} { // only the pair is left
			if round > 0 || u == "keeper" {
				_ = h.Server.Users().Delete(t.Context(), servertest.Local(), u) // some are gone already
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { remove(rawA, b) })
		wg.Go(func() { remove(rawB, a) })
		wg.Wait()
		var left []string
		for _, raw := range []string{rawA, rawB} {
			if r := h.call(http.MethodGet, "/api/v1/admins", raw, ""); r.Status == http.StatusOK {
				left = append(left, raw)
			}
		}
		if len(left) == 0 {
			t.Errorf("round %d: nobody administers this head any more", round)
		}
	}
}

// TestARoleThatIsTakenIsTakenAtOnce takes a role from somebody who is busy. In the trail, nothing of his comes behind.
func TestARoleThatIsTakenIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	h := openHead(t)
	h.User(identity.RoleFullAdmin)
	for round := range 3 {
		name := fmt.Sprintf("busy%d", round)
		raw := h.newUser(t, name, identity.RoleFullAdmin)
		var wg sync.WaitGroup
		stop, started := make(chan struct{}), make(chan struct{}, 100)
		for w := range 4 {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					h.call(http.MethodPost, "/api/v1/admins", raw, fmt.Sprintf(`{"name":"u-%d-%d-%d","roles":["role.AuthUser"]}`, round, w, i))
					started <- struct{}{}
					if i == 20 {
						return
					}
				}
			})
		}
		<-started
		<-started
		if _, err := h.Server.Users().Update(t.Context(), servertest.Local(), name, identity.Update{Roles: &[]identity.Role{identity.RoleNoAccess}}); err != nil {
			t.Fatal(err)
		}
		close(stop)
		wg.Wait()
		late := h.column(t, `SELECT action || ' ' || object FROM audit_records WHERE actor = ?1 AND outcome = 'done' AND seq >
			(SELECT max(seq) FROM audit_records WHERE action = 'user.update' AND object = 'user/' || ?1)`, name)
		if len(late) > 0 {
			t.Errorf("round %d: after the role was gone, its holder still did %q", round, late)
		}
	}
}
