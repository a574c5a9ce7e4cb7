// Package directory takes users from an LDAP directory: it checks their passwords there, and keeps their accounts here in
// step with what the directory says (contract clustercockpit 1.6).
package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

const (
	dialTime      = 10 * time.Second
	operationTime = 30 * time.Second
	pageSize      = 500
)

// Placeholder stands in Config.UserBind for the user's name.
const Placeholder = "{username}"

// Config says where a directory is and what its entries look like.
type Config struct {
	URL      string // ldap:// or ldaps://
	StartTLS bool   // changes to TLS on a connection by ldap://
	// Roots are whose certificates are trusted; nil is whom the system trusts.
	Roots *x509.CertPool

	UserBase   string // where users are
	UserFilter string // which entries are users
	UserBind   string // as whom a user binds, with Placeholder
	SearchDN   string // as whom users are looked for
	Password   string // that of SearchDN; "" searches as nobody
	UIDAttr    string // attribute with the user's name; "" is uid
	NameAttr   string // attribute with his full name; "" is gecos
}

// Directory is an LDAP directory. It is safe for concurrent use; every call has a connection of its own.
type Directory struct {
	Config
	tls *tls.Config
}

// Entry is a user as the directory knows him.
type Entry struct{ Name, FullName string }

// New returns the directory. It fails where c cannot be right, and connects to nothing yet.
func New(c Config) (*Directory, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Host == "" {
		return nil, fmt.Errorf("url %q is not the address of a directory, as in ldaps://ldap.example.org", c.URL)
	}
	if u.User != nil {
		return nil, errors.New("url must not hold a password; LDAP_ADMIN_PASSWORD in the environment holds it")
	}
	if c.StartTLS && u.Scheme == "ldaps" {
		return nil, errors.New("start-tls is for ldap://; a connection by ldaps:// begins with TLS anyway")
	}
	for _, k := range []struct{ name, value string }{{"user-base", c.UserBase}, {"search-dn", c.SearchDN}, {"user-bind", c.UserBind}, {"user-filter", c.UserFilter}} {
		if k.value == "" {
			return nil, fmt.Errorf("%s is missing", k.name)
		}
	}
	if !strings.Contains(c.UserBind, Placeholder) {
		return nil, fmt.Errorf("user-bind %q has no %s in it: everybody would bind as the same entry", c.UserBind, Placeholder)
	}
	if c.UIDAttr == "" {
		c.UIDAttr = "uid"
	}
	if c.NameAttr == "" {
		c.NameAttr = "gecos"
	}
	if _, err := ldap.CompileFilter(enclosed(c.UserFilter)); err != nil {
		return nil, fmt.Errorf("user-filter %q is not a filter, as in (objectClass=posixAccount)", c.UserFilter)
	}
	return &Directory{c, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots, ServerName: u.Hostname()}}, nil
}

// enclosed puts the parentheses around a filter that people leave out.
func enclosed(filter string) string {
	if strings.HasPrefix(filter, "(") {
		return filter
	}
	return "(" + filter + ")"
}

// Bind reports whether the password is that of the user in the directory; fault.Unavailable when the directory does not
// say.
func (d *Directory) Bind(ctx context.Context, name, password string) (bool, error) {
	if password == "" { // the directory would take it for a wish to be nobody, and grant it
		return false, nil
	}
	conn, err := d.dial(ctx)
	if err != nil {
		return false, err
	}
	defer d.end(ctx, conn)()
	err = conn.Bind(strings.ReplaceAll(d.UserBind, Placeholder, ldap.EscapeDN(name)), password)
	switch {
	case err == nil:
		return true, nil
	case refused(err):
		return false, nil
	default:
		return false, silent(err)
	}
}

// refused reports whether the directory has answered, and said no. Which kind of no is nobody's business.
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform)
}

// Find returns the user of that name; fault.NotFound, fault.Unavailable.
func (d *Directory) Find(ctx context.Context, name string) (Entry, error) {
	entries, err := d.search(ctx, "(&"+enclosed(d.UserFilter)+"("+d.UIDAttr+"="+ldap.EscapeFilter(name)+"))")
	if err != nil {
		return Entry{}, err
	}
	for _, e := range entries {
		if e.Name == name { // directories do not mind upper and lower case
			return e, nil
		}
	}
	return Entry{}, fault.New(fault.NotFound, "no user %q in the directory", name)
}

// List returns all users; fault.Unavailable.
func (d *Directory) List(ctx context.Context) ([]Entry, error) {
	return d.search(ctx, enclosed(d.UserFilter))
}

func (d *Directory) search(ctx context.Context, filter string) ([]Entry, error) {
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer d.end(ctx, conn)()
	if d.Password != "" { // else it is a directory in which everybody may search
		if err := conn.Bind(d.SearchDN, d.Password); err != nil {
			return nil, silent(fmt.Errorf("bind as search-dn: %w", err))
		}
	}
	req := ldap.NewSearchRequest(d.UserBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, int(operationTime/time.Second), false,
		filter, []string{"dn", d.UIDAttr, d.NameAttr}, nil)
	found, err := conn.SearchWithPaging(req, pageSize)
	if err != nil {
		return nil, silent(fmt.Errorf("search below %s: %w", d.UserBase, err))
	}
	entries := make([]Entry, 0, len(found.Entries))
	for _, e := range found.Entries {
		if name := e.GetEqualFoldAttributeValue(d.UIDAttr); name != "" {
			entries = append(entries, Entry{Name: name, FullName: strings.ToValidUTF8(e.GetEqualFoldAttributeValue(d.NameAttr), "")})
		}
	}
	return entries, nil
}

// dial connects, by TLS where that is wanted.
func (d *Directory) dial(ctx context.Context) (*ldap.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTime}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	conn, err := ldap.DialURL(d.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.tls))
	if err != nil {
		return nil, silent(err)
	}
	conn.SetTimeout(operationTime)
	if d.StartTLS {
		if err := conn.StartTLS(d.tls); err != nil {
			_ = conn.Close() // it failed already
			return nil, silent(fmt.Errorf("change to TLS: %w", err))
		}
	}
	return conn, nil
}

// end returns what ends a connection, which also ends when ctx does.
func (d *Directory) end(ctx context.Context, conn *ldap.Conn) func() {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // whoever waits on it gets the error
	return func() {
		stop()
		_ = conn.Unbind() // says goodbye and closes; nobody is left to tell
	}
}

func silent(err error) error {
	return fault.Because(fault.Unavailable, err, "the directory cannot be asked just now")
}
