package token

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// maxKeyText is how long the text of a key may be. An Ed25519 key takes some 150 bytes at most; this leaves room to say
// what another key is.
const maxKeyText = 16 << 10

// ParseKey reads a key as people have it in files: PEM (PKIX for public, PKCS #8 for private keys, as openssl writes
// them), or one line of standard base64, of 32 bytes for the public half or 64 for the private one, as gen-keypair prints
// them. 32 bytes are never read as the seed of a private key: nothing tells them from a public one. fault.Invalid says
// what was found instead; no error holds a key.
func ParseKey(text []byte) (*Key, error) {
	k, err := parseKey(bytes.TrimSpace(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s", err)
	}
	return k, nil
}

func parseKey(text []byte) (*Key, error) {
	switch {
	case len(text) == 0:
		return nil, errors.New("there is no key: the text is empty")
	case len(text) > maxKeyText:
		return nil, fmt.Errorf("this is no key: it is longer than %d bytes", maxKeyText)
	case bytes.HasPrefix(text, []byte("-----BEGIN ")):
		return parsePEM(text)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return nil, errors.New("this is neither PEM nor one line of standard base64")
	}
	switch len(raw) {
	case ed25519.PublicKeySize:
		return newKey(raw, nil)
	case ed25519.PrivateKeySize:
		return newKey(raw[ed25519.SeedSize:], raw)
	}
	return nil, fmt.Errorf("this is base64 of %d bytes; an Ed25519 key has %d for the public half, or %d for the private one",
		len(raw), ed25519.PublicKeySize, ed25519.PrivateKeySize)
}

// parsePEM reads exactly one block.
func parsePEM(text []byte) (*Key, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("this begins like PEM and is none: it is damaged, or cut off")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("one key is expected, and there is more behind it")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return parsePublic(block.Bytes)
	case "PRIVATE KEY":
		return parsePrivate(block.Bytes)
	default:
		return nil, fmt.Errorf("this is PEM of %q; PUBLIC KEY or PRIVATE KEY with an Ed25519 key is expected", shorten(block.Type))
	}
}

func parsePublic(der []byte) (*Key, error) {
	found, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, unreadable("public", der)
	}
	public, ok := found.(ed25519.PublicKey)
	if !ok {
		return nil, notEd25519(found)
	}
	if same, err := x509.MarshalPKIXPublicKey(public); err != nil || !bytes.Equal(same, der) {
		return nil, errors.New("this is an Ed25519 public key in an encoding that is not DER")
	}
	return newKey(public, nil)
}

func parsePrivate(der []byte) (*Key, error) {
	found, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, unreadable("private", der)
	}
	private, ok := found.(ed25519.PrivateKey)
	if !ok {
		return nil, notEd25519(found)
	}
	return newKey(ed25519.PublicKey(private[ed25519.SeedSize:]), private)
}

// notEd25519 says what was found.
func notEd25519(found any) error {
	what := fmt.Sprintf("of type %T", found)
	switch k := found.(type) {
	case *rsa.PublicKey:
		what = fmt.Sprintf("an RSA key of %d bits", k.N.BitLen())
	case *rsa.PrivateKey:
		what = fmt.Sprintf("an RSA private key of %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		what = "an ECDSA key on " + k.Params().Name
	case *ecdsa.PrivateKey:
		what = "an ECDSA private key on " + k.Params().Name
	case *ecdh.PublicKey:
		what = fmt.Sprintf("a key for %s, with which nothing is signed", k.Curve())
	case *ecdh.PrivateKey:
		what = fmt.Sprintf("a private key for %s, with which nothing is signed", k.Curve())
	}
	return fmt.Errorf("this is %s; an Ed25519 key is expected", what)
}

// unreadable names the algorithm of a key that the standard library does not read.
func unreadable(half string, der []byte) error {
	var public struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var private struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
		Rest      []asn1.RawValue `asn1:"optional"`
	}
	oid := ""
	if _, err := asn1.Unmarshal(der, &public); err == nil {
		oid = public.Algorithm.Algorithm.String()
	} else if _, err := asn1.Unmarshal(der, &private); err == nil {
		oid = private.Algorithm.Algorithm.String()
	}
	switch oid {
	case "":
		return fmt.Errorf("the %s key is damaged: it is not what PEM promises", half)
	case "1.3.101.112":
		return fmt.Errorf("this is an Ed25519 %s key, and a damaged one", half)
	case "1.3.101.113":
		oid = "Ed448"
	}
	return fmt.Errorf("this is a %s key for %s; an Ed25519 key is expected", half, oid)
}

// shorten makes a text from elsewhere fit into a message.
func shorten(s string) string {
	const most = 40
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
