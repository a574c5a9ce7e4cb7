// Package seal keeps secrets that a program must be able to read again, such as private keys, so that a stolen database
// without the site's key says nothing about them.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrSealed is returned for text that was sealed with another key, for another purpose or name, or has been altered.
var ErrSealed = errors.New("the sealed secret cannot be opened with this key")

// Box seals and opens secrets of one purpose. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

const prefix = "v1."

// New returns a box whose key is derived from the site's key for that purpose alone (HKDF-SHA-256, AES-256-GCM).
func New(key []byte, purpose string) (*Box, error) {
	if len(key) < 16 {
		return nil, errors.New("the key to seal secrets with is shorter than 16 bytes")
	}
	derived, err := hkdf.Key(sha256.New, key, nil, "bridgehead seal "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make cipher for %s: %w", purpose, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher for %s: %w", purpose, err)
	}
	return &Box{aead}, nil
}

// Seal returns text that only Open with the same name gives the secret for. The name, such as the id of the row, keeps
// sealed text from being moved elsewhere.
func (b *Box) Seal(name string, secret []byte) string {
	return prefix + base64.RawStdEncoding.EncodeToString(b.aead.Seal(nil, nil, secret, []byte(name))) //nolint:gosec // this AEAD makes its nonces itself
}

// Open returns the secret; ErrSealed.
func (b *Box) Open(name, text string) ([]byte, error) {
	body, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return nil, ErrSealed
	}
	sealed, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return nil, ErrSealed
	}
	secret, err := b.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}
