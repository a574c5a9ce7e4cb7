package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// notebook is a trail that can fail.
type notebook struct {
	mu      sync.Mutex // guards all below
	failing bool
	records []audit.Record
}

func (n *notebook) Append(_ context.Context, r audit.Record) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failing {
		return errors.New("the disk is full")
	}
	n.records = append(n.records, r)
	return nil
}

func (n *notebook) List(context.Context, audit.Filter) ([]audit.Record, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.records, nil
}

func refusing(n *notebook) *refusals {
	return newRefusals(n, clock.System{}, slog.New(slog.DiscardHandler), &access.Gate{})
}

func asked(t *testing.T, path string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(access.WithRequestID(t.Context(), "r1"), http.MethodPost, path, http.NoBody)
	r.RemoteAddr = "192.0.2.1:99"
	return r
}

func TestRefusalNamesWhomItCan(t *testing.T) {
	t.Parallel()
	refused := func(r token.RefusedError) error { return fault.Because(fault.Unauthenticated, &r, "invalid token") }
	caller := identity.Caller{User: identity.User{Name: "ann"}, Actor: &identity.Actor{Name: "boss"}, Via: identity.ViaToken, TokenID: "t1"}
	for name, c := range map[string]struct {
		caller                   identity.Caller
		err                      error
		actor, subject, via, jti string
	}{
		"nobody":         {identity.Caller{}, fault.New(fault.Unauthenticated, "no user"), "", "", "", ""},
		"garbage":        {identity.Caller{}, refused(token.RefusedError{Reason: "not three parts"}), "", "", "", ""},
		"revoked":        {identity.Caller{}, refused(token.RefusedError{Reason: "revoked", Subject: "bob", ID: "t2"}), "bob", "bob", "token", "t2"},
		"revoked acting": {identity.Caller{}, refused(token.RefusedError{Reason: "revoked", Subject: "bob", Actor: "boss", ID: "t3"}), "boss", "bob", "token", "t3"},
		"denied":         {caller, identity.DeniedError(identity.NodesWrite), "boss", "ann", "token", "t1"},
	} {
		n := &notebook{}
		f := refusing(n)
		f.note(asked(t, "/api/v1/nodes"), c.caller, c.err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.run(ctx); err != nil || len(n.records) != 1 {
			t.Fatalf("%s: %d records, %v", name, len(n.records), err)
		}
		r := n.records[0]
		if r.Actor != c.actor || r.Subject != c.subject || r.Via != c.via || r.TokenID != c.jti {
			t.Errorf("%s: %+v", name, r)
		}
		if r.Object != "POST /api/v1/nodes" || r.Addr != "192.0.2.1" || r.RequestID != "r1" || r.Outcome != audit.Refused || r.Reason == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFloodOfRefusalsIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &notebook{}
		f := refusing(n)
		for range 1000 {
			f.note(asked(t, "/"+strings.Repeat("x", 60_000)), identity.Caller{}, fault.New(fault.Unauthenticated, "no user"))
		}
		if got := f.all.Load(); got != 488 {
			t.Errorf("%d dropped, want 488", got)
		}
		if size := len((<-f.queue).Object); size > 4096 {
			t.Errorf("a record that waits holds %d bytes", size)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = f.run(ctx) }()
		time.Sleep(time.Second)
		n.mu.Lock()
		defer n.mu.Unlock()
		if got := len(n.records); got < 45 || got > 55 {
			t.Errorf("%d records in a second", got)
		}
		if got := n.records[0].Details["more_refused_before"]; got != "488" {
			t.Errorf("the first record tells of %q others", got)
		}
		if n.records[1].Details != nil {
			t.Errorf("the second tells of them again: %v", n.records[1].Details)
		}
		cancel()
	})
}

// What could not be written is not forgotten: the next record that can be written tells of it.
func TestCountSurvivesAFailure(t *testing.T) {
	t.Parallel()
	n := &notebook{failing: true}
	f := refusing(n)
	f.dropped.Store(7)
	f.write(t.Context(), audit.Record{})
	n.failing = false
	f.write(t.Context(), audit.Record{})
	if len(n.records) != 1 || n.records[0].Details["more_refused_before"] != "7" {
		t.Errorf("%+v", n.records)
	}
}
