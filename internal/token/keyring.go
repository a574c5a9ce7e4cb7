package token

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// KeyState is where in its life a key stands.
type KeyState string

// The states of a key, in the order in which it passes through them.
const (
	KeyNext    KeyState = "next"    // published, so that verifiers know it before it signs
	KeyActive  KeyState = "active"  // signs; there is one
	KeyRetired KeyState = "retired" // verifies what it has signed
	KeyRemoved KeyState = "removed" // verifies nothing, and never again
)

// Keyring holds the keys with which this site's tokens are verified, and the one that signs. It is safe for concurrent
// use, and its keys can change while it is used: whoever began with the old ones ends with them.
type Keyring struct{ now atomic.Pointer[keySet] }

// keySet is the keys at one time. It does not change.
type keySet struct {
	keys   []*Key // in the order in which they are published: the active one first
	active *Key   // nil when there is none
	// tries are the keys that a token without kid is tried with. There are few, since each costs a signature check.
	tries []*Key
	// silent says why nothing can be signed; "" when the reason is that there is no private key.
	silent string
}

const (
	// maxTries is how many keys a token without kid is tried with.
	maxTries = 5
	// maxKeys is how many keys there can be beside removed ones.
	maxKeys = 32
)

// ringKey is a key on its way into a ring.
type ringKey struct {
	*Key
	state KeyState
	// ours says that the private half has never been outside this site's programs. All of its tokens have a kid.
	ours bool
	at   int64 // orders those of a state, the newest first
}

// newKeySet returns the keys as a set.
func newKeySet(list []ringKey, silent string) *keySet {
	rank := map[KeyState]int{KeyActive: 0, KeyRetired: 1, KeyNext: 2}
	list = slices.SortedStableFunc(slices.Values(list), func(a, b ringKey) int {
		return cmp.Or(cmp.Compare(rank[a.state], rank[b.state]), cmp.Compare(b.at, a.at), strings.Compare(a.id, b.id))
	})
	s := &keySet{silent: silent}
	var foreign, others []*Key
	for _, k := range list {
		s.keys = append(s.keys, k.Key)
		switch {
		case k.state == KeyActive:
			s.active = k.Key
			s.tries = append(s.tries, k.Key)
		case k.ours:
			others = append(others, k.Key)
		default:
			foreign = append(foreign, k.Key)
		}
	}
	s.tries = slices.Concat(s.tries, foreign, others)
	s.tries = s.tries[:min(len(s.tries), maxTries)]
	return s
}

// get returns the key with that id, nil when there is none.
func (s *keySet) get(id string) *Key {
	for _, k := range s.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// newKeyring returns a ring of one key, which is active.
func newKeyring(k *Key) *Keyring {
	r := &Keyring{}
	r.now.Store(newKeySet([]ringKey{{Key: k, state: KeyActive}}, ""))
	return r
}

// ParseKeys is ParsePair as a ring of that one key. Without the private key the ring only verifies.
func ParseKeys(public, private string) (*Keyring, error) {
	k, err := ParsePair(public, private)
	if err != nil {
		return nil, err
	}
	return newKeyring(k), nil
}

// ID returns the id of the active key, "" when there is none.
func (r *Keyring) ID() string {
	if k := r.now.Load().active; k != nil {
		return k.id
	}
	return ""
}

// CanSign reports whether the private half of the active key is there.
func (r *Keyring) CanSign() bool {
	k := r.now.Load().active
	return k != nil && k.CanSign()
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517), for everybody who verifies tokens: the active one first,
// retired ones, and the next one, so that it is known before it signs.
func (r *Keyring) JWKS() []byte { return jwks(r.now.Load().keys) }

// IDs returns the ids of all keys in the order of JWKS.
func (r *Keyring) IDs() []string {
	var ids []string
	for _, k := range r.now.Load().keys {
		ids = append(ids, k.id)
	}
	return ids
}

// signer returns the key that signs; fault.Unavailable without a private key.
func (s *keySet) signer() (*Key, error) {
	switch {
	case s.active != nil && s.active.CanSign():
		return s.active, nil
	case s.silent != "":
		return nil, fault.New(fault.Unavailable, "this server cannot make tokens: %s", s.silent)
	default:
		return nil, fault.New(fault.Unavailable, "this server has no private key and cannot make tokens")
	}
}

// sign returns the compact serialisation of a token with that payload, and the id of the key that has signed it;
// fault.Unavailable without a private key.
func (r *Keyring) sign(payload []byte) (text, keyID string, err error) {
	k, err := r.now.Load().signer()
	if err != nil {
		return "", "", err
	}
	return k.sign(k.header, payload), k.id, nil
}
