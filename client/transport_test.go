package client_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// answerWhoami tells the header Authorization back as the name.
func answerWhoami(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, `{"success": true, "data": {"name": %q}}`, r.Header.Get("Authorization"))
}

func TestTheCertificateOfTheHeadIsChecked(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(answerWhoami))
	t.Cleanup(s.Close)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	tests := []struct {
		name    string
		config  client.Config
		made    bool   // the client
		reached bool   // the head
		want    string // of the error
	}{
		{"the system's certificates", client.Config{}, true, false, "certificate"},
		{"its own certificate", client.Config{CAFile: good}, true, true, ""},
		{"any certificate", client.Config{Insecure: true}, true, true, ""},
		{"a file that is not there", client.Config{CAFile: good + "-gone"}, false, false, "read certificates: open "},
		{"a file that holds none", client.Config{CAFile: file("bad.pem", "text")}, false, false, "holds no PEM certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.config.BaseURL, tt.config.Credential = s.URL, client.StaticToken("tok")
			c, err := client.New(tt.config)
			if tt.made != (err == nil) {
				t.Fatalf("made: %v", err)
			}
			if tt.made {
				_, err = c.Whoami(t.Context())
			}
			if tt.reached != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			var unreachable *client.UnreachableError
			if tt.made && !tt.reached && !errors.As(err, &unreachable) {
				t.Errorf("%v is no UnreachableError", err)
			}
		})
	}
}

func TestARedirectIsNotFollowedWithTheToken(t *testing.T) {
	t.Parallel()
	elsewhere := newHead(t, map[string]reply{"GET /api/v1/whoami": data(map[string]any{"name": "x"}), "POST /api/v1/nodes": data("u1")})
	for _, status := range []int{301, 302, 307, 308} {
		h := newHead(t, map[string]reply{
			"GET /api/v1/whoami": {status: status, header: map[string]string{"Location": elsewhere.URL + "/api/v1/whoami"}},
			"POST /api/v1/nodes": {status: status, header: map[string]string{"Location": elsewhere.URL + "/api/v1/nodes"}},
		})
		c := h.connect(t, client.Config{Credential: client.StaticToken("tok")})
		_, read := c.Whoami(t.Context())
		_, written := c.CreateNode(t.Context(), map[string]any{"mac": "m"})
		for _, err := range []error{read, written} {
			if !errors.Is(err, client.ErrServer) || !strings.Contains(err.Error(), "the head points to "+elsewhere.URL) {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	if len(elsewhere.asked) > 0 {
		t.Errorf("the other place was asked: %q", elsewhere.asked)
	}
}

func TestEveryRequestSaysWhoSendsIt(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"": "bridgehead-client", "cw-nodectl": "cw-nodectl"} {
		var got http.Header
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Clone()
			answerWhoami(w, r)
		}))
		c, err := client.New(client.Config{BaseURL: s.URL, UserAgent: given})
		if err != nil {
			t.Fatal(err)
		}
		me, err := c.Whoami(t.Context())
		if err != nil || me.Name != "" {
			t.Errorf("without a credential the head saw %q, %v", me.Name, err)
		}
		if got.Get("User-Agent") != want || got.Get("Accept") != "application/json" || got.Get("Content-Type") != "" {
			t.Errorf("%q: headers %v", given, got)
		}
		s.Close()
	}
}

func TestAnswersBelowAPathAreFound(t *testing.T) {
	t.Parallel()
	h := newHead(t, map[string]reply{"GET /portal/hpc/api/v1/whoami": data(map[string]any{"name": "ann"})})
	for _, base := range []string{"/portal/hpc", "/portal/hpc/", "/portal/hpc/api", "/portal/hpc/api/v1", "/portal/hpc/api/v1/"} {
		c, err := client.New(client.Config{BaseURL: h.URL + base})
		if err != nil {
			t.Fatal(err)
		}
		if me, err := c.Whoami(t.Context()); err != nil || me.Name != "ann" {
			t.Errorf("%s: %+v, %v", base, me, err)
		}
	}
}
