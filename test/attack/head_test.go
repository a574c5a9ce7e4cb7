// Package attack_test tries to get past the doors of a real head: with forged, broken, stolen and outlived credentials,
// with the wrong rights, with too much of everything. What it tries is written down in rows; a test sees to it that no
// row is left without an attack.
package attack_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// head is a real head, and what an attacker would need for most of these attacks but does not have in life: its private
// key.
type head struct {
	*servertest.Harness
	signer ed25519.PrivateKey
	kid    string
	victim string        // the id of the user who is to be impersonated, "" before there is one
	clock  *clock.Manual // nil where the head has the machine's clock
	db     *sql.DB
}

func newHead(t *testing.T, options ...servertest.Option) *head {
	t.Helper()
	clk := clock.NewManual(start)
	h := openHead(t, append(options, servertest.WithClock(clk))...)
	h.clock = clk
	return h
}

// openHead starts a head with the machine's own clock.
func openHead(t *testing.T, options ...servertest.Option) *head {
	t.Helper()
	h := &head{Harness: servertest.New(t, options...)}
	private, err := base64.StdEncoding.DecodeString(h.Secrets.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := token.ParseKeys(h.Secrets.PublicKey, h.Secrets.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	h.signer, h.kid = private, ring.ID()
	if h.db, err = sql.Open("sqlite", "file:"+filepath.Join(h.Dir, "job.db")+"?mode=ro&_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	return h
}

// public returns the key that everybody may know.
func (h *head) public(t *testing.T) ed25519.PublicKey {
	t.Helper()
	public, ok := h.signer.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no public key")
	}
	return public
}

// sign makes a token of a header and a payload, whatever they say.
func (h *head) sign(header, payload string) string { return signWith(h.signer, header, payload) }

func signWith(key ed25519.PrivateKey, header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(ed25519.Sign(key, []byte(input))))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

const plain = `{"alg":"EdDSA","typ":"JWT"}`

// at writes a time relative to the head's.
func at(seconds int64) string { return strconv.FormatInt(start.Unix()+seconds, 10) }

// tables returns a fingerprint of all that is stored, apart from the audit trail.
func (h *head) tables(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	for _, name := range h.column(t, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'audit_%' AND name NOT LIKE 'goose%' ORDER BY name`) {
		h.hashTable(t, sum, name)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// hashTable adds every cell of a table to a hash.
func (h *head) hashTable(t *testing.T, sum io.Writer, name string) {
	t.Helper()
	rows, err := h.db.QueryContext(t.Context(), `SELECT * FROM "`+name+`" ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, c := range cells {
			_, _ = fmt.Fprintf(sum, "%s.%s=%q\n", name, columns[i], fmt.Sprint(c)) // a hash takes everything
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// column returns the first column of a query.
func (h *head) column(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := h.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// patience is how long a test waits for what the head does in the background.
const patience = 20 * time.Second

// soon calls try until it succeeds, moving the head's time on meanwhile so that whatever keeps a pace goes on.
func (h *head) soon(try func() bool) bool {
	var wall clock.System
	for deadline := wall.Now().Add(patience); wall.Now().Before(deadline); <-wall.After(time.Millisecond) {
		if try() {
			return true
		}
		if h.clock != nil {
			h.clock.Advance(20 * time.Millisecond)
		}
	}
	return false
}

var requestID = regexp.MustCompile(`[0-9a-f]{16}`)

// anonymous is a reply's body without what is different in every reply.
func anonymous(r servertest.Reply) string { return requestID.ReplaceAllString(r.Body, "ID") }

// whoami presents a token.
func (h *head) whoami(raw string) servertest.Reply {
	return h.Do(servertest.Call{Path: "/api/v1/whoami", Token: raw})
}

// send sends bytes that no HTTP client would, and returns the status.
func (h *head) send(t *testing.T, headers ...string) int {
	t.Helper()
	request := "GET /api/v1/whoami HTTP/1.1\r\nHost: head\r\nConnection: close\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
	return exchange(t, strings.TrimPrefix(h.URL, "http://"), request)
}

func want(t *testing.T, what string, r servertest.Reply, status int) {
	t.Helper()
	if r.Status != status {
		t.Errorf("%s: %d %s, want %d", what, r.Status, r.Body, status)
	}
}

func get(path string) servertest.Call { return servertest.Call{Path: path} }
