package storetest

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
)

func bindingTests() map[string]func(db Database) {
	return map[string]func(db Database){
		"BoundIsFoundUntilUnboundOrDeleted": testBinding,
		"OneUserOneBinding":                 testBindingConflict,
	}
}

func testBinding(db Database) {
	t, s := db.t, db.Store.Bindings()
	alice, bob := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	a, b := identity.Binding{Issuer: "https://idp", Subject: "a"}, identity.Binding{Issuer: "https://idp", Subject: "b"}
	must(t, s.BindUser(t.Context(), alice.ID, a, record("user.bind", "user/alice")))
	wantLast(t, db.Store, "user.bind")
	must(t, s.BindUser(t.Context(), bob.ID, b, record("user.bind", "user/bob")))
	got, err := s.GetBoundUser(t.Context(), a)
	must(t, err)
	same(t, "user", got, alice)
	for _, other := range []identity.Binding{{Issuer: "https://idp", Subject: "A"}, {Issuer: "https://other", Subject: "a"}, {}} {
		_, err := s.GetBoundUser(t.Context(), other)
		wantKind(t, err, fault.NotFound)
	}
	must(t, s.UnbindUser(t.Context(), alice.ID, record("user.unbind", "user/alice")))
	wantLast(t, db.Store, "user.unbind")
	wantKind(t, s.UnbindUser(t.Context(), alice.ID, record("user.unbind", "user/alice")), fault.NotFound)
	deleteUser(t, db.Store, bob)
	for _, gone := range []identity.Binding{a, b} {
		_, err := s.GetBoundUser(t.Context(), gone)
		wantKind(t, err, fault.NotFound)
	}
	must(t, s.BindUser(t.Context(), alice.ID, b, record("user.bind", "user/alice")))
}

func testBindingConflict(db Database) {
	t, s := db.t, db.Store.Bindings()
	alice, bob := createUser(t, db.Store, "alice"), createUser(t, db.Store, "bob")
	a := identity.Binding{Issuer: "https://idp", Subject: "a"}
	must(t, s.BindUser(t.Context(), alice.ID, a, record("user.bind", "user/alice")))
	before := len(trailOf(t, db.Store))
	wantKind(t, s.BindUser(t.Context(), bob.ID, a, record("user.bind", "user/bob")), fault.Conflict)
	wantKind(t, s.BindUser(t.Context(), alice.ID, identity.Binding{Issuer: "https://idp", Subject: "b"}, record("user.bind", "user/alice")), fault.Conflict)
	wantKind(t, s.BindUser(t.Context(), "nobody", identity.Binding{Issuer: "https://idp", Subject: "c"}, record("user.bind", "user/x")), fault.NotFound)
	if after := len(trailOf(t, db.Store)); after != before {
		t.Errorf("%d records of what did not happen", after-before)
	}
}

// bindingChanges needs a user who is not bound, and one who is.
func bindingChanges(s *sqlstore.Store, user, bound identity.UserID, rec audit.Record) []attempt {
	return []attempt{
		{"BindUser", func(ctx context.Context) error {
			return s.Bindings().BindUser(ctx, user, identity.Binding{Issuer: "https://idp", Subject: "a"}, rec)
		}},
		{"UnbindUser", func(ctx context.Context) error { return s.Bindings().UnbindUser(ctx, bound, rec) }},
	}
}
