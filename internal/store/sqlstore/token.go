package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tokens implements token.Store.
type tokens struct{ db *database }

//nolint:gosec // names of columns, not a credential
const tokenColumns = `id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose,
	issued, expires, last_used, last_addr, status_index, permissions, read_only, nodes, cidrs, clusters, parent`

// tokenSelect is the beginning of every query that reads whole tokens.
const tokenSelect = `
	SELECT ` + tokenColumns + `, COALESCE(revoked, 0), COALESCE(revoked_by, '')
	FROM tokens LEFT JOIN revocations ON token = seq`

func scanToken(r row) (token.Token, error) {
	var t token.Token
	err := r.Scan(&t.ID, &t.KeyID, &t.Kind, &t.UserID, &t.User, &t.IssuedBy, &t.IssuerID, &t.Name, &t.Purpose,
		fromMicros(&t.Issued), fromMicros(&t.Expires), fromMicros(&t.LastUsed), &t.LastAddr,
		&t.StatusIndex, jsonColumn{&t.Permissions}, &t.ReadOnly, &t.Nodes, jsonColumn{&t.CIDRs}, jsonColumn{&t.Clusters}, &t.Parent,
		fromMicros(&t.Revoked), &t.RevokedBy)
	return t, err
}

// CreateToken implements token.Store. A token is not revoked from the beginning.
func (s *tokens) CreateToken(ctx context.Context, t token.Token, basis []identity.User, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "create token %q", t.ID)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		for _, u := range basis {
			if err := sameUser(ctx, c, u); err != nil {
				return err
			}
		}
		if err := parentLives(ctx, c, t.Parent); err != nil {
			return err
		}
		_, err := c.exec(ctx, `
			INSERT INTO tokens (`+tokenColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ID, t.KeyID, t.Kind, t.UserID, t.User, t.IssuedBy, t.IssuerID, t.Name, t.Purpose,
			micros(t.Issued), micros(t.Expires), micros(t.LastUsed), t.LastAddr,
			t.StatusIndex, jsonColumn{t.Permissions}, t.ReadOnly, t.Nodes, jsonColumn{t.CIDRs}, jsonColumn{t.Clusters}, t.Parent)
		return err
	})
}

// sameUser refuses accounts that are gone, disabled, or not what they were when u was read. Asked in the transaction of
// what is built upon it, it leaves no moment in between: either this sees the change, or the change sees that.
func sameUser(ctx context.Context, c conn, u identity.User) error {
	if u.ID == "" {
		return nil // the command line of the head
	}
	type state struct {
		disabled bool
		modified int64
	}
	now, err := get(ctx, c, func(r row) (v state, err error) {
		err = r.Scan(&v.disabled, &v.modified)
		return v, err
	}, `SELECT disabled, modified FROM users WHERE id = ?`, u.ID)
	switch {
	case err != nil:
		return noUser(err, u.Name)
	case now.disabled:
		return fault.New(fault.Denied, "user %q is disabled", u.Name)
	case now.modified != micros(u.Modified):
		return fault.New(fault.Conflict, "the account %q has just been changed; try again", u.Name)
	}
	return nil
}

// parentLives refuses a token whose parent has been revoked while it was made.
func parentLives(ctx context.Context, c conn, parent string) error {
	if parent == "" {
		return nil
	}
	revoked, err := get(ctx, c, scalar[bool], `
		SELECT EXISTS (SELECT 1 FROM revocations WHERE token = (SELECT seq FROM tokens WHERE id = ?))`, parent)
	if err == nil && revoked {
		err = fault.New(fault.Conflict, "the token with which it is made has just been revoked")
	}
	return err
}

// GetToken implements token.Store.
func (s *tokens) GetToken(ctx context.Context, id string) (_ token.Token, err error) {
	defer fault.Wrap(&err, "get token %q", id)
	return getToken(ctx, s.db.read(), id)
}

func getToken(ctx context.Context, c conn, id string) (token.Token, error) {
	t, err := get(ctx, c, scanToken, tokenSelect+`
		WHERE id = ?`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return token.Token{}, noToken(id)
	}
	return t, err
}

// ListTokens implements token.Store. It is fault.Invalid when f.After is not the id of a token.
func (s *tokens) ListTokens(ctx context.Context, f token.Filter) (all []token.Token, err error) {
	defer fault.Wrap(&err, "list tokens")
	w := tokenWhere(f, f.Live)
	if f.After != "" {
		last, err := getToken(ctx, s.db.read(), f.After)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Because(fault.Invalid, err, "the page begins after token %q, which does not exist", f.After)
		}
		if err != nil {
			return nil, err
		}
		w.and(`(issued, id) < (?, ?)`, micros(last.Issued), last.ID)
	}
	return list(ctx, s.db.read(), scanToken, tokenSelect+w.String()+`
		ORDER BY issued DESC, id DESC
		LIMIT ?`, append(w.args, limitOf(f.Limit))...)
}

// RevokeTokens implements token.Store. A filter that says nothing revokes every token; one with a page is
// fault.Invalid. The record says how many tokens were revoked, also when there were none.
func (s *tokens) RevokeTokens(ctx context.Context, f token.Filter, rec audit.Record) (ids []string, err error) {
	defer fault.Wrap(&err, "revoke tokens")
	if f.After != "" || f.Limit != 0 {
		return nil, fault.New(fault.Invalid, "tokens are revoked all at once, not page by page")
	}
	at := f.Live
	if at.IsZero() {
		at = rec.Time
	}
	w := tokenWhere(f, at)
	if f.Made {
		w = withMade(f, at)
	}
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		ids, err = revokeTokens(ctx, c, w, *rec)
		addDetail(rec, "tokens_revoked", strconv.Itoa(len(ids)))
		return err
	})
	return unlessFailed(ids, err)
}

