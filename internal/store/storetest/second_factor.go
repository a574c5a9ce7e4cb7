package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func factorTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"ComesBackAsWritten":          testFactorRoundTrip,
		"UnknownIsNotFound":           testFactorNotFound,
		"ConfirmedIsNotReplaced":      testFactorReplace,
		"OnlyTheSameSecretConfirmed":  testFactorConfirm,
		"StepIsGoodOnce":              testFactorStep,
		"RecoveryCodeIsGoodOnce":      testFactorRecovery,
		"GoesWithItsUser":             testFactorOfDeleted,
		"OneOfManyTakesTheSameCode":   testFactorRace,
		"ConfirmedOnesAreListed":      testFactorList,
		"DeletedIsGoneAndMayComeBack": testFactorDelete,
	}
}

// confirmed gives a user a second factor that works.
func confirmed(t *testing.T, s *sqlstore.Store, id identity.UserID) identity.SecondFactor {
	t.Helper()
	f := identity.SecondFactor{UserID: id, Secret: "sealed"}
	must(t, s.Factors().BeginFactor(t.Context(), f, record("factor.begin", "user/x")))
	f.Confirmed, f.LastStep, f.Recovery = true, 100, []string{"a", "b"}
	f.Since = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	must(t, s.Factors().ConfirmFactor(t.Context(), f, record("factor.confirm", "user/x")))
	return f
}

func testFactorRoundTrip(db Database) {
	t := db.t
	id := createUser(t, db.Store, "alice").ID
	begun := identity.SecondFactor{UserID: id, Secret: "first", Recovery: []string{}}
	must(t, db.Store.Factors().BeginFactor(t.Context(), begun, record("factor.begin", "user/alice")))
	got, err := db.Store.Factors().GetFactor(t.Context(), id)
	must(t, err)
	same(t, "factors", got, begun)
	wantLast(t, db.Store, "factor.begin")
	want := confirmed(t, db.Store, id)
	got, err = db.Reopen().Factors().GetFactor(t.Context(), id)
	must(t, err)
	same(t, "factors", got, want)
}

func testFactorNotFound(db Database) {
	t := db.t
	id, f := createUser(t, db.Store, "alice").ID, db.Store.Factors()
	_, err := f.GetFactor(t.Context(), id)
	wantKind(t, err, fault.NotFound)
	wantKind(t, f.DeleteFactor(t.Context(), id, record("factor.delete", "x")), fault.NotFound)
	wantKind(t, f.TakeRecovery(t.Context(), id, "a", record("factor.recovery", "x")), fault.NotFound)
	wantKind(t, f.BeginFactor(t.Context(), identity.SecondFactor{UserID: "nobody"}, record("factor.begin", "x")), fault.NotFound)
	wantKind(t, f.TakeStep(t.Context(), id, 1), fault.Conflict)
	wantLast(t, db.Store, "user.create")
}

func testFactorReplace(db Database) {
	t := db.t
	id := createUser(t, db.Store, "alice").ID
	confirmed(t, db.Store, id)
	other := identity.SecondFactor{UserID: id, Secret: "other"}
	wantKind(t, db.Store.Factors().BeginFactor(t.Context(), other, record("factor.begin", "x")), fault.Conflict)
	wantLast(t, db.Store, "factor.confirm")
}

func testFactorConfirm(db Database) {
	t := db.t
	id, f := createUser(t, db.Store, "alice").ID, db.Store.Factors()
	must(t, f.BeginFactor(t.Context(), identity.SecondFactor{UserID: id, Secret: "old"}, record("factor.begin", "x")))
	must(t, f.BeginFactor(t.Context(), identity.SecondFactor{UserID: id, Secret: "new"}, record("factor.begin", "x")))
	wantKind(t, f.TakeStep(t.Context(), id, 1), fault.Conflict) // not before it is confirmed
	wantKind(t, f.ConfirmFactor(t.Context(), identity.SecondFactor{UserID: id, Secret: "old"}, record("factor.confirm", "x")), fault.Conflict)
	must(t, f.ConfirmFactor(t.Context(), identity.SecondFactor{UserID: id, Secret: "new"}, record("factor.confirm", "x")))
	wantKind(t, f.ConfirmFactor(t.Context(), identity.SecondFactor{UserID: id, Secret: "new"}, record("factor.confirm", "x")), fault.Conflict)
}

