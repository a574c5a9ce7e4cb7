package identity

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// check reports what is wrong with a record that is to be stored, as fault.Invalid.
func (u User) check() error {
	if err := u.Validate(); err != nil {
		return err
	}
	for _, key := range u.Keys {
		if !isPublicKey(key) {
			return fault.New(fault.Invalid, "an SSH key is not valid: one line as in id_ed25519.pub is expected, \"ssh-ed25519 AAAA... comment\"")
		}
	}
	if u.Source == AuthLocal && u.Password == "" && u.needsPassword() {
		return fault.New(fault.Invalid, "user %q needs a password: only accounts whose every role is api or begins with role. go without", u.Name)
	}
	return nil
}

// needsPassword reports whether the user has a role whose holders come in with a password. Scripts (api) come with
// tokens, ClusterWare's administrators with tokens or through the local socket (contract clustercockpit 1.7).
func (u User) needsPassword() bool {
	return slices.ContainsFunc(u.Roles, func(r Role) bool { return r != RoleAPI && !r.isWare() })
}

// isPublicKey reports whether line looks like a bare public key. Options in front of a key are refused: this is a list
// of keys, not an authorized_keys file in which a line may run commands.
func isPublicKey(line string) bool {
	kind, rest, ok := strings.Cut(line, " ")
	prefixed := slices.ContainsFunc([]string{"ssh-", "ecdsa-", "sk-"}, func(p string) bool { return strings.HasPrefix(kind, p) })
	return ok && prefixed && rest != "" && len(line) <= 16<<10 && !strings.ContainsAny(line, "\r\n\x00")
}

func newUserID() UserID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return UserID(hex.EncodeToString(b[:]))
}

// changes says for the trail what differs, without secrets.
func changes(before, after User) map[string]string {
	d := map[string]string{}
	note := func(name, was, is string) {
		if was != is {
			d[name] = is
		}
	}
	note("full_name", before.FullName, after.FullName)
	note("email", before.Email, after.Email)
	note("description", before.Description, after.Description)
	note("roles", joined(before.Roles), joined(after.Roles))
	note("projects", strings.Join(before.Projects, ","), strings.Join(after.Projects, ","))
	note("disabled", strconv.FormatBool(before.Disabled), strconv.FormatBool(after.Disabled))
	if !slices.Equal(before.Keys, after.Keys) {
		d["keys"] = strconv.Itoa(len(after.Keys))
	}
	switch {
	case before.Password == after.Password:
	case after.Password == "":
		d["password"] = "removed"
	default:
		d["password"] = "set"
	}
	return d
}

func joined(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}
