package servertest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Project is the one project that the user with the role manager manages.
const Project = "bridge"

// password is everybody's.
const password = "correct horse battery staple"

// person is the user with one role.
type person struct {
	name        string
	token       string
	hasPassword bool
}

// Local is the caller that makes users and tokens: the head's own command line.
func Local() identity.Caller { return identity.Local("servertest") }

// User returns the name of the user who has that one role.
func (h *Harness) User(role identity.Role) string {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.person(role).name
}

// Token returns a token of the user who has that one role, good for longer than any test runs.
func (h *Harness) Token(role identity.Role) string {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.person(role)
	if p.token == "" {
		p.token = h.Mint(token.MintRequest{For: p.name}).Text
	}
	return p.token
}

// Mint makes a token as the head's command line does.
func (h *Harness) Mint(r token.MintRequest) token.Minted {
	h.tb.Helper()
	m, err := h.Server.Tokens().Mint(h.tb.Context(), Local(), r)
	if err != nil {
		h.tb.Fatal(err)
	}
	return m
}

// Session logs the user who has that one role in, as a browser does, and returns the cookie.
func (h *Harness) Session(role identity.Role) *http.Cookie {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.person(role)
	if !p.hasPassword { // hashing takes its time, and most tests need no session
		pw := password
		if _, err := h.Server.Users().Update(h.tb.Context(), Local(), p.name, identity.Update{Password: &pw}); err != nil {
			h.tb.Fatal(err)
		}
		p.hasPassword = true
	}
	form := url.Values{"username": {p.name}, "password": {password}}
	reply := h.Do(Call{Method: http.MethodPost, Path: "/login", Type: "application/x-www-form-urlencoded", Body: form.Encode()})
	for _, line := range reply.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == access.SessionCookie {
			return c
		}
	}
	h.tb.Fatalf("login of %s gave no session: %d %s", p.name, reply.Status, reply.Body)
	return nil
}

// person returns the user with one role and makes him first where needed. The caller holds h.mu.
func (h *Harness) person(role identity.Role) *person {
	h.tb.Helper()
	if p, ok := h.people[role]; ok {
		return p
	}
	n := identity.NewUser{Name: strings.ReplaceAll(string(role), ".", "-"), Roles: []identity.Role{role}}
	if role == identity.RoleManager {
		n.Projects = []string{Project}
	}
	if !isWare(role) && role != identity.RoleAPI { // people of ClusterCockpit have a password
		n.Password = password
	}
	if _, err := h.Server.Users().Create(h.tb.Context(), Local(), n); err != nil {
		h.tb.Fatal(err)
	}
	h.people[role] = &person{name: n.Name, hasPassword: n.Password != ""}
	return h.people[role]
}

func isWare(r identity.Role) bool { return strings.HasPrefix(string(r), "role.") }
