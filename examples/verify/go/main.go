// Command verify checks a token of Bridgehead from the public key alone, with nothing but Go's standard library.
//
//	verify KEY < token
//
// KEY is the public key in base64, as JWT_PUBLIC_KEY has it, or the address of the head's key set.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

var strict = base64.RawURLEncoding.Strict()

// Verify returns the claims of a token that one of the keys has signed, and that is good now. Keys go by their id; a
// single key may go by "".
func Verify(token string, keys map[string]ed25519.PublicKey, now time.Time) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(token) > 8192 || len(parts) != 3 || strings.ContainsAny(token, "\r\n") { // which base64 would skip
		return nil, errors.New("not a token")
	}
	var header, claims map[string]any
	if err := decode(parts[0], &header); err != nil {
		return nil, err
	}
	// The key decides what the algorithm is. A token that needs more than these three members is none of ours.
	for name := range header {
		if !slices.Contains([]string{"alg", "kid", "typ"}, name) {
			return nil, fmt.Errorf("header member %q", name)
		}
	}
	kid, _ := header["kid"].(string)
	key, ok := keys[kid]
	if !ok && len(keys) == 1 {
		key, ok = keys[""]
	}
	signature, err := strict.DecodeString(parts[2])
	switch {
	case header["alg"] != "EdDSA" || !ok:
		return nil, errors.New("another algorithm or key")
	case err != nil || !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature):
		return nil, errors.New("bad signature")
	}
	if err := decode(parts[1], &claims); err != nil { // not before the signature is known to be good
		return nil, err
	}
	expires, _ := claims["exp"].(float64)
	from, _ := claims["nbf"].(float64)
	switch seconds := float64(now.Unix()); {
	case claims["iss"] != "bridgehead" || claims["aud"] != "bridgehead":
		return nil, errors.New("for somebody else")
	case seconds >= expires || seconds+30 < from:
		return nil, errors.New("expired, or not good yet")
	}
	return claims, nil
}

func decode(part string, v any) error {
	text, err := strict.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Keys reads the keys of a set (RFC 7517), or the one key in base64.
func Keys(where string) (map[string]ed25519.PublicKey, error) {
	if !strings.HasPrefix(where, "http") {
		key, err := base64.StdEncoding.DecodeString(where)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errors.New("the key is not 32 bytes in base64")
		}
		return map[string]ed25519.PublicKey{"": key}, nil
	}
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(where)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&set); err != nil {
		return nil, err
	}
	keys := map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		if x, err := strict.DecodeString(k.X); err == nil && k.Kty == "OKP" && k.Crv == "Ed25519" && len(x) == ed25519.PublicKeySize {
			keys[k.Kid] = x
		}
	}
	return keys, nil
}

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: verify KEY < token"))
	}
	keys, err := Keys(os.Args[1])
	if err != nil {
		fail(err)
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		fail(err)
	}
	claims, err := Verify(strings.TrimSpace(string(text)), keys, time.Now())
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(claims); err != nil {
		fail(err)
	}
}

func fail(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "refused:", err)
	os.Exit(1)
}