func testFactorList(db Database) {
	t := db.t
	alice, bob, f := createUser(t, db.Store, "alice").ID, createUser(t, db.Store, "bob").ID, db.Store.Factors()
	want := confirmed(t, db.Store, alice)
	want.Secret, want.Recovery = "", []string{}
	must(t, f.BeginFactor(t.Context(), identity.SecondFactor{UserID: bob, Secret: "sealed"}, record("factor.begin", "x")))
	got, err := f.ListFactors(t.Context())
	must(t, err)
	same(t, "factors", got, []identity.SecondFactor{want})
	must(t, f.ConfirmFactor(t.Context(), identity.SecondFactor{UserID: bob, Secret: "sealed"}, record("factor.confirm", "x")))
	noTime, err := f.GetFactor(t.Context(), bob)
	must(t, err)
	if !noTime.Confirmed || !noTime.Since.IsZero() {
		t.Errorf("confirmed without a time: %+v", noTime)
	}
	got, err = f.ListFactors(t.Context())
	must(t, err)
	if len(got) != 2 {
		t.Errorf("%d are listed, want 2", len(got))
	}
}

func testFactorStep(db Database) {
	t := db.t
	id, f := createUser(t, db.Store, "alice").ID, db.Store.Factors()
	confirmed(t, db.Store, id)
	for _, c := range []struct {
		step int64
		ok   bool
	}{{100, false}, {99, false}, {101, true}, {101, false}, {100, false}, {103, true}, {102, false}} {
		if err := f.TakeStep(t.Context(), id, c.step); (err == nil) != c.ok {
			t.Errorf("step %d: %v", c.step, err)
		}
	}
}

func testFactorRecovery(db Database) {
	t := db.t
	id, f := createUser(t, db.Store, "alice").ID, db.Store.Factors()
	confirmed(t, db.Store, id)
	must(t, f.TakeRecovery(t.Context(), id, "a", record("factor.recovery", "user/alice")))
	wantLast(t, db.Store, "factor.recovery")
	wantKind(t, f.TakeRecovery(t.Context(), id, "a", record("factor.recovery", "user/alice")), fault.Conflict)
	got, err := f.GetFactor(t.Context(), id)
	must(t, err)
	same(t, "recovery codes", got.Recovery, []string{"b"})
}

func testFactorOfDeleted(db Database) {
	t := db.t
	id := createUser(t, db.Store, "alice").ID
	confirmed(t, db.Store, id)
	_, err := db.Store.Users().DeleteUser(t.Context(), id, record("user.delete", "user/alice"))
	must(t, err)
	_, err = db.Store.Factors().GetFactor(t.Context(), id)
	wantKind(t, err, fault.NotFound)
}

func testFactorRace(db Database) {
	t := db.t
	id, f := createUser(t, db.Store, "alice").ID, db.Store.Factors()
	confirmed(t, db.Store, id)
	var good atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if f.TakeStep(t.Context(), id, 200) == nil {
				good.Add(1)
			}
			if f.TakeRecovery(t.Context(), id, "b", record("factor.recovery", "x")) == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 2 {
		t.Errorf("two codes were good %d times", good.Load())
	}
}

func testFactorDelete(db Database) {
	t := db.t
	id := createUser(t, db.Store, "alice").ID
	confirmed(t, db.Store, id)
	must(t, db.Store.Factors().DeleteFactor(t.Context(), id, record("factor.delete", "user/alice")))
	wantLast(t, db.Store, "factor.delete")
	confirmed(t, db.Store, id)
}