// revokeTokens revokes the tokens of which w is true, live ones all of them, and returns their ids.
func revokeTokens(ctx context.Context, c conn, w *where, rec audit.Record) ([]string, error) {
	return list(ctx, c, scalar[string], `
		INSERT INTO revocations (token, revoked, revoked_by, token_id, token_expires, token_index)
		SELECT seq, ?, ?, id, expires, status_index
		FROM tokens`+w.String()+`
		RETURNING token_id`, append([]any{micros(rec.Time), rec.Actor}, w.args...)...)
}

// isRevoked is the condition of tokens that have been revoked; tokenLives, with the time as argument, of those that have
// neither been revoked nor have expired.
const (
	isRevoked  = `EXISTS (SELECT 1 FROM revocations WHERE token = seq)`
	tokenLives = `NOT ` + isRevoked + ` AND (expires = 0 OR expires > ?)`
)

// tokenWhere selects what f says without its page; those that live at a time when it is given.
func tokenWhere(f token.Filter, live time.Time) *where {
	w := &where{}
	equal(w, `id`, f.ID)
	equal(w, `user_id`, f.UserID)
	equal(w, `issuer_id`, f.IssuerID)
	equal(w, `key_id`, f.KeyID)
	equal(w, `kind`, f.Kind)
	if !live.IsZero() {
		w.and(tokenLives, micros(live))
	}
	if !f.Expired.IsZero() {
		w.and(`NOT `+isRevoked+` AND expires > 0 AND expires <= ?`, micros(f.Expired))
	}
	if f.Revoked {
		w.and(isRevoked)
	}
	if !f.Before.IsZero() {
		w.and(`expires > 0 AND expires < ?`, micros(f.Before))
	}
	if f.Text != "" {
		some := strings.ToLower(contains(f.Text))
		w.and(`(LOWER(name) LIKE ? ESCAPE '\' OR LOWER(purpose) LIKE ? ESCAPE '\' OR LOWER(user_name) LIKE ? ESCAPE '\'
			OR LOWER(issued_by) LIKE ? ESCAPE '\' OR id LIKE ? ESCAPE '\')`, some, some, some, some, some)
	}
	return w
}

// withMade is tokenWhere, and the tokens whose parents are among those, whether or not these live.
func withMade(f token.Filter, live time.Time) *where {
	if f.ID == "" && f.Kind != token.KindRefresh {
		return tokenWhere(f, live)
	}
	of, w := tokenWhere(f, time.Time{}), &where{}
	these := `SELECT id FROM tokens` + of.String()
	w.and(`(id IN (`+these+`) OR parent <> '' AND parent IN (`+these+`))`, slices.Concat(of.args, of.args)...)
	if !live.IsZero() {
		w.and(tokenLives, micros(live))
	}
	return w
}

// CountTokens implements token.Store.
func (s *tokens) CountTokens(ctx context.Context, f token.Filter) (counts map[token.Kind]int, err error) {
	defer fault.Wrap(&err, "count tokens")
	w := tokenWhere(f, f.Live)
	if f.Made {
		w = withMade(f, f.Live)
	}
	type count struct {
		kind token.Kind
		n    int
	}
	groups, err := list(ctx, s.db.read(), func(r row) (v count, err error) {
		err = r.Scan(&v.kind, &v.n)
		return v, err
	}, `
		SELECT kind, COUNT(*)
		FROM tokens`+w.String()+`
		GROUP BY kind`, w.args...)
	counts = make(map[token.Kind]int, len(groups))
	for _, g := range groups {
		counts[g.kind] = g.n
	}
	return counts, err
}

// LabelToken implements token.Store.
func (s *tokens) LabelToken(ctx context.Context, id, name, purpose string, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "label token %q", id)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		n, err := c.exec(ctx, `UPDATE tokens SET name = ?, purpose = ? WHERE id = ?`, name, purpose, id)
		if err == nil && n == 0 {
			err = noToken(id)
		}
		return err
	})
}

func noToken(id string) error { return fault.New(fault.NotFound, "there is no token %q", id) }

// RevokedTokens implements token.Store.
func (s *tokens) RevokedTokens(ctx context.Context, at time.Time) (_ []string, err error) {
	defer fault.Wrap(&err, "list revoked tokens")
	return list(ctx, s.db.read(), scalar[string], `
		SELECT token_id
		FROM revocations
		WHERE token_expires = 0 OR token_expires > ?`, micros(at))
}

// TouchTokens implements token.Store. Uses that are older than what is known change nothing.
func (s *tokens) TouchTokens(ctx context.Context, uses []token.Use) (err error) {
	defer fault.Wrap(&err, "touch %d tokens", len(uses))
	return s.db.update(ctx, func(c conn) error {
		for _, u := range uses {
			_, err := c.exec(ctx, `
				UPDATE tokens
				SET last_used = ?, last_addr = ?
				WHERE id = ? AND last_used < ?`, micros(u.At), u.Addr, u.ID, micros(u.At))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
