package token_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

func TestRevokedIsRefusedInTheNextRequestAndAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	u := w.as(t, "u")
	m, other := w.mint(t, u, token.MintRequest{}), w.mint(t, u, token.MintRequest{})
	w.enter(t, m.Text)
	if n, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if rec := w.last(t); rec.Action != "token.revoke" || rec.Object != "token/"+m.ID || rec.Actor != "u" {
		t.Errorf("trail: %+v", rec)
	}
	for what, s := range map[string]*token.Service{"at once": w.Service, "restarted": w.restart(t, token.Policy{})} {
		for form, raw := range map[string]string{"itself": m.Text, "with newline": m.Text + "\n", "padded": m.Text + "="} {
			if _, err := s.Authenticate(t.Context(), raw, "", ""); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s, %s: %v", what, form, err)
			}
		}
		if _, err := s.Authenticate(t.Context(), other.Text, "", ""); err != nil {
			t.Errorf("%s, another one: %v", what, err)
		}
	}
	if n, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); n != 0 || err != nil {
		t.Errorf("a second time: %d, %v", n, err)
	}
}

func TestRevokingBelongsToOwnersAndIssuers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "admin": identity.RoleAdmin} {
		w.add(t, name, role)
	}
	u, v, admin := w.as(t, "u"), w.as(t, "v"), w.as(t, "admin")
	mine := w.mint(t, u, token.MintRequest{})
	issued := w.mint(t, admin, token.MintRequest{For: "u"})

	for what, f := range map[string]token.Filter{"by id": {ID: mine.ID}, "unknown": {ID: "nothing"}} {
		_, err := w.Revoke(t.Context(), v, f)
		fails(t, "v "+what, err, fault.NotFound)
	}
	for what, f := range map[string]token.Filter{"of u": {UserID: u.User.ID}, "all": {}, "of a key": {KeyID: w.ring.ID()}, "of a kind": {Kind: token.KindService}} {
		_, err := w.Revoke(t.Context(), v, f)
		fails(t, "v "+what, err, fault.Denied)
	}
	acting := w.enter(t, issued.Text)
	for what, f := range map[string]token.Filter{"by id": {ID: mine.ID}, "of u": {UserID: u.User.ID}} {
		_, err := w.Revoke(t.Context(), acting, f)
		fails(t, "with an impersonation token "+what, err, fault.Denied)
	}
	w.enter(t, mine.Text)
	if n, err := w.Revoke(t.Context(), acting, token.Filter{ID: issued.ID}); n != 1 || err != nil {
		t.Errorf("an impersonation token revokes itself: %d, %v", n, err)
	}
	w.mint(t, admin, token.MintRequest{For: "v"})
	if n, err := w.Revoke(t.Context(), admin, token.Filter{IssuerID: admin.User.ID}); n != 1 || err != nil {
		t.Errorf("all that admin has issued: %d, %v", n, err)
	}
	if n, err := w.Revoke(t.Context(), u, token.Filter{UserID: u.User.ID}); n != 1 || err != nil {
		t.Errorf("all of one's own: %d, %v", n, err)
	}
	w.mint(t, v, token.MintRequest{})
	w.mint(t, u, token.MintRequest{})
	live, err := w.List(t.Context(), admin, token.Filter{Live: start})
	if err != nil || len(live) != 2 {
		t.Fatalf("%d live, %v", len(live), err)
	}
	for what, r := range map[string]token.Revocation{
		"nothing selected":  {},
		"all, and of a key": {All: true, Filter: token.Filter{KeyID: w.ring.ID()}},
		"a page":            {All: true, Filter: token.Filter{Limit: 1}},
	} {
		_, _, err := w.RevokeMany(t.Context(), admin, r)
		fails(t, what, err, fault.Invalid)
	}
	if ids, n, err := w.RevokeMany(t.Context(), admin, token.Revocation{All: true, DryRun: true}); n != len(live) || ids != nil || err != nil {
		t.Errorf("all, tried: %v %d, %v", ids, n, err)
	}
	if still, err := w.List(t.Context(), admin, token.Filter{Live: start}); len(still) != len(live) || err != nil {
		t.Errorf("trying has revoked: %d, %v", len(still), err)
	}
	if ids, n, err := w.RevokeMany(t.Context(), admin, token.Revocation{All: true}); n != len(live) || len(ids) != n || err != nil {
		t.Errorf("all: %v %d, %v", ids, n, err)
	}
}

func TestListsShowOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, role := range map[string]identity.Role{"u": identity.RoleUser, "v": identity.RoleUser, "boss": identity.RoleWareManager} {
		w.add(t, name, role)
	}
	u, boss := w.as(t, "u"), w.as(t, "boss")
	w.mint(t, u, token.MintRequest{Name: "a"})
	w.mint(t, w.as(t, "v"), token.MintRequest{Name: "b"})
	for what, c := range map[string]struct {
		by   identity.Caller
		f    token.Filter
		want []string
	}{
		"own":             {u, token.Filter{}, []string{"a"}},
		"own, named":      {u, token.Filter{UserID: u.User.ID}, []string{"a"}},
		"issued by me":    {u, token.Filter{IssuerID: u.User.ID}, []string{"a"}},
		"all":             {boss, token.Filter{}, []string{"a", "b"}},
		"own of the boss": {boss, token.Filter{UserID: boss.User.ID}, nil},
	} {
		list, err := w.List(t.Context(), c.by, c.f)
		var names []string
		for _, tok := range list {
			names = append(names, tok.Name)
		}
		slices.Sort(names)
		if err != nil || !slices.Equal(names, c.want) {
			t.Errorf("%s: %v, %v, want %v", what, names, err, c.want)
		}
	}
	for what, f := range map[string]token.Filter{"of another": {UserID: boss.User.ID}, "of another issuer": {IssuerID: boss.User.ID}} {
		_, err := w.List(t.Context(), u, f)
		fails(t, what, err, fault.Denied)
	}
	_, err := w.List(t.Context(), identity.Caller{}, token.Filter{})
	fails(t, "nobody", err, fault.Denied)
}

func TestRevokingWhileOthersEnter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "u", identity.RoleUser)
	u := w.as(t, "u")
	var wg sync.WaitGroup
	for range 4 {
		m := w.mint(t, u, token.MintRequest{})
		wg.Go(func() {
			for range 20 {
				_, _ = w.Authenticate(t.Context(), m.Text, "", "")
			}
		})
		wg.Go(func() {
			if _, err := w.Revoke(t.Context(), u, token.Filter{ID: m.ID}); err != nil {
				t.Error(err)
			}
			if _, err := w.Authenticate(t.Context(), m.Text, "", ""); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("after the reply: %v", err)
			}
		})
	}
	wg.Wait()
}

