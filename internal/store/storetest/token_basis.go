package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// testTokenBasis makes tokens on the basis of accounts that are no longer what they were.
func testTokenBasis(db Database) {
	t := db.t
	create := func(id string, basis ...identity.User) error {
		tok := sampleToken(id, basis[0], basis[len(basis)-1])
		return db.Store.Tokens().CreateToken(t.Context(), tok, basis, record("token.create", "token/"+id))
	}
	user, issuer := createUser(t, db.Store, "user"), createUser(t, db.Store, "issuer")
	must(t, create("good", user, issuer))
	must(t, create("by the command line", user, identity.User{Name: "root"}))
	before := len(trailOf(t, db.Store))

	changed := issuer
	changed.Roles, changed.Modified = []identity.Role{identity.RoleUser}, issuer.Modified.Add(time.Second)
	_, err := db.Store.Users().UpdateUser(t.Context(), changed, identity.End{}, record("user.update", "user/issuer"))
	must(t, err)
	wantKind(t, create("demoted issuer", user, issuer), fault.Conflict)
	wantKind(t, create("demoted user", issuer, user), fault.Conflict)
	must(t, create("decided anew", user, changed))

	changed.Disabled = true
	_, err = db.Store.Users().UpdateUser(t.Context(), changed, identity.End{Issued: true}, record("user.update", "user/issuer"))
	must(t, err)
	wantKind(t, create("disabled issuer", user, changed), fault.Denied)
	wantKind(t, create("disabled user", changed, user), fault.Denied)
	_, err = db.Store.Users().DeleteUser(t.Context(), user.ID, record("user.delete", "user/user"))
	must(t, err)
	wantKind(t, create("deleted user", user, identity.User{}), fault.NotFound)

	if after := len(trailOf(t, db.Store)); after != before+4 {
		t.Errorf("%d audit records, want %d: what was refused is in the trail", after, before+4)
	}
	all, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{})
	must(t, err)
	if len(all) != 3 {
		t.Errorf("the tokens are %v", tokenIDs(all))
	}
}

// testTokenBasisRace mints for an account while it is disabled and enabled: no token lives that was made before the last
// time it was disabled.
func testTokenBasisRace(db Database) {
	t := db.t
	u := createUser(t, db.Store, "user")
	var mu sync.Mutex // guards all below
	current, rounds, made := u, 0, map[string]int{}
	now := func() (identity.User, int) {
		mu.Lock()
		defer mu.Unlock()
		return current, rounds
	}
	var done bool
	mint := func(ctx context.Context) error {
		for n := 0; ; n++ {
			basis, round := now()
			id := fmt.Sprintf("%p-%d", &n, n)
			err := db.Store.Tokens().CreateToken(ctx, sampleToken(id, u, u), []identity.User{basis, basis}, record("token.create", id))
			if err != nil && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Conflict) {
				return err
			}
			mu.Lock()
			if err == nil {
				made[id] = round
			}
			over := done
			mu.Unlock()
			if over {
				return nil
			}
		}
	}
	toggle := func(ctx context.Context) error {
		defer func() {
			mu.Lock()
			done = true
			mu.Unlock()
		}()
		next, _ := now()
		for i := range 40 {
			next.Disabled, next.Modified = i%2 == 0, next.Modified.Add(time.Second)
			if _, err := db.Store.Users().UpdateUser(ctx, next, identity.End{Own: next.Disabled}, record("user.update", "user/user")); err != nil {
				return err
			}
			mu.Lock()
			current, rounds = next, i+1
			mu.Unlock()
		}
		return nil
	}
	must(t, run.Tasks(t.Context(), toggle, mint, mint))
	live, err := db.Store.Tokens().ListTokens(t.Context(), token.Filter{Live: noon()})
	must(t, err)
	for _, tok := range live {
		if made[tok.ID] < rounds {
			t.Errorf("token %s of round %d of %d lives", tok.ID, made[tok.ID], rounds)
		}
	}
	trailOf(t, db.Store)
}
