package authn

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

// challengeTime is how long a challenge may be answered.
const challengeTime = time.Minute

// KeyLogins logs people in with the SSH keys in their accounts. The head gives out a challenge and forgets it: that it was
// ours, for whom, and until when, stands in it under a keyed hash. Only an answer that was good is remembered, so that it
// is good once. It is safe for concurrent use.
type KeyLogins struct {
	logins *Service
	head   string
	key    []byte
	used   *Once
	nobody ssh.PublicKey // is asked where there is no key, so that this takes as long
}

// NewKeyLogins returns logins by key at the head of that name. secret is the site's.
func NewKeyLogins(s *Service, head string, secret []byte) (*KeyLogins, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "bridgehead ssh login", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key for ssh logins: %w", err)
	}
	nobody, _, _, _, err := ssh.ParseAuthorizedKey([]byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID3hsTUCDO4x2dN01hisCLwkAtGClz4GvmZ/8DeKWyaw"))
	if err != nil {
		return nil, fmt.Errorf("read the key of nobody: %w", err)
	}
	return &KeyLogins{s, head, key, NewOnce(s.Clock, 1<<16), nobody}, nil
}

// Challenge is what has to be signed: sshsig.Message(Head, user, Nonce).
type Challenge struct {
	Head    string
	Nonce   string
	Expires time.Time
}

// Challenge begins the login of a user with the key of that fingerprint (SHA256:...). It says nothing about whether there
// is such a user or key.
func (k *KeyLogins) Challenge(user, fingerprint string) Challenge {
	expires := k.logins.Clock.Now().Add(challengeTime)
	n := nonce{until: expires.Unix()}
	_, _ = rand.Read(n.random[:]) // never fails: crypto/rand ends the program instead
	return Challenge{Head: k.head, Nonce: n.text(k.mac(n, user, fingerprint)), Expires: time.Unix(n.until, 0).UTC()}
}

// Login returns the user when signature, in a form that sshsig.Parse reads, answers a challenge that was given out for
// a.Name and a key in his account. It fails as Service.Login does.
func (k *KeyLogins) Login(ctx context.Context, a identity.Attempt, challenge, signature string) (identity.User, error) {
	s, try := k.logins, attempt{Attempt: a, via: identity.ViaSSH}
	if err := s.take(ctx, a.Name, try); err != nil {
		return identity.User{}, err
	}
	u, err := s.Users.Account(ctx, a.Name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		s.Limiter.Return(a.Name, a.Addr)
		return identity.User{}, fmt.Errorf("log in: %w", err)
	}
	reason := k.refusal(u, a.Name, challenge, signature)
	if reason == "" && u.Disabled {
		reason = disabledUser
	}
	if reason != "" {
		return identity.User{}, s.refuse(ctx, try.of(u), reason, "the user, the challenge or the signature is not good")
	}
	s.Limiter.Return(a.Name, a.Addr)
	return s.enter(ctx, try.of(u))
}

// refusal returns why an answer is not good.
func (k *KeyLogins) refusal(u identity.User, name, challenge, signature string) string {
	n, mac, err := parseNonce(challenge)
	if err != nil {
		return err.Error()
	}
	until := time.Unix(n.until, 0)
	key, known := k.nobody, false
	for _, line := range u.Keys {
		public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err == nil && hmac.Equal(mac, k.mac(n, name, ssh.FingerprintSHA256(public))) {
			key, known = public, true
		}
	}
	sig, err := sshsig.Parse(signature)
	if err == nil {
		err = sshsig.Verify(key, sshsig.Message(k.head, name, challenge), sig)
	}
	switch {
	case u.ID == "":
		return NoSuchUser
	case !known:
		return "not a challenge for a key of this user"
	case err != nil:
		return "wrong signature"
	case !k.logins.Clock.Now().Before(until):
		return "the challenge is too old"
	case k.used.Use(challenge, until) != nil:
		return "the challenge has been answered before"
	}
	return ""
}

// nonce is what a challenge consists of besides its hash.
type nonce struct {
	until  int64
	random [16]byte
}

const nonceLength = 8 + 16 + sha256.Size

func (n nonce) bytes() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(n.until)), n.random[:]...)
}

func (n nonce) text(mac []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(n.bytes(), mac...))
}

func parseNonce(text string) (n nonce, mac []byte, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != nonceLength {
		return n, nil, errors.New("not a challenge of this head")
	}
	n.until = int64(binary.BigEndian.Uint64(b))
	copy(n.random[:], b[8:])
	return n, b[8+len(n.random):], nil
}

// mac binds a challenge to head, user and key.
func (k *KeyLogins) mac(n nonce, user, fingerprint string) []byte {
	m := hmac.New(sha256.New, k.key)
	m.Write(n.bytes())
	for _, part := range []string{k.head, user, fingerprint} {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		m.Write([]byte(part))
	}
	return m.Sum(nil)
}
