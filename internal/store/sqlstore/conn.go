package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// database is the pair of handles that the stores of all nouns share.
type database struct {
	dialect Dialect
	writer  *sql.DB
	reader  *sql.DB
	// appended rings when audit records have been committed.
	appended bell
}

// read returns a connection for a single query.
func (db *database) read() conn { return conn{q: db.reader, dialect: db.dialect} }

// view runs f in one transaction that only reads: all its queries see the same state.
func (db *database) view(ctx context.Context, f func(c conn) error) error {
	return db.transact(ctx, db.reader, &sql.TxOptions{ReadOnly: true}, f)
}

// update runs f in one transaction that may write. Whatever f returns as error undoes all of it.
func (db *database) update(ctx context.Context, f func(c conn) error) error {
	return db.transact(ctx, db.writer, nil, f)
}

// change is update with an audit record, which f may complete.
func (db *database) change(ctx context.Context, rec audit.Record, f func(c conn, rec *audit.Record) error) error {
	return db.update(ctx, func(c conn) error {
		if err := f(c, &rec); err != nil {
			return err
		}
		return appendRecord(ctx, c, rec)
	})
}

func (db *database) transact(ctx context.Context, on *sql.DB, opts *sql.TxOptions, f func(c conn) error) error {
	tx, err := on.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", db.dialect.fault(err))
	}
	defer tx.Rollback() // after a commit it does nothing
	var recorded bool
	if err := f(conn{tx, db.dialect, &recorded}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", db.dialect.fault(err))
	}
	if recorded {
		db.appended.ring()
	}
	return nil
}

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// conn runs statements, in a transaction or outside, and gives their errors a kind.
type conn struct {
	q        querier
	dialect  Dialect
	recorded *bool // set when the transaction has appended an audit record; nil outside one
}

// exec runs a statement and returns how many rows it changed.
func (c conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := c.q.ExecContext(ctx, c.dialect.rebind(query), args...)
	if err != nil {
		return 0, c.dialect.fault(err)
	}
	return res.RowsAffected()
}

// row is one row of an answer.
type row interface {
	Scan(dest ...any) error
}

// list returns what scan makes of each row.
func list[T any](ctx context.Context, c conn, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := c.q.QueryContext(ctx, c.dialect.rebind(query), args...)
	if err != nil {
		return nil, c.dialect.fault(err)
	}
	defer func() { _ = rows.Close() }() // what went wrong is in rows.Err
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, c.dialect.fault(rows.Err())
}

// get returns what scan makes of the first row; sql.ErrNoRows when there is none.
func get[T any](ctx context.Context, c conn, scan func(row) (T, error), query string, args ...any) (T, error) {
	var none T
	all, err := list(ctx, c, scan, query, args...)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, sql.ErrNoRows
	}
	return all[0], nil
}

// scalar scans a row of one column.
func scalar[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}
