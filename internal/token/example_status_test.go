package token_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// A head rotates its keys and revokes a token. A verifier elsewhere that began with one public key follows both, with
// nothing but the signed list.
func ExampleVerifier_VerifyStatusList() {
	head, keys, clk := exampleHead()
	ctx, admin := context.Background(), identity.Local("root")

	infos, err := keys.List(ctx, admin)
	check(err)
	ring, err := token.ParseKeys(infos[0].Raw(), "") // what the operator has put into the verifier's configuration
	check(err)
	elsewhere := token.NewVerifier(token.VerifierConfig{Keys: ring, Clock: clk})
	follow := func() *token.StatusList {
		text, _, err := head.StatusList(ctx)
		check(err)
		list, err := elsewhere.VerifyStatusList(text)
		check(err)
		ring.Follow(list)
		return list
	}

	list := follow()
	_, err = keys.Rotate(ctx, admin)
	check(err)
	m, err := head.Mint(ctx, admin, token.MintRequest{For: "collector", Kind: token.KindService})
	check(err)
	claims, err := elsewhere.Verify(m.Text) // signed with a key that the list has announced
	fmt.Println(claims.Subject, err, list.Revoked(claims.StatusIndex))

	_, err = head.Revoke(ctx, admin, token.Filter{ID: m.ID})
	check(err)
	fmt.Println(follow().Revoked(claims.StatusIndex), len(ring.IDs()), "keys")
	// Output:
	// collector <nil> false
	// true 3 keys
}

// exampleHead is the token side of a head with one account.
func exampleHead() (*token.Service, *token.Keys, clock.Clock) {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }() // the database stays open and usable
	store, err := sqlite.Open(context.Background(), filepath.Join(dir, "test.db"), sqlite.Options{})
	check(err)
	public, private, err := token.GenerateKeys(strings.NewReader("thirty-two bytes of no randomness"))
	check(err)
	box, err := seal.New([]byte("thirty-two bytes of session key."), token.SealPurpose)
	check(err)
	clk := clock.NewManual(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC))
	keys, err := token.OpenKeys(context.Background(), token.KeysConfig{Store: store.SigningKeys(), Clock: clk, Box: box, Public: public, Private: private})
	check(err)
	users := identity.New(identity.Config{Store: store.Users(), Roles: identity.DefaultRoles(), Hasher: hasher{}, Clock: clk})
	_, err = users.Create(context.Background(), identity.Local("root"), identity.NewUser{Name: "collector", Roles: []identity.Role{identity.RoleAPI}})
	check(err)
	verifier := token.NewVerifier(token.VerifierConfig{Keys: keys.Ring(), Clock: clk})
	head, err := token.NewService(context.Background(), token.ServiceConfig{
		Keys: keys.Ring(), Signing: keys, Verifier: verifier, Store: store.Tokens(), Users: users, Clock: clk, Status: store.StatusList(),
	})
	check(err)
	return head, keys, clk
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
