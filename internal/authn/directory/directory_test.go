package directory_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory"
	"github.com/bridgehead-hpc/bridgehead/internal/authn/directory/directorytest"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

func newDirectory(t *testing.T, c directory.Config) *directory.Directory {
	t.Helper()
	d, err := directory.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPasswordsAreCheckedInTheDirectory(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice", "bob")
	d := newDirectory(t, s.Config())
	for _, c := range []struct {
		name, password string
		want           bool
	}{
		{"alice", "pw-alice", true},
		{"alice", "pw-bob", false},
		{"alice", "", false}, // the directory would call this a success
		{"nobody", "pw-nobody", false},
		{"bob,ou=people", "pw-bob", false},
		{"alice+uid=bob", "pw-alice", false},
		{"*", "pw-alice", false},
		{"alice\x00", "pw-alice", false},
		{"", "pw-alice", false},
		{"alice)(uid=*", "pw-alice", false},
	} {
		if got, err := d.Bind(t.Context(), c.name, c.password); got != c.want || err != nil {
			t.Errorf("%q %q: %v, %v", c.name, c.password, got, err)
		}
	}
}

func TestUsersAreFoundByTheirExactName(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice", "bob", "carol")
	s.Modify("dn: uid=carol," + directorytest.UserBase + "\nchangetype: modify\nreplace: gidNumber\ngidNumber: 200\n")
	d := newDirectory(t, s.Config())
	if e, err := d.Find(t.Context(), "alice"); err != nil || e != (directory.Entry{Name: "alice", FullName: "Full alice"}) {
		t.Errorf("%+v, %v", e, err)
	}
	for _, name := range []string{"Alice", "carol", "*", "a*", "alice)(uid=bob", "(|(uid=*))", "nobody", "", "\\2a"} {
		if e, err := d.Find(t.Context(), name); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %+v, %v", name, e, err)
		}
	}
}

// A directory that lists many has limits of its own; pages get around that of 600 here.
func TestListGetsMoreThanTheDirectoryGivesAtOnce(t *testing.T) {
	t.Parallel()
	var users []string
	for i := range 1300 {
		users = append(users, fmt.Sprintf("u%d", i))
	}
	d := newDirectory(t, directorytest.Start(t, users...).Config())
	got, err := d.List(t.Context())
	if err != nil || len(got) != len(users) || !slices.Contains(got, directory.Entry{Name: "u1299", FullName: "Full u1299"}) {
		t.Errorf("%d users, %v", len(got), err)
	}
}

func TestConnectionsAreEncryptedAsConfigured(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice")
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for what, edit := range map[string]func(*directory.Config){
		"ldaps":    func(c *directory.Config) { c.URL, c.Roots = s.URLTLS, roots },
		"StartTLS": func(c *directory.Config) { c.StartTLS, c.Roots = true, roots },
	} {
		c := s.Config()
		edit(&c)
		if ok, err := newDirectory(t, c).Bind(t.Context(), "alice", "pw-alice"); !ok || err != nil {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
		c.Roots = nil // nobody vouches for the certificate
		if ok, err := newDirectory(t, c).Bind(t.Context(), "alice", "pw-alice"); ok || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s with a certificate that nobody knows: %v, %v", what, ok, err)
		}
	}
}

func TestDirectoryThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, "alice")
	c := s.Config()
	c.Password = "wrong"
	if _, err := newDirectory(t, c).List(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "bind as search-dn") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password of search-dn: %v", err)
	}
	s.Stop()
	if ok, err := newDirectory(t, s.Config()).Bind(t.Context(), "alice", "pw-alice"); ok || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, %v", ok, err)
	}
	s.Run()
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if ok, err := newDirectory(t, s.Config()).Bind(ctx, "alice", "pw-alice"); ok || err == nil {
		t.Errorf("for somebody who has gone: %v, %v", ok, err)
	}
}

func TestMistakesInTheConfigurationAreSaid(t *testing.T) {
	t.Parallel()
	good := directory.Config{URL: "ldap://h", UserBase: "b", UserFilter: "(uid=*)", UserBind: "uid={username},b", SearchDN: "cn=a"}
	for want, edit := range map[string]func(*directory.Config){
		"is not the address":                 func(c *directory.Config) { c.URL = "h:389" },
		"as in ldaps://":                     func(c *directory.Config) { c.URL = "http://h" },
		"LDAP_ADMIN_PASSWORD":                func(c *directory.Config) { c.URL = "ldap://u:p@h" },
		"start-tls is for ldap://":           func(c *directory.Config) { c.URL, c.StartTLS = "ldaps://h", true },
		"user-base is missing":               func(c *directory.Config) { c.UserBase = "" },
		"search-dn is missing":               func(c *directory.Config) { c.SearchDN = "" },
		"user-filter is missing":             func(c *directory.Config) { c.UserFilter = "" },
		"has no {username} in it":            func(c *directory.Config) { c.UserBind = "uid=x" },
		"is not a filter, as in (objectClas": func(c *directory.Config) { c.UserFilter = "(uid=*" },
	} {
		c := good
		edit(&c)
		if _, err := directory.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	good.UserFilter = "objectClass=posixAccount" // people leave the parentheses out
	if _, err := directory.New(good); err != nil {
		t.Error(err)
	}
}
