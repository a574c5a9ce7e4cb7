package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tokens implements token.Store.
type tokens struct{ db *database }

//nolint:gosec // names of columns, not a credential
const tokenColumns = `id, key_id, kind, user_id, user_name, issued_by, issuer_id, name, purpose,
	issued, expires, last_used, last_addr, revoked, revoked_by`

func scanToken(r row) (token.Token, error) {
	var t token.Token
	err := r.Scan(&t.ID, &t.KeyID, &t.Kind, &t.UserID, &t.User, &t.IssuedBy, &t.IssuerID, &t.Name, &t.Purpose,
		fromMicros(&t.Issued), fromMicros(&t.Expires), fromMicros(&t.LastUsed), &t.LastAddr, fromMicros(&t.Revoked), &t.RevokedBy)
	return t, err
}

// CreateToken implements token.Store.
func (s *tokens) CreateToken(ctx context.Context, t token.Token, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "create token %q", t.ID)
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		_, err := c.exec(ctx, `
			INSERT INTO tokens (`+tokenColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ID, t.KeyID, t.Kind, t.UserID, t.User, t.IssuedBy, t.IssuerID, t.Name, t.Purpose,
			micros(t.Issued), micros(t.Expires), micros(t.LastUsed), t.LastAddr, micros(t.Revoked), t.RevokedBy)
		return err
	})
}

// GetToken implements token.Store.
func (s *tokens) GetToken(ctx context.Context, id string) (_ token.Token, err error) {
	defer fault.Wrap(&err, "get token %q", id)
	return getToken(ctx, s.db.read(), id)
}

func getToken(ctx context.Context, c conn, id string) (token.Token, error) {
	t, err := get(ctx, c, scanToken, `
		SELECT `+tokenColumns+`
		FROM tokens
		WHERE id = ?`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return token.Token{}, fault.New(fault.NotFound, "there is no token %q", id)
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
	return list(ctx, s.db.read(), scanToken, `
		SELECT `+tokenColumns+`
		FROM tokens`+w.String()+`
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
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		ids, err = list(ctx, c, scalar[string], `
			UPDATE tokens
			SET revoked = ?, revoked_by = ?`+w.String()+`
			RETURNING id`, append([]any{micros(rec.Time), rec.Actor}, w.args...)...)
		addDetail(rec, "tokens_revoked", strconv.Itoa(len(ids)))
		return err
	})
	return unlessFailed(ids, err)
}

// tokenLives is the condition, with the time as argument, of tokens that are neither revoked nor expired.
//
//nolint:gosec // a condition, not a credential
const tokenLives = `revoked = 0 AND (expires = 0 OR expires > ?)`

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
	return w
}

// RevokedTokens implements token.Store.
func (s *tokens) RevokedTokens(ctx context.Context, at time.Time) (_ []string, err error) {
	defer fault.Wrap(&err, "list revoked tokens")
	return list(ctx, s.db.read(), scalar[string], `
		SELECT id
		FROM tokens
		WHERE revoked > 0 AND (expires = 0 OR expires > ?)`, micros(at))
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
