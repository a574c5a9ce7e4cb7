package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
)

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	store, err := sqlite.Open(ctx, filepath.Join(dir, "bridgehead.db"), sqlite.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	alice := identity.User{ID: "0123456789abcdef0123456789abcdef", Name: "alice"}
	record := audit.Record{Actor: "root", Action: "user.create", Object: "user/alice", Outcome: audit.Done}
	fmt.Println(store.Users().CreateUser(ctx, alice, record))
	fmt.Println(store.Users().CreateUser(ctx, alice, record))

	trail, err := store.Audit().List(ctx, audit.Filter{})
	fmt.Println(len(trail), trail[0].Seq, trail[0].Action, err)
	// Output:
	// <nil>
	// create user "alice": there is a user "alice" already: it exists already: constraint failed: UNIQUE constraint failed: users.name (2067)
	// 1 1 user.create <nil>
}
