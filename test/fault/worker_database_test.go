package fault_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// databaseRounds returns how many times a worker writes one thing of each kind: enough for SQLite to move its log into the
// database in between. After half of them it closes the database and opens it again.
func databaseRounds() int { return pick(20, 50) }

// databaseFile is the name of the database in a worker's folder.
const databaseFile = "job.db"

// workDatabase writes to the database in dir and says of each thing whether it was acknowledged. An error is one that
// stays.
func workDatabase(dir string, say func(string, ...any)) error {
	ctx := context.Background()
	path := filepath.Join(dir, databaseFile)
	for half := range 2 {
		s, err := sqlite.Open(ctx, path, sqlite.Options{Readers: 1})
		if err != nil { // a fault that passes must not last
			say("open %d: %v", half, oneLine(err))
			if s, err = sqlite.Open(ctx, path, sqlite.Options{Readers: 1}); err != nil {
				return err
			}
		}
		say("open %d", half)
		for n := half * databaseRounds() / 2; n < (half+1)*databaseRounds()/2; n++ {
			writeRound(ctx, s, n, say)
		}
		if err := s.Close(); err != nil {
			say("close %d: %v", half, oneLine(err))
		}
	}
	return nil
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// noon is when everything happens in the workers' world.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func writeRound(ctx context.Context, s *sqlstore.Store, n int, say func(string, ...any)) {
	id := strconv.Itoa(n)
	record := func(action, object string) audit.Record {
		return audit.Record{Time: noon(), Actor: "worker", Action: action, Object: object}
	}
	u := identity.User{ID: identity.UserID("id" + id), Name: "u" + id, FullName: strings.Repeat("x", 500)}
	did := func(what, id string, err error) {
		if err != nil {
			say("%s %s: %s", what, id, oneLine(err))
			return
		}
		say("%s %s", what, id)
	}
	did("user", u.Name, s.Users().CreateUser(ctx, u, record("user.create", "user/"+u.Name)))
	tok := token.Token{
		ID: "t" + id, KeyID: "k1", Kind: token.KindService, UserID: u.ID, User: u.Name, IssuedBy: u.Name, IssuerID: u.ID,
		Issued: noon(), Expires: noon().Add(time.Hour),
	}
	err := s.Tokens().CreateToken(ctx, tok, nil, record("token.create", "token/"+tok.ID))
	did("token", tok.ID, err)
	if n%2 == 1 && err == nil { // the revocation of nothing is recorded, too
		ids, err := s.Tokens().RevokeTokens(ctx, token.Filter{ID: tok.ID, Live: noon()}, record("token.revoke", "token/"+tok.ID))
		if err == nil && len(ids) != 1 {
			err = fmt.Errorf("%d tokens revoked", len(ids))
		}
		did("revoke", tok.ID, err)
	}
	session := token.Session{Hash: "s" + id, UserID: u.ID, Created: noon(), Seen: noon(), Expires: noon().Add(time.Hour)}
	did("session", session.Hash, s.Sessions().CreateSession(ctx, session, 0, record("session.create", "session/"+session.Hash)))
	j := job.Job{JobID: int64(n), Cluster: "alpha", User: u.Name, State: job.Running, Start: noon()}
	dbID, err := s.Jobs().CreateJob(ctx, j)
	did("job", id, err)
	if n%2 == 1 && err == nil {
		did("stop", id, s.Jobs().StopJob(ctx, dbID, job.Completed, time.Minute))
	}
	did("audit", "x."+id, s.Audit().Append(ctx, record("x."+id, "")))
}
