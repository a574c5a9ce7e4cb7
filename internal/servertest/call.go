package servertest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Call is a request.
type Call struct {
	Method  string // "" is GET
	Path    string // with the query
	Token   string // goes into Authorization
	Session *http.Cookie
	Type    string // of the body, "" is application/json
	Body    string
}

// Reply is what came back.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request to the head and reads the whole reply. Redirects are not followed.
func (h *Harness) Do(c Call) Reply {
	h.tb.Helper()
	r, err := http.NewRequestWithContext(h.tb.Context(), c.Method, h.URL+c.Path, strings.NewReader(c.Body))
	if err != nil {
		h.tb.Fatal(err)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Session != nil {
		r.AddCookie(c.Session)
	}
	switch {
	case c.Type != "":
		r.Header.Set("Content-Type", c.Type)
	case c.Body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.tb.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it has been read
	if err != nil {
		h.tb.Fatal(err)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}

// Decode reads the reply's JSON into v.
func (r Reply) Decode(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(r.Body), v); err != nil {
		tb.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
}
