package sqlstore

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// signingKeys implements token.KeyStore and token.StatusStore.
type signingKeys struct{ db *database }

const keyColumns = `id, public, private, state, origin, created, activated, retired`

func scanKey(r row) (token.SigningKey, error) {
	var k token.SigningKey
	var public string
	err := r.Scan(&k.ID, &public, &k.Sealed, &k.State, &k.Origin, fromMicros(&k.Created), fromMicros(&k.Activated), fromMicros(&k.Retired))
	if err != nil {
		return k, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return k, fault.Because(fault.Internal, err, "read signing key %q: the public half is damaged", k.ID)
	}
	k.Public = raw
	return k, nil
}

// ListKeys implements token.KeyStore.
func (s *signingKeys) ListKeys(ctx context.Context) (_ []token.SigningKey, err error) {
	defer fault.Wrap(&err, "list signing keys")
	return list(ctx, s.db.read(), scanKey, `
		SELECT `+keyColumns+`
		FROM signing_keys
		ORDER BY created, id`)
}

// SaveKeys implements token.KeyStore.
func (s *signingKeys) SaveKeys(ctx context.Context, active string, keys []token.SigningKey, rec audit.Record) (err error) {
	defer fault.Wrap(&err, "save signing keys")
	return s.db.change(ctx, rec, func(c conn, _ *audit.Record) error {
		now, err := get(ctx, c, scalar[string], `
			SELECT id
			FROM signing_keys
			WHERE state = ?`, token.KeyActive)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if now != active {
			return fault.New(fault.Conflict, "the signing keys have been changed by another program meanwhile; look at them and try again")
		}
		for _, k := range keys {
			if err := saveKey(ctx, c, k); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveKey(ctx context.Context, c conn, k token.SigningKey) error {
	n, err := c.exec(ctx, `
		INSERT INTO signing_keys (`+keyColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE
		SET private = excluded.private, state = excluded.state, activated = excluded.activated, retired = excluded.retired
		WHERE signing_keys.state <> ?`,
		k.ID, base64.StdEncoding.EncodeToString(k.Public), k.Sealed, k.State, k.Origin,
		micros(k.Created), micros(k.Activated), micros(k.Retired), token.KeyRemoved)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "the key %s has been removed meanwhile", k.ID)
	}
	return err
}

// RemoveKey implements token.KeyStore. The row stays, without its private half: it is how the key is known not to come
// back. The record says how many tokens were revoked.
func (s *signingKeys) RemoveKey(ctx context.Context, id string, rec audit.Record) (revoked []string, err error) {
	defer fault.Wrap(&err, "remove signing key %q", id)
	err = s.db.change(ctx, rec, func(c conn, rec *audit.Record) error {
		state, err := get(ctx, c, scalar[token.KeyState], `
			SELECT state
			FROM signing_keys
			WHERE id = ?`, id)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && state == token.KeyRemoved:
			return fault.New(fault.NotFound, "there is no signing key %q", id)
		case err != nil:
			return err
		case state == token.KeyActive:
			return fault.New(fault.Conflict, "the key %s is the active one", id)
		}
		if _, err := c.exec(ctx, `
			UPDATE signing_keys
			SET state = ?, private = ''
			WHERE id = ?`, token.KeyRemoved, id); err != nil {
			return err
		}
		revoked, err = revokeTokens(ctx, c, tokenWhere(token.Filter{KeyID: id}, rec.Time), *rec)
		addDetail(rec, "tokens_revoked", strconv.Itoa(len(revoked)))
		return err
	})
	return unlessFailed(revoked, err)
}

// CountSigned implements token.KeyStore.
func (s *signingKeys) CountSigned(ctx context.Context, id string, at time.Time) (_ int, err error) {
	defer fault.Wrap(&err, "count tokens signed with %q", id)
	w := tokenWhere(token.Filter{KeyID: id}, at)
	return get(ctx, s.db.read(), scalar[int], `SELECT COUNT(*) FROM tokens`+w.String(), w.args...)
}

// statusCounter is the row of counters that says how many places in the status list have been given out.
const statusCounter = "token_status"

// ReserveStatusIndexes implements token.StatusStore. It is not audited: a place says nothing until a token has it.
func (s *signingKeys) ReserveStatusIndexes(ctx context.Context, n int) (first int64, err error) {
	defer fault.Wrap(&err, "reserve %d places in the status list", n)
	if n == 0 {
		given, err := get(ctx, s.db.read(), scalar[int64], `SELECT value FROM counters WHERE name = ?`, statusCounter)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return given + 1, err
	}
	err = s.db.update(ctx, func(c conn) error {
		given, err := get(ctx, c, scalar[int64], `
			INSERT INTO counters (name, value)
			VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE
			SET value = counters.value + excluded.value
			RETURNING value`, statusCounter, n)
		first = given - int64(n) + 1
		return err
	})
	return first, err
}

// RevokedIndexes implements token.StatusStore.
func (s *signingKeys) RevokedIndexes(ctx context.Context, at time.Time) (_ []int64, err error) {
	defer fault.Wrap(&err, "list revoked places of the status list")
	return list(ctx, s.db.read(), scalar[int64], `
		SELECT token_index
		FROM revocations
		WHERE token_index > 0 AND (token_expires = 0 OR token_expires > ?)`, micros(at))
}
