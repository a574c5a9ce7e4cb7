package token_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// pemOf is what openssl and every other program write for a key.
func pemOf(tb testing.TB, key any) string {
	tb.Helper()
	kind, marshal := "PUBLIC KEY", x509.MarshalPKIXPublicKey
	switch key.(type) {
	case ed25519.PrivateKey, *rsa.PrivateKey, *ecdsa.PrivateKey, *ecdh.PrivateKey:
		kind, marshal = "PRIVATE KEY", x509.MarshalPKCS8PrivateKey
	}
	der, err := marshal(key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestKeysAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	for what, c := range map[string]struct {
		text  string
		signs bool
	}{
		"PEM, public":     {pemOf(t, p.signer.Public()), false},
		"PEM, private":    {"\n" + pemOf(t, p.signer) + "\n", true},
		"base64, public":  {p.public + "\n", false},
		"base64, private": {p.private, true},
	} {
		k, err := token.ParseKey([]byte(c.text))
		if err != nil || k.ID() != p.ring.ID() || k.CanSign() != c.signs {
			t.Errorf("%s: %v, %v", what, k, err)
		}
	}
}

func TestKeysAreWrittenAsOthersReadThem(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	k, err := token.ParseKey([]byte(p.private))
	if err != nil {
		t.Fatal(err)
	}
	if k.Raw() != p.public || k.PEM() != pemOf(t, p.signer.Public()) {
		t.Errorf("raw %s, PEM %s", k.Raw(), k.PEM())
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal([]byte(k.JWK()), &jwk); err != nil {
		t.Fatal(err)
	}
	if pub, ok := jwk.Key.(ed25519.PublicKey); !ok || !pub.Equal(p.signer.Public()) || jwk.KeyID != k.ID() {
		t.Errorf("JWK %s", k.JWK())
	}
}

func TestOtherKeysAreRefusedByName(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	xKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	identity := append([]byte{1}, make([]byte, 31)...)
	prefix, _ := pem.Decode([]byte(pemOf(t, p.signer.Public())))
	weak := bytes.Clone(prefix.Bytes)
	copy(weak[len(weak)-32:], identity)
	ed448 := bytes.ReplaceAll(prefix.Bytes, []byte{0x2b, 0x65, 0x70}, []byte{0x2b, 0x65, 0x71})
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for text, want := range map[string]string{
		pemOf(t, &rsaKey.PublicKey):                                   "an RSA key of 2048 bits",
		pemOf(t, rsaKey):                                              "an RSA private key of 2048 bits",
		pemOf(t, &ecKey.PublicKey):                                    "an ECDSA key on P-256",
		pemOf(t, ecKey):                                               "an ECDSA private key on P-256",
		pemOf(t, xKey.PublicKey()):                                    "X25519",
		block("PUBLIC KEY", ed448):                                    "Ed448",
		block("PUBLIC KEY", []byte("junk")):                           "damaged",
		block("PUBLIC KEY", weak):                                     "forge",
		block("CERTIFICATE", []byte("x")):                             `PEM of "CERTIFICATE"`,
		block("RSA PUBLIC KEY", []byte("x")):                          `PEM of "RSA PUBLIC KEY"`,
		block("OPENSSH PRIVATE KEY", weak):                            `PEM of "OPENSSH PRIVATE KEY"`,
		"-----BEGIN PUBLIC KEY-----\nMCow":                            "cut off",
		pemOf(t, p.signer.Public()) + "x":                             "more behind it",
		std(identity):                                                 "forge",
		std(p.signer[:31]):                                            "base64 of 31 bytes",
		std(append(p.signer[:32:32], 1, 2)):                           "base64 of 34 bytes",
		p.public + "\n" + p.public:                                    "neither PEM nor one line",
		strings.ReplaceAll(p.public, "=", ""):                         "neither PEM nor one line",
		std(append(p.signer[:32:32], identity...)):                    "forge",
		std(append(p.signer[:32:32], newPair(t, "o").signer[32:]...)): "does not belong",
		"":                              "empty",
		strings.Repeat("A", 20<<10):     "longer than",
		`{"kty":"OKP","crv":"Ed25519"}`: "neither PEM",
	} {
		_, err := token.ParseKey([]byte(text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %q", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), p.private[:12]) || strings.Contains(err.Error(), p.public[:12])) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestCrossLoginLine(t *testing.T) {
	t.Parallel()
	p := newPair(t, "k")
	var out bytes.Buffer
	if err := token.WriteCrossLoginKey(&out, []byte(pemOf(t, p.signer.Public()))); err != nil {
		t.Fatal(err)
	}
	if want := `CROSS_LOGIN_JWT_PUBLIC_KEY="` + p.public + "\"\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	if err := token.WriteCrossLoginKey(&out, []byte(pemOf(t, p.signer))); err == nil || out.Len() > 0 {
		t.Errorf("a private key: %q, %v", out.String(), err)
	}
}

func FuzzParseKey(f *testing.F) {
	p := newPair(f, "k")
	for _, seed := range []string{p.public, p.private, pemOf(f, p.signer), pemOf(f, p.signer.Public()), "-----BEGIN PUBLIC KEY-----"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := token.ParseKey(text)
		if err != nil {
			return
		}
		again, err := token.ParseKey([]byte(k.PEM()))
		if err != nil || again.ID() != k.ID() {
			t.Errorf("%v becomes %v, %v", k, again, err)
		}
	})
}
