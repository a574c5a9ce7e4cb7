package token

import (
	"bytes"
	"compress/zlib"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"
)

// StatusList is a status list as a verifier has it. It does not change.
type StatusList struct {
	Issuer  string
	URI     string // how tokens name the list
	Issued  time.Time
	Expires time.Time
	TTL     time.Duration // how long it may be kept before it is asked for again

	bits []byte
	keys []*Key
}

const (
	// MaxStatusText is how many bytes a status list may have as it is sent.
	MaxStatusText = 16 << 20
	// maxStatusBits is how many bytes it may have when it is unpacked. The compression cannot grow a text by more than a
	// factor of some thousand, which an empty list reaches; so it is the size that is bounded and not the factor.
	maxStatusBits = maxPlaces / 8
	// maxTTL is the longest time for which a list is kept unasked.
	maxTTL = 7 * 24 * time.Hour
)

// Revoked reports whether the token with that place has been revoked. A place beyond the end belongs to a token that is
// newer than the list.
func (l *StatusList) Revoked(index int64) bool {
	if index < 0 || index/8 >= int64(len(l.bits)) {
		return false
	}
	return l.bits[index/8]&(1<<(index%8)) != 0
}

// KeyIDs returns the ids of the keys that the list publishes, the one that signs first.
func (l *StatusList) KeyIDs() []string {
	var ids []string
	for _, k := range l.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// VerifyStatusList returns what a signed status list says, and which it is; an error says what is wrong with it, and that
// nothing in it can be believed.
func (v *Verifier) VerifyStatusList(text string) (*StatusList, error) {
	payload, _, err := v.keys.open(text, MaxStatusText, statusType)
	if errors.Is(err, errUnknownKey) {
		return nil, errors.New("the status list is signed with a key that is not known here")
	}
	if err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	l, err := parseStatusList(payload)
	now := v.clock.Now()
	switch {
	case err != nil:
		return nil, fmt.Errorf("status list: %w", err)
	case l.Issuer != v.issuer:
		return nil, fmt.Errorf("status list: it is from %q", l.Issuer)
	case l.Issued.After(now.Add(leeway)):
		return nil, fmt.Errorf("status list: it is from the future, %s; the clocks of the two machines do not agree", l.Issued.Sub(now))
	case !now.Before(l.Expires.Add(leeway)):
		return nil, fmt.Errorf("status list: it expired %s ago", now.Sub(l.Expires))
	}
	return l, nil
}

// RestoreStatusList returns what a status list says that VerifyStatusList has found good before and that was kept in a
// place nobody else writes to. Its signature is checked with the keys that it names itself, which shows only that it is
// whole, and its times are not checked.
func RestoreStatusList(text string) (*StatusList, error) {
	_, payload, _, err := split(text, MaxStatusText)
	if err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	raw, err := strict.DecodeString(payload)
	if err != nil {
		return nil, errors.New("status list: payload is not strict base64")
	}
	l, err := parseStatusList(string(raw))
	if err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	r := &Keyring{}
	r.Follow(l)
	if _, _, err := r.open(text, MaxStatusText, statusType); err != nil {
		return nil, fmt.Errorf("status list: %w", err)
	}
	return l, nil
}

// Follow takes over the keys that a status list publishes. Those that it does not name are dropped: they have been
// removed.
func (r *Keyring) Follow(l *StatusList) {
	set := &keySet{keys: l.keys, active: l.keys[0]}
	set.tries = set.keys[:min(len(set.keys), maxTries)]
	r.now.Store(set)
}

// parseStatusList reads the payload of a status list whose signature is good.
func parseStatusList(payload string) (*StatusList, error) {
	l := &StatusList{}
	var packed string
	var bits int64
	r := newReader(payload)
	r.object(func(name string) {
		switch name {
		case "iss":
			l.Issuer = r.word()
		case "sub":
			l.URI = r.shown(maxURI)
		case "iat":
			l.Issued = r.time()
		case "exp":
			l.Expires = r.time()
		case "ttl":
			l.TTL = r.ttl()
		case "status_list":
			bits, packed = r.statusBits()
		case "keys":
			l.keys = r.keySet()
		default:
			r.skip()
		}
	})
	if err := r.end(); err != nil {
		return nil, err
	}
	if bits != 1 {
		return nil, fmt.Errorf("%d bits for each token; 1 is expected", bits)
	}
	if err := l.complete(); err != nil {
		return nil, err
	}
	var err error
	l.bits, err = unpackStatus(packed)
	return l, err
}

// complete reports what a status list lacks.
func (l *StatusList) complete() error {
	if l.Issuer == "" || l.URI == "" || l.Issued.IsZero() || l.Expires.IsZero() || l.TTL == 0 {
		return errors.New("iss, sub, iat, exp or ttl is missing")
	}
	if len(l.keys) == 0 {
		return errors.New("no keys")
	}
	return nil
}

func (r *reader) ttl() time.Duration {
	n := r.integer()
	if n < 1 || n > int64(maxTTL/time.Second) {
		r.fail("a number of seconds up to a week expected")
		return 0
	}
	return time.Duration(n) * time.Second
}

// statusBits reads the claim status_list.
func (r *reader) statusBits() (bits int64, packed string) {
	r.object(func(name string) {
		switch name {
		case "bits":
			bits = r.integer()
		case "lst":
			packed = r.str()
		default:
			r.skip()
		}
	})
	return bits, packed
}

// keySet reads a JSON Web Key Set in which every key is one of Ed25519.
func (r *reader) keySet() []*Key {
	var keys []*Key
	r.object(func(name string) {
		if name != "keys" {
			r.skip()
			return
		}
		r.open('[')
		for r.more(len(keys), ']') {
			k := r.webKey()
			if k == nil {
				r.fail("a key that is no good Ed25519 key")
				return
			}
			if keys = append(keys, k); len(keys) > maxKeys {
				r.fail("too many keys")
			}
		}
	})
	return keys
}

// webKey reads one JSON Web Key; nil when it is not one of Ed25519 with its own thumbprint as kid.
func (r *reader) webKey() *Key {
	text := map[string]string{}
	r.object(func(name string) { text[name] = r.str() })
	raw, err := strict.DecodeString(text["x"])
	if err != nil || len(raw) != ed25519.PublicKeySize || text["kty"] != "OKP" || text["crv"] != "Ed25519" {
		return nil
	}
	k, err := newKey(raw, nil)
	if err != nil || k.id != text["kid"] {
		return nil
	}
	return k
}

// unpackStatus is the reverse of packStatus.
func unpackStatus(packed string) ([]byte, error) {
	raw, err := strict.DecodeString(packed)
	if err != nil {
		return nil, errors.New("lst is not strict base64")
	}
	in := bytes.NewReader(raw)
	z, err := zlib.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("lst is not compressed: %w", err)
	}
	bits, err := io.ReadAll(io.LimitReader(z, maxStatusBits+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("lst is damaged: %w", err)
	case len(bits) > maxStatusBits:
		return nil, fmt.Errorf("lst unpacks to more than %d bytes", maxStatusBits)
	case in.Len() > 0:
		return nil, errors.New("something follows the compressed list")
	}
	return bits, z.Close()
}
