package attack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessType    = "urn:ietf:params:oauth:token-type:access_token"
)

// exchange asks for a token in exchange for another one.
func (h *head) exchange(subject string, more url.Values) servertest.Reply {
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {subject}, "subject_token_type": {accessType}}
	for name, values := range more {
		form[name] = values
	}
	return h.form("/oauth/token", form)
}

func (h *head) form(path string, form url.Values) servertest.Reply {
	return h.Do(servertest.Call{Method: http.MethodPost, Path: path, Type: "application/x-www-form-urlencoded", Body: form.Encode()})
}

// TestExchangeIsNoWayUp tries to get more out of a token exchange than went in.
func TestExchangeIsNoWayUp(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root, rootName := h.Token(identity.RoleFullAdmin), h.User(identity.RoleFullAdmin)
	boss := h.newUser(t, "boss", identity.RoleWareManager)
	engineer := h.newUser(t, "engineer", identity.RoleProductionEngineer)
	acting := accessToken(t, h.actAs(boss, "engineer"))
	narrow := h.Mint(token.MintRequest{For: rootName, Narrowing: token.Narrowing{Permissions: []string{"NodesRead", "AdminsWriteSelf"}}})
	elsewhere := h.Mint(token.MintRequest{For: rootName, Narrowing: token.Narrowing{CIDRs: []string{"192.0.2.0/24"}}})
	revoked := h.Mint(token.MintRequest{For: rootName})
	want(t, "revoke", h.form("/oauth/revoke", url.Values{"token": {revoked.Text}}), http.StatusOK)
	expired := h.Mint(token.MintRequest{For: rootName, Lifetime: time.Second})
	h.clock.Advance(2 * time.Second)
	before := h.tables(t)
	as := func(user string) url.Values { return url.Values{"requested_subject": {user}, "purpose": {"attack"}} }
	actor := func(raw string) url.Values {
		return url.Values{"actor_token": {raw}, "actor_token_type": {accessType}, "purpose": {"attack"}}
	}
	for what, r := range map[string]servertest.Reply{
		"acting as who is above":             h.exchange(boss, as(rootName)),
		"acting without the permission":      h.exchange(engineer, as("boss")),
		"acting as nobody":                   h.exchange(boss, as("nobody")),
		"a chain":                            h.exchange(acting, as("engineer")),
		"an impersonation token for another": h.exchange(acting, nil),
		"a stronger token, and oneself":      h.exchange(root, actor(boss)),
		"a stronger token, and nobody":       h.exchange(root, actor("x")),
		"acting with an impersonation token": h.exchange(engineer, actor(acting)),
		"a revoked token":                    h.exchange(revoked.Text, nil),
		"an expired token":                   h.exchange(expired.Text, nil),
		"a token that is good elsewhere":     h.exchange(elsewhere.Text, nil),
		"a token without a signature":        h.exchange(root[:strings.LastIndexByte(root, '.')+1], nil),
		"a lifetime beyond the policy":       h.exchange(root, url.Values{"lifetime": {"99999w"}}),
		"all permissions by name":            h.exchange(narrow.Text, url.Values{"scope": {"NodesWrite"}}),
		"an unknown scope":                   h.exchange(root, url.Values{"scope": {"root"}}),
		"another audience":                   h.exchange(root, url.Values{"audience": {"https://evil.example"}}),
		"another resource":                   h.exchange(root, url.Values{"resource": {"https://evil.example"}}),
		"another type of token":              h.exchange(root, url.Values{"requested_token_type": {"urn:ietf:params:oauth:token-type:saml2"}}),
		"no grant":                           h.form("/oauth/token", url.Values{"subject_token": {root}}),
		"the grant of passwords":             h.form("/oauth/token", url.Values{"grant_type": {"password"}, "username": {"boss"}, "password": {"x"}}),
		"the grant of codes":                 h.form("/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}),
		"the grant of clients":               h.form("/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"boss"}, "client_secret": {"x"}}),
		"a refresh with an access token":     h.form("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {root}}),
		"two grants":                         h.form("/oauth/token", url.Values{"grant_type": {"refresh_token", exchangeGrant}, "subject_token": {root}, "subject_token_type": {accessType}}),
		"two subjects":                       h.exchange(boss, url.Values{"requested_subject": {"engineer", rootName}}),
		"tokens in the query":                h.form("/oauth/token?grant_type="+url.QueryEscape(exchangeGrant)+"&subject_token="+root+"&subject_token_type="+url.QueryEscape(accessType), nil),
	} {
		if r.Status < 400 || r.Status >= 500 || strings.Contains(r.Body, "access_token\"") {
			t.Errorf("%s: %d %s", what, r.Status, r.Body)
		}
	}
	if h.tables(t) != before {
		t.Error("something has changed")
	}
	// What is not narrowed in words stays as narrow as the token was, and does not outlive it.
	var child struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	h.exchange(narrow.Text, nil).Decode(t, &child)
	if child.Token == "" || strings.Contains(child.Scope, "NodesWrite") {
		t.Errorf("an exchange without words: %+v", child)
	}
	want(t, "writing with it", h.call(http.MethodPost, "/api/v1/nodes", child.Token, `{"mac":"52:54:00:00:00:01"}`), http.StatusForbidden)
}

// TestIntrospectionTellsNothingToStrangers: whoever may not see a token is told what he is told of garbage.
func TestIntrospectionTellsNothingToStrangers(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	root, user, other := h.Token(identity.RoleFullAdmin), h.Token(identity.RoleUser), h.newUser(t, "other", identity.RoleUser)
	ask := func(by, about string) servertest.Reply {
		return h.Do(servertest.Call{Method: http.MethodPost, Path: "/oauth/introspect", Token: by, Type: "application/x-www-form-urlencoded", Body: url.Values{"token": {about}}.Encode()})
	}
	want(t, "by nobody", ask("", user), http.StatusUnauthorized)
	if r := ask(user, user); !strings.Contains(r.Body, `"active":true`) {
		t.Errorf("one's own: %d %s", r.Status, r.Body)
	}
	if r := ask(root, user); !strings.Contains(r.Body, `"active":true`) {
		t.Errorf("by an administrator: %d %s", r.Status, r.Body)
	}
	garbage := ask(other, "garbage")
	for what, r := range map[string]servertest.Reply{"another's": ask(other, user), "an administrator's": ask(other, root), "a session's secret": ask(other, h.Session(identity.RoleUser).Value)} {
		if r.Status != garbage.Status || r.Body != garbage.Body {
			t.Errorf("%s: %d %s, of garbage %d %s", what, r.Status, r.Body, garbage.Status, garbage.Body)
		}
	}
}

// TestAStolenLoginIsWhollyRevoked: with the refresh token go the access tokens that it came with and that were made with
// it, and nothing else.
func TestAStolenLoginIsWhollyRevoked(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.newUser(t, "alice", identity.RoleUser)
	type pair struct {
		Data struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
	}
	tokens := func(path, body string) (p pair) {
		t.Helper()
		r := h.call(http.MethodPost, path, "", body)
		want(t, path, r, http.StatusOK)
		r.Decode(t, &p)
		return p
	}
	const password = `{"username":"alice","password":"correct horse battery alice"}`
	stolen, other := tokens("/api/v1/login", password), tokens("/api/v1/login", password)
	made := tokens("/api/v1/token/refresh", `{"refresh_token":"`+stolen.Data.Refresh+`"}`)
	service := h.Mint(token.MintRequest{For: "alice"}).Text
	for what, raw := range map[string]string{"first": stolen.Data.Access, "made": made.Data.Access} {
		want(t, what, h.whoami(raw), http.StatusOK)
	}
	r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/oauth/revoke", Type: "application/x-www-form-urlencoded", Body: "token=" + stolen.Data.Refresh})
	want(t, "revoke", r, http.StatusOK)
	for what, raw := range map[string]string{"first": stolen.Data.Access, "made": made.Data.Access} {
		want(t, what+", afterwards", h.whoami(raw), http.StatusUnauthorized)
	}
	for what, raw := range map[string]string{"of another login": other.Data.Access, "made on purpose": service} {
		want(t, what, h.whoami(raw), http.StatusOK)
	}
}
