package token_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlstore"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// site is a head's keys and tokens on a database, as often as it is started.
type site struct {
	tb    tb
	ctx   context.Context
	store *sqlstore.Store
	clock *clock.Manual
	env   pair

	keys     *token.Keys
	verifier *token.Verifier
	tokens   *token.Service
}

func newSite(t *testing.T) *site {
	t.Helper()
	return openSite(t.Context(), t, t, filepath.Join(t.TempDir(), "test.db"))
}

func openSite(ctx context.Context, t *testing.T, tb tb, path string) *site {
	t.Helper()
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := &site{tb: tb, ctx: ctx, store: store, clock: clock.NewManual(start), env: newPair(t, "e")}
	s.start("a session key of this site")
	users := identity.New(identity.Config{Store: store.Users(), Roles: identity.DefaultRoles(), Hasher: hasher{}, Clock: s.clock})
	if _, err := users.Create(ctx, root, identity.NewUser{Name: "ann", Roles: []identity.Role{identity.RoleAPI}, Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	return s
}

// start is a restart with the pair of the environment and that session key.
func (s *site) start(sessionKey string) {
	s.tb.Helper()
	box, err := seal.New([]byte(sessionKey), token.SealPurpose)
	s.check(err)
	s.keys, err = token.OpenKeys(s.ctx, token.KeysConfig{Store: s.store.SigningKeys(), Clock: s.clock, Box: box, Public: s.env.public, Private: s.env.private})
	s.check(err)
	s.verifier = token.NewVerifier(token.VerifierConfig{Keys: s.keys.Ring(), Clock: s.clock})
	users := identity.New(identity.Config{Store: s.store.Users(), Roles: identity.DefaultRoles(), Hasher: hasher{}, Clock: s.clock})
	s.tokens, err = token.NewService(s.ctx, token.ServiceConfig{
		Keys: s.keys.Ring(), Signing: s.keys, Verifier: s.verifier, Store: s.store.Tokens(), Users: users, Clock: s.clock, Status: s.store.StatusList(),
	})
	s.check(err)
}

func (s *site) check(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("%v", err)
	}
}

func (s *site) mint() token.Minted {
	s.tb.Helper()
	m, err := s.tokens.Mint(s.ctx, root, token.MintRequest{For: "ann", Kind: token.KindService, Lifetime: 30 * 24 * time.Hour})
	s.check(err)
	return m
}

func (s *site) rotate() token.KeyInfo {
	s.tb.Helper()
	s.clock.Advance(time.Second)
	k, err := s.keys.Rotate(s.ctx, root)
	s.check(err)
	return k
}

func (s *site) list() []token.KeyInfo {
	s.tb.Helper()
	list, err := s.keys.List(s.ctx, root)
	s.check(err)
	return list
}

// states returns how many keys are in each state.
func (s *site) states() map[token.KeyState]int {
	s.tb.Helper()
	n := map[token.KeyState]int{}
	for _, k := range s.list() {
		n[k.State]++
	}
	return n
}

func (s *site) enters(text string) error {
	_, err := s.tokens.Authenticate(s.ctx, text, "192.0.2.7", "r")
	return err
}

func TestEnvironmentBeginsAndNextIsPublished(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	keys := s.list()
	if len(keys) != 2 || keys[0].ID() != s.env.ring.ID() || keys[0].State != token.KeyActive || keys[0].Origin != token.KeyFromEnvironment ||
		keys[1].State != token.KeyNext || keys[1].Origin != token.KeyGenerated || !keys[0].Signs || !keys[1].Signs {
		t.Fatalf("keys are %+v", keys)
	}
	if keys[0].CanSign() || keys[1].CanSign() {
		t.Error("what people see holds private halves")
	}
	next := keys[1].ID()
	s.start("a session key of this site")
	if keys := s.list(); len(keys) != 2 || keys[1].ID() != next {
		t.Errorf("a restart changed the keys to %+v", keys)
	}
	recs, err := s.store.Audit().List(t.Context(), audit.Filter{Action: "key."})
	if err != nil || len(recs) != 1 || recs[0].Action != "key.activate" || recs[0].Object != "key/"+s.env.ring.ID() {
		t.Errorf("trail: %+v, %v", recs, err)
	}
}

func TestRetiredKeysStillVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old, next := s.mint(), s.list()[1].ID()
	if k := s.rotate(); k.ID() != next || k.State != token.KeyActive || s.keys.Ring().ID() != next {
		t.Errorf("rotated to %+v, want %s", k, next)
	}
	fresh := s.mint()
	if fresh.KeyID != next || old.KeyID == next {
		t.Errorf("signed with %s and %s", old.KeyID, fresh.KeyID)
	}
	for what, m := range map[string]token.Minted{"old": old, "fresh": fresh} {
		if err := s.enters(m.Text); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := s.states(); n[token.KeyActive] != 1 || n[token.KeyRetired] != 1 || n[token.KeyNext] != 1 {
		t.Errorf("states are %v", n)
	}
}

func TestRemovedKeysTakeTheirTokensWithThem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old, env := s.mint(), s.env.ring.ID()
	foreign := s.env.sign(`{"alg":"EdDSA","typ":"JWT"}`, `{"sub":"ann","exp":1900000000}`)
	s.rotate()
	fresh := s.mint()
	for _, text := range []string{old.Text, foreign} { // into the cache
		s.check(s.enters(text))
	}
	if n, err := s.keys.Remove(t.Context(), root, token.Removal{ID: env, DryRun: true}); n != 1 || err != nil {
		t.Errorf("dry run: %d, %v", n, err)
	}
	_, err := s.keys.Remove(t.Context(), root, token.Removal{ID: env})
	fails(t, "unconfirmed", err, fault.Invalid)
	s.check(s.enters(old.Text))
	if n, err := s.keys.Remove(t.Context(), root, token.Removal{ID: env, Confirmed: true}); n != 1 || err != nil {
		t.Errorf("remove: %d, %v", n, err)
	}
	refused(t, "old", s.enters(old.Text), "no key with that kid")
	refused(t, "foreign", s.enters(foreign), "signature")
	s.check(s.enters(fresh.Text))
	if rec, err := s.store.Tokens().GetToken(t.Context(), old.ID); err != nil || rec.Revoked.IsZero() {
		t.Errorf("the record says %+v, %v", rec, err)
	}

	// The operator has not taken it out of the environment, and it does not come back.
	s.start("a session key of this site")
	refused(t, "old after restart", s.enters(old.Text), "no key with that kid")
	_, err = s.keys.Import(t.Context(), root, []byte(s.env.private), token.KeyRetired)
	fails(t, "import of a removed key", err, fault.Conflict)
	_, err = s.keys.Remove(t.Context(), root, token.Removal{ID: env, Confirmed: true})
	fails(t, "remove it again", err, fault.NotFound)
}

func TestActiveKeyCannotBeRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.keys.Remove(t.Context(), root, token.Removal{ID: s.keys.Ring().ID(), Confirmed: true})
	fails(t, "active", err, fault.Conflict)
	next := s.list()[1].ID()
	if n, err := s.keys.Remove(t.Context(), root, token.Removal{ID: next, Confirmed: true}); n != 0 || err != nil {
		t.Errorf("next: %d, %v", n, err)
	}
	if k := s.rotate(); k.ID() == next {
		t.Error("the removed key signs")
	}
}

func TestFreshPairInTheEnvironmentBecomesActive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.mint()
	s.clock.Advance(time.Hour)
	s.env = newPair(t, "f")
	s.start("a session key of this site")
	if s.keys.Ring().ID() != s.env.ring.ID() || s.mint().KeyID != s.env.ring.ID() {
		t.Error("the new pair does not sign")
	}
	s.check(s.enters(old.Text))

	// A pair that is known keeps its state: going back is no rotation.
	s.env = newPair(t, "e")
	s.start("a session key of this site")
	if s.keys.Ring().ID() != newPair(t, "f").ring.ID() {
		t.Error("a retired pair signs again")
	}
	if p := s.keys.Problem(); !strings.Contains(p, "JWT_PRIVATE_KEY") {
		t.Errorf("the problem is %q", p)
	}
}

func TestLostSessionKeyLeavesKeysThatVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rotate()
	m := s.mint()
	s.start("another session key, by mistake")
	s.check(s.enters(m.Text))
	if p := s.keys.Problem(); !strings.Contains(p, "SESSION_KEY") || strings.Contains(p, "\n") {
		t.Errorf("the problem is %q", p)
	}
	_, err := s.tokens.Mint(t.Context(), root, token.MintRequest{For: "ann"})
	fails(t, "mint", err, fault.Unavailable)

	s.rotate()
	if p := s.keys.Problem(); p != "" {
		t.Errorf("after a rotation the problem is %q", p)
	}
	s.check(s.enters(s.mint().Text))
	s.check(s.enters(m.Text))
}

func TestImportedKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	elsewhere, nextOne := newPair(t, "x"), newPair(t, "y")
	foreign := elsewhere.sign(`{"alg":"EdDSA","typ":"JWT"}`, `{"sub":"ann","exp":1900000000}`)
	refused(t, "before", s.enters(foreign), "signature")
	if k, err := s.keys.Import(t.Context(), root, []byte(elsewhere.public), token.KeyRetired); err != nil || k.State != token.KeyRetired || k.Signs {
		t.Errorf("got %+v, %v", k, err)
	}
	s.check(s.enters(foreign))

	s.clock.Advance(time.Second)
	if k, err := s.keys.Import(t.Context(), root, []byte(nextOne.private), token.KeyNext); err != nil || !k.Signs || k.Origin != token.KeyImported {
		t.Errorf("got %+v, %v", k, err)
	}
	for what, c := range map[string]struct {
		text string
		as   token.KeyState
		kind fault.Kind
	}{
		"public as next": {newPair(t, "z").public, token.KeyNext, fault.Invalid},
		"as active":      {newPair(t, "z").private, token.KeyActive, fault.Invalid},
		"as removed":     {newPair(t, "z").private, token.KeyRemoved, fault.Invalid},
		"no key":         {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", token.KeyRetired, fault.Invalid},
		"twice":          {elsewhere.public, token.KeyRetired, fault.Conflict},
		"the active one": {s.env.private, token.KeyNext, fault.Conflict},
	} {
		_, err := s.keys.Import(t.Context(), root, []byte(c.text), c.as)
		fails(t, what, err, c.kind)
	}
	s.rotate() // to the generated one, which is older
	if k := s.rotate(); k.ID() != nextOne.ring.ID() {
		t.Errorf("rotated to %s", k.ID())
	}
	s.check(s.enters(s.mint().Text))
}

func TestKeysAreForWholeCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manager := root
	manager.Permissions = identity.SetOf(identity.CertsRead, identity.CertsWrite)
	reader := root
	reader.Permissions = identity.SetOf(identity.CertsRead)
	nobody := root
	nobody.Permissions = identity.SetOf(identity.AdminsWrite)
	acting := root
	acting.Actor = &identity.Actor{Name: "bob"}
	narrowed := root
	narrowed.Narrowed = true

	calls := map[string]func(c identity.Caller) error{
		"rotate": func(c identity.Caller) error { _, err := s.keys.Rotate(s.ctx, c); return err },
		"import": func(c identity.Caller) error {
			_, err := s.keys.Import(s.ctx, c, []byte(newPair(t, "q").public), token.KeyRetired)
			return err
		},
		"remove": func(c identity.Caller) error {
			_, err := s.keys.Remove(s.ctx, c, token.Removal{ID: s.env.ring.ID(), DryRun: true})
			return err
		},
	}
	for what, call := range calls {
		for _, c := range []identity.Caller{reader, nobody, acting, narrowed} {
			fails(t, what, call(c), fault.Denied)
		}
	}
	fails(t, "import without all permissions", calls["import"](manager), fault.Denied)
	_, err := s.keys.List(s.ctx, nobody)
	fails(t, "list", err, fault.Denied)
	if _, err := s.keys.List(s.ctx, reader); err != nil {
		t.Error(err)
	}
	if _, err := s.keys.Rotate(s.ctx, manager); err != nil {
		t.Error(err)
	}
}

// TestOtherProgramsSeeChanges has two programs on one database.
func TestOtherProgramsSeeChanges(t *testing.T) {
	t.Parallel()
	a := newSite(t)
	b := *a
	b.start("a session key of this site")
	a.rotate()
	m := a.mint() // with a key that b knows already, as the next
	b.check(b.enters(m.Text))
	b.check(b.keys.Renew(t.Context()))
	if a.keys.Ring().ID() != b.keys.Ring().ID() {
		t.Error("a look at the table does not show the rotation")
	}

	a.rotate()
	a.rotate() // the key that signs now was made after b had looked
	m = a.mint()
	b.check(b.enters(m.Text))

	// One look in ten seconds, whoever asks.
	a.rotate()
	a.rotate()
	m = a.mint()
	refused(t, "too soon for another look", b.enters(m.Text), "no key with that kid")
	b.clock.Advance(10 * time.Second)
	b.check(b.enters(m.Text))

	_, err := b.keys.Remove(t.Context(), root, token.Removal{ID: a.env.ring.ID(), Confirmed: true})
	b.check(err)
	a.check(a.keys.Renew(t.Context()))
	if slices.Contains(a.keys.Ring().IDs(), a.env.ring.ID()) {
		t.Error("a key that another program removed is still there")
	}
}

func TestNoPrivateKeyInTheDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	imported := newPair(t, "y")
	_, err := s.keys.Import(t.Context(), root, []byte(imported.private), token.KeyNext)
	s.check(err)
	s.rotate()
	all, err := s.store.SigningKeys().ListKeys(t.Context())
	s.check(err)
	for _, k := range all {
		for _, p := range []pair{s.env, imported} {
			seed := p.signer[:ed25519.SeedSize]
			if strings.Contains(k.Sealed, p.private[:40]) || bytes.Contains([]byte(k.Sealed), seed) || strings.Contains(k.Sealed, base64.StdEncoding.EncodeToString(seed)[:40]) {
				t.Errorf("the record of %s has a private half", k.ID)
			}
		}
		if k.Origin == token.KeyFromEnvironment && k.Sealed != "" {
			t.Error("the private half of the environment's pair is kept")
		}
	}
	info := s.list()[0]
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if text := fmt.Sprintf(verb, info.Key); text != info.ID() {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// TestAnySequenceKeepsTheRules does anything to keys in any order.
func TestAnySequenceKeepsTheRules(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		s := openSite(t.Context(), t, r, filepath.Join(dir, fmt.Sprintf("%d.db", n)))
		defer s.store.Close()
		m := &keyModel{site: s, removed: map[string]bool{}}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			m.step(r)
			m.holds(r)
		}
	})
}

// keyModel is what has to be true of a site's keys.
type keyModel struct {
	*site
	minted  []token.Minted
	removed map[string]bool
	made    int
}

func (m *keyModel) step(r *rapid.T) {
	m.clock.Advance(time.Second)
	switch rapid.SampledFrom([]string{"mint", "rotate", "import next", "import retired", "remove", "restart", "new pair"}).Draw(r, "step") {
	case "mint":
		m.minted = append(m.minted, m.mint())
	case "rotate":
		m.rotate()
	case "import next":
		m.bring(r, token.KeyNext)
	case "import retired":
		m.bring(r, token.KeyRetired)
	case "remove":
		k := rapid.SampledFrom(m.list()).Draw(r, "key")
		_, err := m.keys.Remove(m.ctx, root, token.Removal{ID: k.ID(), Confirmed: true})
		if active := k.State == token.KeyActive; active != fault.Is(err, fault.Conflict) || !active && err != nil {
			r.Fatalf("remove a key that is %s: %v", k.State, err)
		}
		m.removed[k.ID()] = k.State != token.KeyActive
	case "restart":
		m.start("a session key of this site")
	case "new pair":
		m.env = m.pair(r)
		m.start("a session key of this site")
	}
}

func (m *keyModel) pair(r *rapid.T) pair {
	m.made++
	seed := fmt.Sprintf("%032d", m.made)
	public, private, err := token.GenerateKeys(strings.NewReader(seed))
	if err != nil {
		r.Fatalf("%v", err)
	}
	return pair{public: public, private: private}
}

func (m *keyModel) bring(r *rapid.T, as token.KeyState) {
	if _, err := m.keys.Import(m.ctx, root, []byte(m.pair(r).private), as); err != nil {
		r.Fatalf("%v", err)
	}
}

func (m *keyModel) holds(r *rapid.T) {
	if n := m.states(); n[token.KeyActive] != 1 || n[token.KeyNext]+n[token.KeyRetired]+1 != len(m.list()) {
		r.Fatalf("states are %v", n)
	}
	if p := m.keys.Problem(); p != "" {
		r.Fatalf("%s", p)
	}
	for _, t := range m.minted {
		err := m.enters(t.Text)
		if gone := m.removed[t.KeyID]; gone != fault.Is(err, fault.Unauthenticated) || !gone && err != nil {
			r.Fatalf("a token of a key that was removed: %v, and it gave %v", gone, err)
		}
	}
}

// TestKeysChangeUnderUse is for the race detector.
func TestKeysChangeUnderUse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.mint()
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.verifier.Verify(old.Text); err != nil {
					t.Error(err)
					return
				}
				_, err := s.tokens.Mint(s.ctx, root, token.MintRequest{For: "ann", Kind: token.KindService})
				_, _, failed := s.tokens.StatusList(s.ctx)
				if err := errors.Join(err, failed); err != nil {
					t.Error(err)
					return
				}
				s.keys.Ring().JWKS()
			}
		})
	}
	for i := range 20 {
		s.rotate()
		if i > 2 {
			_, err := s.keys.Remove(s.ctx, root, token.Removal{ID: s.list()[1].ID(), Confirmed: true})
			s.check(err)
		}
	}
	close(done)
	wg.Wait()
}

func TestProgramsThatStartAtOnceAgree(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newPair(t, "e")
	box, err := seal.New([]byte("a session key of this site"), token.SealPurpose)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			k, err := token.OpenKeys(t.Context(), token.KeysConfig{Store: store.SigningKeys(), Clock: clock.NewManual(start), Box: box, Public: p.public, Private: p.private})
			if err != nil || k.Ring().ID() != p.ring.ID() || !k.Ring().CanSign() {
				t.Errorf("got %v, %v", k, err)
			}
		})
	}
	wg.Wait()
	all, err := store.SigningKeys().ListKeys(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%d keys, %v; want the active and the next one", len(all), err)
	}
}
