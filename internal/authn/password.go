// Package authn finds out whether somebody is who he says: passwords, and how often he may try.
//
// Hashing is made expensive on purpose, so it is also bounded on purpose: few hashes at the same time, a short queue in
// front of them, and a budget of failures for each account and address.
package authn

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"runtime"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

const (
	// maxPassword is how many bytes a password may have.
	maxPassword = 1024
	// bcryptLimit is how many bytes of a password bcrypt looks at. It would let in whoever adds to such a long one.
	bcryptLimit = 72

	mostHashes = 2 // at the same time; each takes 19 MiB and one core
)

// Passwords hashes passwords with argon2id and checks them against argon2id and, for accounts that came from
// ClusterCockpit, bcrypt. It is safe for concurrent use and bounds the memory that it takes.
//
// A password is the bytes that were typed. Nothing is normalised: what differs in bytes is different.
type Passwords struct {
	gate  *gate
	costs params // of new hashes
}

// NewPasswords returns a hasher.
func NewPasswords() *Passwords {
	// One core is left to everybody else, where there are two: while people log in, requests with tokens go on.
	return &Passwords{newGate(max(1, min(mostHashes, runtime.GOMAXPROCS(0)-1))), current}
}

// HashPassword returns the encoded argon2id hash of password; fault.Invalid when it is empty or longer than 1024 bytes,
// fault.TooMany when too many are waiting.
func (p *Passwords) HashPassword(ctx context.Context, password string) (string, error) {
	switch {
	case password == "":
		return "", fault.New(fault.Invalid, "the password is empty")
	case len(password) > maxPassword:
		return "", fault.New(fault.Invalid, "the password is longer than %d bytes", maxPassword)
	}
	h := hash{params: p.costs, salt: make([]byte, saltLength)}
	_, _ = rand.Read(h.salt) // never fails: crypto/rand ends the program instead
	err := p.gate.do(ctx, func() { h.key = h.derive(password, keyLength) })
	if err != nil {
		return "", err
	}
	return h.String(), nil
}

// VerifyPassword reports whether encoded is the hash of password. Without a hash it takes as long as with one and says
// no, so that the time does not tell which accounts exist. It fails with fault.TooMany when too many are waiting, and
// when encoded is not a hash that this program knows.
func (p *Passwords) VerifyPassword(ctx context.Context, encoded, password string) (ok bool, err error) {
	if password == "" || len(password) > maxPassword { // no hash is made of these
		encoded, password = "", ""
	}
	if strings.HasPrefix(encoded, "$2") {
		var damaged error
		if err := p.gate.do(ctx, func() { ok, damaged = verifyBcrypt(encoded, password) }); err != nil {
			return false, err
		}
		return ok, damaged
	}
	h, known := hash{params: p.costs, salt: make([]byte, saltLength), key: make([]byte, keyLength)}, false
	if encoded != "" {
		if h, err = parseHash(encoded); err != nil {
			return false, err
		}
		known = true
	}
	err = p.gate.do(ctx, func() {
		same := subtle.ConstantTimeCompare(h.derive(password, uint32(len(h.key))), h.key) == 1
		ok = same && known
	})
	return ok, err
}

// outdated reports whether a good hash should be replaced when its password is known.
func (p *Passwords) outdated(encoded string) bool {
	h, err := parseHash(encoded)
	return err != nil || h.params != p.costs || len(h.salt) != saltLength || len(h.key) != keyLength
}

// maxBcryptCost takes about a second; ClusterCockpit writes 10.
const maxBcryptCost = 14

func verifyBcrypt(encoded, password string) (bool, error) {
	if cost, err := bcrypt.Cost([]byte(encoded)); err != nil || cost > maxBcryptCost {
		return false, errors.New("verify password: the stored bcrypt hash is damaged")
	}
	err := bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password[:min(len(password), bcryptLimit)]))
	switch {
	case err == nil:
		return len(password) <= bcryptLimit, nil
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return false, nil
	default:
		return false, errors.New("verify password: the stored bcrypt hash is damaged")
	}
}
