package server

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// LDAPConfig is auth.ldap (contract clustercockpit 1.6). The password of search-dn is LDAP_ADMIN_PASSWORD.
type LDAPConfig struct {
	// URL is where the directory is, ldap:// or ldaps://.
	URL string `json:"url"`
	// StartTLS (ours) changes to TLS on a connection by ldap://.
	StartTLS bool `json:"start-tls"`
	// CAFile (ours) has the certificates, PEM, of whom to trust; without it the system's.
	CAFile string `json:"ca-file"`
	// UserBase is below which entry the users are.
	UserBase string `json:"user-base"`
	// SearchDN is as whom users are looked for.
	SearchDN string `json:"search-dn"`
	// UserBind is as whom a user binds; {username} stands for his name.
	UserBind string `json:"user-bind"`
	// UserFilter is which entries are users.
	UserFilter string `json:"user-filter"`
	// UsernameAttr is the attribute with the full name, gecos where nothing is said.
	UsernameAttr string `json:"username-attr"`
	// UIDAttr is the attribute with the login name, uid where nothing is said.
	UIDAttr string `json:"uid-attr"`
	// SyncInterval is how often all users are taken over; without it only -sync-ldap does that.
	SyncInterval Duration `json:"sync-interval"`
	// SyncDelOldUsers removes the accounts of users that the directory does not have any more.
	SyncDelOldUsers bool `json:"sync-del-old-users"`
	// SyncUserOnLogin makes an account for who logs in and has none; UpdateUserOnLogin brings one up to date.
	SyncUserOnLogin   bool `json:"sync-user-on-login"`
	UpdateUserOnLogin bool `json:"update-user-on-login"`
}

// OIDCConfig is auth.oidc (contract clustercockpit 1.6). OID_CLIENT_ID and OID_CLIENT_SECRET are in the environment.
type OIDCConfig struct {
	// Provider is the address of the provider, below which its discovery document is.
	Provider string `json:"provider"`
	// SyncUserOnLogin makes an account for who logs in and has none; UpdateUserOnLogin brings one up to date.
	SyncUserOnLogin   bool `json:"sync-user-on-login"`
	UpdateUserOnLogin bool `json:"update-user-on-login"`
	// Label (ours) is what the login page calls the provider.
	Label string `json:"label"`
	// Scopes (ours) are asked for besides openid; profile and roles where nothing is said.
	Scopes []string `json:"scopes"`
	// Hosts (ours) are further hosts of the provider to which this head may speak.
	Hosts []string `json:"hosts"`
	// Claims (ours) names the claims where they are not those of Keycloak.
	Claims OIDCClaims `json:"claims"`
	// Roles (ours) says which role here a role of the provider means.
	Roles map[string]string `json:"roles"`
}

// OIDCClaims is auth.oidc.claims. A dot goes into an object, and * into each of its members.
type OIDCClaims struct {
	Username string   `json:"username"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Projects string   `json:"projects"`
	Roles    []string `json:"roles"`
}

// TOTPConfig is auth.totp (ours).
type TOTPConfig struct {
	// RequiredRoles are the roles whose holders need one-time codes besides a local password. Who has none set up may do
	// nothing but that.
	RequiredRoles []string `json:"required-roles"`
}

// ExecConfig is auth.exec (ours): ClusterWare's appauth.
type ExecConfig struct {
	// Path is a program that reads name and password as two lines, and ends with 0 when they belong together.
	Path string `json:"path"`
}

// check reports what can be seen without the environment and the network.
func (c AuthConfig) check() error {
	switch {
	case c.LDAP != nil && c.LDAP.SyncInterval < 0:
		return errors.New("auth.ldap.sync-interval must not be negative")
	case c.OIDC != nil && c.OIDC.Provider == "":
		return errors.New("auth.oidc.provider is missing; it is the address of the provider, as in https://idp.example.org/realms/hpc")
	case c.Exec.Path != "" && !filepath.IsAbs(c.Exec.Path):
		return fmt.Errorf("auth.exec.path %q does not begin with a slash", c.Exec.Path)
	}
	return nil
}

// readLogins reads what logins need of the environment. Where a value cannot be right, an error says so without it.
func (s *Secrets) readLogins(get func(string) string) (err error) {
	s.LDAPPassword, s.OIDCClientID, s.OIDCClientSecret = get("LDAP_ADMIN_PASSWORD"), get("OID_CLIENT_ID"), get("OID_CLIENT_SECRET")
	if s.CrossLoginKey, err = base64.StdEncoding.DecodeString(get("CROSS_LOGIN_JWT_HS512_KEY")); err != nil {
		return errors.New("CROSS_LOGIN_JWT_HS512_KEY must be random bytes in base64, as printed by: head -c 64 /dev/urandom | base64 -w0")
	}
	public := strings.TrimSpace(get("CROSS_LOGIN_JWT_PUBLIC_KEY"))
	if public == "" {
		return nil
	}
	if _, err := token.ParsePair(public, ""); err != nil { // which also refuses keys for which everybody can sign
		return fmt.Errorf("CROSS_LOGIN_JWT_PUBLIC_KEY: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(public)
	s.CrossLoginPublic = ed25519.PublicKey(raw)
	return err
}
