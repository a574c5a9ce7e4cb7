package token

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	other "github.com/cloudflare/circl/sign/ed25519"
)

// wycheproof is the Ed25519 part of Project Wycheproof's vectors, as the module of another implementation brings them. That
// implementation is asked as well.
type wycheproof struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		Key struct {
			PK string `json:"pk"`
		} `json:"key"`
		Tests []struct {
			ID              int `json:"tcId"`
			Comment, Result string
			Message         string `json:"msg"`
			Signature       string `json:"sig"`
		} `json:"tests"`
	} `json:"testGroups"`
}

func readWycheproof(t *testing.T) wycheproof {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cloudflare/circl").Output()
	if err != nil || len(bytes.TrimSpace(dir)) == 0 {
		t.Skipf("the module with the vectors cannot be found: %v", err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "sign/ed25519/testdata/wycheproof_Ed25519.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var w wycheproof
	if err := json.NewDecoder(z).Decode(&w); err != nil {
		t.Fatal(err)
	}
	return w
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every key of the vectors can be loaded, and of every signature it is said what the vectors say.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	w := readWycheproof(t)
	n, valid := 0, 0
	for _, g := range w.TestGroups {
		public := fromHex(t, g.Key.PK)
		ring, err := ParseKeys(base64.StdEncoding.EncodeToString(public), "")
		if err != nil {
			t.Fatalf("key %s: %v", g.Key.PK, err)
		}
		key := ring.now.Load().keys[0]
		for _, tt := range g.Tests {
			n++
			message, signature := fromHex(t, tt.Message), fromHex(t, tt.Signature)
			want := tt.Result == "valid"
			if want {
				valid++
			}
			if got := key.signed(message, signature); got != want {
				t.Errorf("case %d (%s): %v, want %s", tt.ID, tt.Comment, got, tt.Result)
			}
			if got := len(signature) == other.SignatureSize && other.Verify(other.PublicKey(public), message, signature); got != want {
				t.Errorf("case %d (%s): the other implementation says %v", tt.ID, tt.Comment, got)
			}
		}
	}
	if n != w.NumberOfTests || n < 100 || valid < 10 || valid == n {
		t.Errorf("%d cases, %d of them valid; %d were promised", n, valid, w.NumberOfTests)
	}
}
