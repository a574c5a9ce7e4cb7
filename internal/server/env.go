package server

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Secrets are what only the environment or the file .env may hold (contract clustercockpit 1.1).
type Secrets struct {
	PublicKey  string // JWT_PUBLIC_KEY
	PrivateKey string // JWT_PRIVATE_KEY
	SessionKey []byte // SESSION_KEY, decoded

	LDAPPassword     string            // LDAP_ADMIN_PASSWORD
	OIDCClientID     string            // OID_CLIENT_ID
	OIDCClientSecret string            // OID_CLIENT_SECRET
	CrossLoginKey    []byte            // CROSS_LOGIN_JWT_HS512_KEY, decoded; empty believes no such token
	CrossLoginPublic ed25519.PublicKey // CROSS_LOGIN_JWT_PUBLIC_KEY, decoded; nil believes no such token

	AuditNATSPassword string // AUDIT_NATS_PASSWORD, of audit.nats.username
	AuditNATSToken    string // AUDIT_NATS_TOKEN, instead of a name and a password
	NATSPassword      string // NATS_PASSWORD, of nats.username
	NATSToken         string // NATS_TOKEN, instead of a name and a password
}

// ReadSecrets reads .env at path, when there is one, over what getenv knows; existing variables win. A file that others
// may read is refused, and so are missing keys: without them nobody gets in.
func ReadSecrets(path string, getenv func(string) string) (Secrets, error) {
	file, err := readEnvFile(path)
	if err != nil {
		return Secrets{}, err
	}
	get := func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return file[name]
	}
	s := Secrets{
		PublicKey: get("JWT_PUBLIC_KEY"), PrivateKey: get("JWT_PRIVATE_KEY"),
		AuditNATSPassword: get("AUDIT_NATS_PASSWORD"), AuditNATSToken: get("AUDIT_NATS_TOKEN"),
		NATSPassword: get("NATS_PASSWORD"), NATSToken: get("NATS_TOKEN"),
	}
	var missing []string
	for _, name := range []string{"JWT_PUBLIC_KEY", "JWT_PRIVATE_KEY", "SESSION_KEY"} {
		if get(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		where := path + " does not set"
		if file == nil {
			where = "there is no file " + path + " and the environment does not set"
		}
		return Secrets{}, fmt.Errorf("%s %s; make keys with gen-keypair and copy configs/env-template.txt to %s", where, strings.Join(missing, ", "), path)
	}
	s.SessionKey, err = base64.StdEncoding.DecodeString(get("SESSION_KEY"))
	if err != nil || len(s.SessionKey) < 16 {
		return Secrets{}, errors.New("SESSION_KEY must be at least 16 random bytes in base64, as printed by: head -c 32 /dev/urandom | base64")
	}
	err = s.readLogins(get)
	return s, err
}

// readEnvFile returns the variables of a .env file, nil when there is no file.
func readEnvFile(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no file is a normal answer: the environment may hold everything
	}
	if err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s holds secrets and others may read it (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	data, err := os.ReadFile(path) //nolint:gosec // the administrator says which file
	if err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	vars := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, fmt.Errorf("%s line %d: NAME=\"value\" expected", path, n)
		}
		vars[strings.TrimSpace(name)] = unquote(strings.TrimSpace(value))
	}
	return vars, lines.Err()
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
