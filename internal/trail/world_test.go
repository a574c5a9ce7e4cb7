package trail_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// memory is a trail without a database. The real one runs the same through internal/store/storetest.
type memory struct {
	mu      sync.Mutex // guards all below
	records []audit.Record
	cursors map[string]int64
	bell    chan struct{}
	failing bool
	lists   int
}

func newMemory() *memory {
	return &memory{cursors: map[string]int64{}, bell: make(chan struct{})}
}

var errFails = errors.New("the database fails")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// write appends records of somebody.
func (m *memory) write(tb testing.TB, actor string, n int) {
	tb.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		seq := int64(len(m.records) + 1)
		r := audit.Record{Seq: seq, Time: noon.Add(time.Duration(seq) * time.Minute), Actor: actor, Subject: actor, Action: "node.update", Object: "node/n" + strconv.FormatInt(seq, 10), Outcome: audit.Done}
		prev := ""
		if seq > 1 {
			prev = m.records[seq-2].Hash
		}
		var err error
		if r.Hash, err = audit.Chain(prev, r); err != nil {
			tb.Fatal(err)
		}
		m.records = append(m.records, r)
	}
	close(m.bell)
	m.bell = make(chan struct{})
}

func (m *memory) List(_ context.Context, f audit.Filter) ([]audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists++
	if m.failing {
		return nil, errFails
	}
	var all []audit.Record
	for _, r := range m.records {
		mine := f.Mine == "" || r.Actor == f.Mine || r.Subject == f.Mine
		who := f.Who == "" || r.Actor == f.Who || r.Subject == f.Who
		if mine && who && r.Seq > f.After && (f.Before == 0 || r.Seq < f.Before) && !r.Time.Before(f.Since) {
			all = append(all, r)
		}
	}
	if !f.Ascending {
		slices.Reverse(all)
	}
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	return all[:min(len(all), limit)], nil
}

func (m *memory) Head(context.Context) (audit.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing {
		return audit.Head{}, errFails
	}
	if len(m.records) == 0 {
		return audit.Head{}, nil
	}
	last := m.records[len(m.records)-1]
	return audit.Head{Seq: last.Seq, Hash: last.Hash, Time: last.Time}, nil
}

func (m *memory) Appended() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bell
}

func (m *memory) GetCursor(_ context.Context, receiver string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[receiver], nil
}

func (m *memory) SetCursor(_ context.Context, receiver string, seq int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursors[receiver] = seq
	return nil
}

// fail switches failures on and off.
func (m *memory) fail(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing = on
}

// auditor may read everything, ann only what is hers.
func auditor() identity.Caller {
	return identity.Caller{User: identity.User{Name: "auditor"}, Permissions: identity.SetOf(identity.AuditRead)}
}

func ann() identity.Caller {
	return identity.Caller{User: identity.User{Name: "ann"}, Permissions: identity.SetOf(identity.AdminsWriteSelf)}
}

func seqs(records []audit.Record) []int64 {
	var all []int64
	for _, r := range records {
		all = append(all, r.Seq)
	}
	return all
}
