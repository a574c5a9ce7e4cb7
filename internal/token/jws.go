package token

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// errUnknownKey is why a token is refused that names a key which is not in the ring. Nobody goes and looks for one.
var errUnknownKey = errors.New("no key with that kid")

// open returns the payload of a signed text of that type, at most so many bytes long, and the key whose signature is over
// it.
func (r *Keyring) open(raw string, most int, typ string) (payload string, by *Key, err error) {
	head, body, sig, err := split(raw, most)
	if err != nil {
		return "", nil, err
	}
	keys, err := r.now.Load().candidates(head, typ)
	if err != nil {
		return "", nil, err
	}
	var signature [ed25519.SignatureSize]byte
	if len(sig) != base64.RawURLEncoding.EncodedLen(len(signature)) {
		return "", nil, errors.New("signature has the wrong length")
	}
	if _, err := strict.Decode(signature[:], []byte(sig)); err != nil {
		return "", nil, errors.New("signature is not strict base64")
	}
	text, err := strict.DecodeString(body)
	if err != nil {
		return "", nil, errors.New("payload is not strict base64")
	}
	input := []byte(raw[:len(head)+1+len(body)])
	for _, k := range keys {
		if k.signed(input, signature[:]) {
			return string(text), k, nil
		}
	}
	return "", nil, errors.New("signature does not verify")
}

// signed reports whether the signature over input is of this key.
func (k *Key) signed(input, signature []byte) bool { return ed25519.Verify(k.public, input, signature) }

// candidates returns the keys that may have signed what has that header: the one that it names, or the few that are
// tried when it names none.
func (s *keySet) candidates(head, typ string) ([]*Key, error) {
	for i, k := range s.keys { // our own tokens all begin the same
		if k.header == head && typ == "JWT" {
			return s.keys[i : i+1], nil
		}
	}
	kid, err := parseHeader(head, typ)
	if err != nil {
		return nil, err
	}
	if kid == "" {
		return s.tries, nil
	}
	for i, k := range s.keys {
		if k.id == kid {
			return s.keys[i : i+1], nil
		}
	}
	return nil, errUnknownKey
}

// strict is base64 in which every value is written in exactly one way. It would still skip line breaks, which split has
// refused before.
var strict = base64.RawURLEncoding.Strict()

// split cuts a signed text into its three parts, in which nothing but the alphabet of base64url is left.
func split(raw string, most int) (head, payload, sig string, err error) { //nolint:revive // a token has three parts
	if len(raw) > most {
		return "", "", "", fmt.Errorf("longer than %d bytes", most)
	}
	dots := 0
	for i := range len(raw) {
		switch c := raw[i]; {
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
		case c == '.':
			dots++
		default:
			return "", "", "", errors.New("a byte that no token has")
		}
	}
	if dots != 2 {
		return "", "", "", errors.New("not three parts")
	}
	head, rest, _ := strings.Cut(raw, ".")
	payload, sig, _ = strings.Cut(rest, ".")
	return head, payload, sig, nil
}

// parseHeader accepts a header that says nothing but alg, kid and typ, and of those nothing that contradicts what is
// expected, and returns the kid, "" when there is none. Whatever else a header could ask for (crit, b64, zip, jwk, jku,
// x5u, cty ...) is refused with it.
func parseHeader(head, want string) (kid string, err error) {
	text, err := strict.DecodeString(head)
	if err != nil {
		return "", errors.New("header is not strict base64")
	}
	var alg, typ string
	r := newReader(string(text))
	r.object(func(name string) {
		switch name {
		case "alg":
			alg = r.str()
		case "kid":
			kid = r.word()
		case "typ":
			typ = r.str()
			if !strings.EqualFold(typ, want) {
				r.fail("typ %q", typ)
			}
		default:
			r.fail("header member %q", name)
		}
	})
	if err := r.end(); err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	if typ == "" && want != "JWT" {
		return "", fmt.Errorf("header: typ %q is missing", want)
	}
	if alg != "EdDSA" && alg != "Ed25519" {
		return "", fmt.Errorf("alg %q: only EdDSA, which is Ed25519, is supported", alg)
	}
	return kid, nil
}
