package authn_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/sshsig"
)

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func line(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

func keyLogins(t *testing.T, w *world, head, secret string) *authn.KeyLogins {
	t.Helper()
	k, err := authn.NewKeyLogins(w.Service, head, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t *testing.T, s ssh.Signer, head, user, nonce string) string {
	t.Helper()
	text, err := sshsig.Sign(s, sshsig.Message(head, user, nonce))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestKeysInTheAccountLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := keyLogins(t, w, "head1", "0123456789abcdef")
	first, second := newKey(t), newKey(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"role.Manager"}, Keys: []string{line(first), line(second) + " at home"}})
	for _, key := range []ssh.Signer{first, second} {
		c := k.Challenge("alice", ssh.FingerprintSHA256(key.PublicKey()))
		u, err := k.Login(t.Context(), identity.Attempt{Name: "alice", Addr: "192.0.2.1"}, c.Nonce, signed(t, key, c.Head, "alice", c.Nonce))
		if err != nil || u.Name != "alice" || !u.LastLogin.Equal(w.clock.Now()) || c.Head != "head1" || !c.Expires.Equal(w.clock.Now().Add(time.Minute)) {
			t.Errorf("%+v, %v", u, err)
		}
	}
	if rec := w.trail(t)[0]; rec.Action != "user.login" || rec.Via != "ssh" || rec.Actor != "alice" {
		t.Errorf("trail: %+v", rec)
	}
}

func TestOtherAnswersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := keyLogins(t, w, "head1", "0123456789abcdef")
	key, stranger := newKey(t), newKey(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"role.Manager"}, Keys: []string{line(key)}})
	w.add(t, identity.NewUser{Name: "bob", Roles: []identity.Role{"role.Manager"}, Keys: []string{line(key)}})
	w.add(t, identity.NewUser{Name: "off", Roles: []identity.Role{"role.Manager"}, Keys: []string{line(key)}})
	if _, err := w.users.Update(t.Context(), root, "off", identity.Update{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	print, strange := ssh.FingerprintSHA256(key.PublicKey()), ssh.FingerprintSHA256(stranger.PublicKey())
	good := k.Challenge("alice", print).Nonce
	other := keyLogins(t, w, "head1", "another site's key").Challenge("alice", print).Nonce
	elsewhere := keyLogins(t, w, "head2", "0123456789abcdef").Challenge("alice", print).Nonce
	tries := 0
	refused := func(what, user, nonce, signature, reason string) {
		t.Helper()
		tries++
		a := identity.Attempt{Name: user, Addr: fmt.Sprintf("198.51.100.%d", tries)}
		_, err := k.Login(t.Context(), a, nonce, signature)
		if !fault.Is(err, fault.Unauthenticated) || fault.Message(err) != "the user, the challenge or the signature is not good" {
			t.Errorf("%s: %v", what, err)
		}
		if got := w.trail(t)[0].Reason; got != reason {
			t.Errorf("%s: reason %q, want %q", what, got, reason)
		}
	}
	refused("no such user", "nobody", k.Challenge("nobody", print).Nonce, signed(t, key, "head1", "nobody", good), "no such user")
	refused("another's challenge", "bob", good, signed(t, key, "head1", "bob", good), "not a challenge for a key of this user")
	refused("a stranger's key", "alice", k.Challenge("alice", strange).Nonce, signed(t, stranger, "head1", "alice", good), "not a challenge for a key of this user")
	refused("a stranger's signature", "alice", good, signed(t, stranger, "head1", "alice", good), "wrong signature")
	refused("for another head", "alice", good, signed(t, key, "head2", "alice", good), "wrong signature")
	refused("for another user", "alice", good, signed(t, key, "head1", "bob", good), "wrong signature")
	refused("for another nonce", "alice", good, signed(t, key, "head1", "alice", k.Challenge("alice", print).Nonce), "wrong signature")
	refused("no signature", "alice", good, "", "wrong signature")
	refused("another site's challenge", "alice", other, signed(t, key, "head1", "alice", other), "not a challenge for a key of this user")
	refused("another head's challenge", "alice", elsewhere, signed(t, key, "head1", "alice", elsewhere), "not a challenge for a key of this user")
	refused("a challenge cut off", "alice", good[:40], signed(t, key, "head1", "alice", good[:40]), "not a challenge of this head")
	refused("a later end", "alice", "B"+good[1:], signed(t, key, "head1", "alice", "B"+good[1:]), "not a challenge for a key of this user")
	refused("no challenge", "alice", "", "", "not a challenge of this head")
	off := k.Challenge("off", print).Nonce
	refused("disabled", "off", off, signed(t, key, "head1", "off", off), "user is disabled")
	answer := signed(t, key, "head1", "alice", good)
	if _, err := k.Login(t.Context(), identity.Attempt{Name: "alice"}, good, answer); err != nil {
		t.Fatal(err)
	}
	refused("again", "alice", good, answer, "the challenge has been answered before")
	late := k.Challenge("alice", print).Nonce
	w.clock.Advance(time.Minute)
	refused("too late", "alice", late, signed(t, key, "head1", "alice", late), "the challenge is too old")
}

func TestAnswersAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := keyLogins(t, w, "head1", "0123456789abcdef")
	key := newKey(t)
	w.add(t, identity.NewUser{Name: "alice", Roles: []identity.Role{"role.Manager"}, Keys: []string{line(key)}})
	a := identity.Attempt{Name: "alice", Addr: "192.0.2.1"}
	for range 5 {
		if _, err := k.Login(t.Context(), a, "x", "x"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	c := k.Challenge("alice", ssh.FingerprintSHA256(key.PublicKey()))
	if _, err := k.Login(t.Context(), a, c.Nonce, signed(t, key, "head1", "alice", c.Nonce)); !fault.Is(err, fault.TooMany) {
		t.Errorf("%v", err)
	}
}

func TestOnceRemembersUntilItNeedNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := authn.NewOnce(w.clock, 3)
	end := w.clock.Now().Add(time.Minute)
	for _, c := range []struct {
		id   string
		kind fault.Kind // Internal is none
	}{{"a", fault.Internal}, {"a", fault.Conflict}, {"b", fault.Internal}, {"c", fault.Internal}, {"d", fault.TooMany}, {"c", fault.Conflict}} {
		if err := o.Use(c.id, end); fault.KindOf(err) != c.kind || (err == nil) != (c.kind == fault.Internal) {
			t.Errorf("%s: %v", c.id, err)
		}
	}
	w.clock.Advance(time.Minute)
	if err := o.Use("d", end.Add(time.Minute)); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}
