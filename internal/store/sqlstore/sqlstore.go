// Package sqlstore keeps users, tokens, sessions, jobs, nodes and the audit trail in an SQL database.
//
// All SQL is here, one file a noun, in the subset that the databases share; dialect.go is the only place that knows in
// what they differ. Opening, pragmas and migrations belong to the package of the database, such as store/sqlite.
//
// There is one connection that writes, and a pool of connections that only read. A change and its audit record are one
// transaction on the writing connection, so a change without record, or a record without change, cannot be stored.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/node"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
	"github.com/bridgehead-hpc/bridgehead/internal/trail"
)

// Store is an open database.
type Store struct{ db *database }

// New returns a store over two handles of the same, migrated database. Transactions on writer must exclude each other
// from their beginning; reader is never written to. The store closes both.
func New(d Dialect, writer, reader *sql.DB) *Store {
	return &Store{&database{dialect: d, writer: writer, reader: reader}}
}

// Users returns the store of users.
func (s *Store) Users() identity.Store { return &users{s.db} }

// Bindings returns the store of the people at other systems to whom users belong.
func (s *Store) Bindings() identity.BindingStore { return &users{s.db} }

// Roles returns the store of this site's roles.
func (s *Store) Roles() identity.RoleStore { return &roles{s.db} }

// Factors returns the store of second factors.
func (s *Store) Factors() identity.FactorStore { return &factors{s.db} }

// Tokens returns the store of token records.
func (s *Store) Tokens() token.Store { return &tokens{s.db} }

// SigningKeys returns the store of the keys that sign tokens.
func (s *Store) SigningKeys() token.KeyStore { return &signingKeys{s.db} }

// StatusList returns the store of what the status list says.
func (s *Store) StatusList() token.StatusStore { return &signingKeys{s.db} }

// Sessions returns the store of sessions.
func (s *Store) Sessions() token.SessionStore { return &sessions{s.db} }

// Jobs returns the store of jobs and tags.
func (s *Store) Jobs() job.Store { return &jobs{s.db} }

// Nodes returns the store of nodes and attribute groups.
func (s *Store) Nodes() node.Store { return &nodes{s.db} }

// Audit returns the audit trail for its writers.
func (s *Store) Audit() audit.Log { return &auditTrail{s.db} }

// Trail returns the audit trail for its readers and receivers.
func (s *Store) Trail() trail.Store { return &auditTrail{s.db} }

// Refresh lets the database renew what it knows of the distribution of values. It is quick. A server calls it once a day:
// a plan that was good for ten jobs is bad for a hundred thousand.
func (s *Store) Refresh(ctx context.Context) error {
	if _, err := s.db.writer.ExecContext(ctx, s.db.dialect.Analyze); err != nil {
		return fmt.Errorf("refresh statistics: %w", s.db.dialect.fault(err))
	}
	return nil
}

// Ping returns nil when the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.db.reader.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %w", s.db.dialect.fault(err))
	}
	return nil
}

// Close closes the database. Calls under way fail. The writing connection goes last, since it is the one that tidies up.
func (s *Store) Close() error {
	return errors.Join(s.db.reader.Close(), s.db.writer.Close())
}
