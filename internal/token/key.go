package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The demonstration keys that ClusterCockpit's manual prints (contract clustercockpit 1.1). Everybody has them, so a
// server that uses one must not be reachable from outside.
const (
	DemoPublicKey  = "kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0="
	DemoSessionKey = "67d829bf61dc5f87a73fd814e2c9f629"
)

// IsDemoKey reports whether public is the public key of the well-known demonstration pair.
func IsDemoKey(public string) bool { return strings.TrimSpace(public) == DemoPublicKey }

// Key is one Ed25519 key: the public half, and the private one where it is known. It does not change.
type Key struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey // nil where only the public half is known
	id      string
	header  string // what begins every token that the key signs, encoded
}

// newKey refuses public keys for which a signature can be made without the private one. A nil private half is none.
func newKey(public ed25519.PublicKey, private ed25519.PrivateKey) (*Key, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an Ed25519 public key has %d bytes, and this has %d", ed25519.PublicKeySize, len(public))
	}
	if isWeak(public) {
		return nil, errors.New("the public key is one of the few with which anybody can forge signatures; make a new pair with gen-keypair")
	}
	k := &Key{public: public, id: thumbprint(public)}
	k.header = encode([]byte(`{"alg":"EdDSA","kid":"` + k.id + `","typ":"JWT"}`))
	if private == nil {
		return k, nil
	}
	// The second half of the private key says which public key it belongs to, but only the first half counts.
	k.private = ed25519.NewKeyFromSeed(private[:ed25519.SeedSize])
	if subtle.ConstantTimeCompare(k.private, private) != 1 || !public.Equal(k.private.Public()) {
		return nil, errors.New("the private key does not belong to the public key; both come from one run of gen-keypair")
	}
	return k, nil
}

// ID returns the key's id, by which tokens name it: its RFC 7638 thumbprint.
func (k *Key) ID() string { return k.id }

// CanSign reports whether the private half is known.
func (k *Key) CanSign() bool { return k.private != nil }

// String returns the id, so that a key that finds its way into a message does not give itself away.
func (k *Key) String() string { return k.id }

// sign returns the compact serialisation of what the payload says, under that header.
func (k *Key) sign(header string, payload []byte) string {
	input := header + "." + encode(payload)
	return input + "." + encode(ed25519.Sign(k.private, []byte(input)))
}

// ParsePair reads the values of JWT_PUBLIC_KEY and JWT_PRIVATE_KEY: 32 and 64 bytes in standard base64. An empty private
// key is none. Keys that do not belong together are refused, and so are public keys for which a signature can be made
// without the private one. No error holds a key.
func ParsePair(public, private string) (*Key, error) {
	pub, err := decodeKey("public", public, ed25519.PublicKeySize)
	if err != nil {
		return nil, err
	}
	if private == "" {
		return newKey(pub, nil)
	}
	priv, err := decodeKey("private", private, ed25519.PrivateKeySize)
	if err != nil {
		return nil, err
	}
	return newKey(pub, priv)
}

func decodeKey(which, text string, size int) ([]byte, error) {
	key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != size {
		return nil, fmt.Errorf("the %s key is not %d bytes in standard base64, as gen-keypair prints it", which, size)
	}
	return key, nil
}

// generateKey makes a key from 32 bytes of random, or some more: ids that begin with a dash would be taken for an option
// on every command line.
func generateKey(random io.Reader) (*Key, error) {
	for {
		seed := make([]byte, ed25519.SeedSize)
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, fmt.Errorf("generate key pair: %w", err)
		}
		private := ed25519.NewKeyFromSeed(seed)
		k, err := newKey(ed25519.PublicKey(private[ed25519.SeedSize:]), private)
		if err != nil || k.id[0] != '-' {
			return k, err
		}
	}
}

// thumbprint returns the RFC 7638 thumbprint: the hash of the key's required members in the order of their names.
func thumbprint(pub ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(pub) + `"}`))
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// isWeak reports whether pub is a point of small order or is not written in the one way that it should be. For such a
// point, signatures that hold for any message can be computed from the point alone.
func isWeak(pub ed25519.PublicKey) bool {
	y := append([]byte(nil), pub...)
	y[31] &= 0x7f // the top bit is the sign of x
	notFF := func(b byte) bool { return b != 0xff }
	if reduced := y[0] < 0xed || y[31] != 0x7f || slices.ContainsFunc(y[1:31], notFF); !reduced {
		return true // y is not below the field's prime 2^255-19
	}
	for _, weak := range smallOrder {
		if hex.EncodeToString(y) == weak {
			return true
		}
	}
	return false
}

// smallOrder are the y coordinates of the eight points whose order divides eight, little-endian.
var smallOrder = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000", // order 4
	"0100000000000000000000000000000000000000000000000000000000000000", // order 1, the identity
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
}

// GenerateKeys makes a key pair from 32 bytes of random and returns both halves as the environment variables take them.
func GenerateKeys(random io.Reader) (public, private string, err error) {
	k, err := generateKey(random)
	if err != nil {
		return "", "", err
	}
	return k.Raw(), base64.StdEncoding.EncodeToString(k.private), nil
}

// WriteKeyPair writes a fresh key pair in the three lines of gen-keypair (contract clustercockpit 1.2), from which people
// copy the values into their environment.
func WriteKeyPair(w io.Writer, random io.Reader) error {
	public, private, err := GenerateKeys(random)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "ED25519 PUBLIC_KEY=%q\nED25519 PRIVATE_KEY=%q\n%s\n", public, private,
		"These are keys, not a token: cc-backend makes the tokens; this pair signs and validates them.")
	if err != nil {
		return fmt.Errorf("write key pair: %w", err)
	}
	return nil
}