// TestWhatFellWithAnAccountStaysDead has three accounts with a token of each sort, changes one of them in every way that
// ends tokens, and undoes the change.
func TestWhatFellWithAnAccountStaysDead(t *testing.T) {
	t.Parallel()
	roles := func(r ...identity.Role) *[]identity.Role { return &r }
	all := []string{"own", "access", "refresh", "issued", "as boss"}
	for what, c := range map[string]struct {
		change, undo identity.Update
		dead         []string
	}{
		"disabled":           {identity.Update{Disabled: new(true)}, identity.Update{Disabled: new(false)}, all},
		"demoted":            {identity.Update{Roles: roles("role.AuthUser")}, identity.Update{Roles: roles("role.Manager")}, []string{"issued"}},
		"role taken away":    {identity.Update{RemoveRoles: *roles("role.Manager")}, identity.Update{AddRoles: *roles("role.Manager")}, []string{"issued"}},
		"locked":             {identity.Update{AddRoles: *roles("role.NoAccess")}, identity.Update{RemoveRoles: *roles("role.NoAccess")}, []string{"issued"}},
		"new password":       {identity.Update{Password: new("new")}, identity.Update{Password: new("secret")}, []string{"access", "refresh"}},
		"both":               {identity.Update{Password: new("new"), Roles: roles()}, identity.Update{Roles: roles("role.Manager")}, []string{"access", "refresh", "issued"}},
		"one role more":      {identity.Update{AddRoles: *roles("role.AuthUser")}, identity.Update{RemoveRoles: *roles("role.AuthUser")}, nil},
		"something else":     {identity.Update{Email: new("boss@example.org")}, identity.Update{Email: new("")}, nil},
		"enabled as before":  {identity.Update{Disabled: new(false)}, identity.Update{Disabled: new(false)}, nil},
		"another issuer too": {identity.Update{Roles: roles("role.FullAdmin")}, identity.Update{Roles: roles("role.Manager")}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add(t, "chief", identity.RoleFullAdmin)
			w.add(t, "boss", identity.RoleWareManager)
			w.add(t, "prod", identity.RoleProductionEngineer)
			boss, chief, prod := w.as(t, "boss"), w.as(t, "chief"), w.as(t, "prod")
			tokens := map[string]token.Minted{
				"own":      w.mint(t, boss, token.MintRequest{}),
				"access":   w.mint(t, boss, token.MintRequest{Kind: token.KindAccess}),
				"refresh":  w.mint(t, boss, token.MintRequest{Kind: token.KindRefresh}),
				"issued":   w.mint(t, boss, token.MintRequest{For: "prod"}),
				"as boss":  w.mint(t, chief, token.MintRequest{For: "boss"}),
				"prod":     w.mint(t, prod, token.MintRequest{}),
				"by chief": w.mint(t, chief, token.MintRequest{For: "prod"}),
			}
			w.change(t, "boss", c.change)
			for _, name := range c.dead {
				deadIn(t, name+" at once", w.Service, tokens[name])
			}
			w.change(t, "boss", c.undo)
			restarted := w.restart(t, token.Policy{})
			for name, m := range tokens {
				for when, s := range map[string]*token.Service{"undone": w.Service, "restarted": restarted} {
					if slices.Contains(c.dead, name) {
						deadIn(t, name+" "+when, s, m)
					} else if err := use(t, s, m); err != nil {
						t.Errorf("%s %s: %v", name, when, err)
					}
				}
			}
		})
	}
}

// use does with a token what it is good for.
func use(t *testing.T, s *token.Service, m token.Minted) (err error) {
	t.Helper()
	if m.Kind == token.KindRefresh {
		_, err = s.Refresh(t.Context(), m.Text, "", "")
	} else {
		_, err = s.Authenticate(t.Context(), m.Text, "", "")
	}
	return err
}

func deadIn(t *testing.T, what string, s *token.Service, m token.Minted) {
	t.Helper()
	refused(t, what, use(t, s, m), "revoked")
}

func TestTokensOfWhoIsDeletedAreRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add(t, "boss", identity.RoleWareManager)
	w.add(t, "prod", identity.RoleProductionEngineer)
	own, issued := w.mint(t, w.as(t, "boss"), token.MintRequest{}), w.mint(t, w.as(t, "boss"), token.MintRequest{For: "prod"})
	other := w.mint(t, w.as(t, "prod"), token.MintRequest{})
	if err := w.users.Delete(t.Context(), root, "boss"); err != nil {
		t.Fatal(err)
	}
	for when, s := range map[string]*token.Service{"at once": w.Service, "restarted": w.restart(t, token.Policy{})} {
		deadIn(t, "own "+when, s, own)
		deadIn(t, "issued "+when, s, issued)
		if err := use(t, s, other); err != nil {
			t.Errorf("another's %s: %v", when, err)
		}
	}
}
