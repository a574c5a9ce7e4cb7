package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

func box(t *testing.T, key, purpose string) *seal.Box {
	t.Helper()
	b, err := seal.New([]byte(key), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOnlyTheSameKeyPurposeAndNameOpen(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	b := box(t, key, "keys")
	text := b.Seal("k1", []byte("secret"))
	if got, err := b.Open("k1", text); err != nil || string(got) != "secret" {
		t.Fatalf("%q, %v", got, err)
	}
	if strings.Contains(text, "secret") || text == b.Seal("k1", []byte("secret")) {
		t.Errorf("sealed text shows its secret, or that it is the same one: %s", text)
	}
	for what, open := range map[string]func() ([]byte, error){
		"other name":    func() ([]byte, error) { return b.Open("k2", text) },
		"other purpose": func() ([]byte, error) { return box(t, key, "totp").Open("k1", text) },
		"other key":     func() ([]byte, error) { return box(t, strings.ToUpper(key), "keys").Open("k1", text) },
		"no version":    func() ([]byte, error) { return b.Open("k1", text[3:]) },
		"no base64":     func() ([]byte, error) { return b.Open("k1", "v1.!") },
		"empty":         func() ([]byte, error) { return b.Open("k1", "") },
	} {
		if got, err := open(); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}

func TestShortKeysAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := seal.New([]byte("short"), "keys"); err == nil {
		t.Error("a key of 5 bytes was taken")
	}
}

func FuzzOpen(f *testing.F) {
	b, err := seal.New(bytes.Repeat([]byte("k"), 32), "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	good := b.Seal("n", []byte("s"))
	f.Add(good)
	f.Add("v1.")
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := b.Open("n", text); err == nil && string(got) != "s" {
			t.Errorf("%q opens to %q", text, got)
		}
	})
}

func ExampleBox() {
	b, _ := seal.New([]byte("a key of the site, 32 bytes long"), "signing keys")
	secret, err := b.Open("key-1", b.Seal("key-1", []byte("private")))
	fmt.Println(string(secret), err)
	// Output: private <nil>
}
