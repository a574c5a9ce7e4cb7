package token

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// KeysConfig is what Keys needs.
type KeysConfig struct {
	Store KeyStore
	Clock clock.Clock
	// Box seals private halves; see SealPurpose.
	Box *seal.Box
	// Public and Private are JWT_PUBLIC_KEY and JWT_PRIVATE_KEY; Private may be empty.
	Public, Private string
}

// SealPurpose is the purpose of the box that signing keys are sealed with.
const SealPurpose = "signing keys"

// Keys is the signing keys of this site: one that signs, one that will, and those that did and still verify. All
// programs on the same database share them. It is safe for concurrent use.
type Keys struct {
	store       KeyStore
	clock       clock.Clock
	box         *seal.Box
	environment *Key
	ring        *Keyring
	revoked     func(ids []string)

	mu    sync.Mutex // makes one change of known and ring at a time
	known []SigningKey
	asked time.Time // when a token with an unknown key last led to a look
}

// OpenKeys returns the signing keys. The pair of the environment becomes the active one when it is new here: the operator
// has put it there on purpose. When it is known already its state stays, so that what was retired or removed does not
// come back with a restart. An error says what is wrong with the pair and never shows it.
func OpenKeys(ctx context.Context, c KeysConfig) (*Keys, error) {
	env, err := ParsePair(c.Public, c.Private)
	if err != nil {
		return nil, fmt.Errorf("JWT_PUBLIC_KEY, JWT_PRIVATE_KEY: %w", err)
	}
	k := &Keys{store: c.Store, clock: c.Clock, box: c.Box, environment: env, ring: &Keyring{}, revoked: func([]string) {}}
	k.ring.now.Store(&keySet{})
	if err := k.Renew(ctx); err != nil {
		return nil, err
	}
	if err := k.begin(ctx); err != nil && !fault.Is(err, fault.Conflict) {
		return nil, err
	} else if err != nil { // another program was faster
		if err := k.Renew(ctx); err != nil {
			return nil, err
		}
		if err := k.begin(ctx); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// begin takes the pair of the environment in, and makes the next key when there is none.
func (k *Keys) begin(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now().UTC()
	active := find(k.known, inState(KeyActive))
	id, i := "", find(k.known, withID(k.environment.id))
	var change []SigningKey
	if active >= 0 {
		id = k.known[active].ID
	}
	rec := audit.Record{Time: now, Actor: "cc-backend", Subject: "cc-backend", Via: string(identity.ViaCommand), Outcome: audit.Done}
	switch {
	case i < 0:
		if active >= 0 {
			change = append(change, k.known[active].retire(now))
		}
		change = append(change, SigningKey{
			ID: k.environment.id, Public: k.environment.public, State: KeyActive, Origin: KeyFromEnvironment, Created: now, Activated: now,
		})
		rec.Action, rec.Object = "key.activate", "key/"+k.environment.id
		rec.Details = map[string]string{"origin": string(KeyFromEnvironment), "retired": id}
	case active < 0:
		return fault.New(fault.Internal, "the database holds no active signing key; restore it from a backup, or put a fresh pair of gen-keypair into the environment")
	}
	if k.nextUsable() < 0 {
		next, err := k.generate(now)
		if err != nil {
			return err
		}
		if rec.Action == "" {
			rec.Action, rec.Object = "key.create", "key/"+next.ID
			rec.Details = map[string]string{"origin": string(KeyGenerated)}
		}
		change = append(change, next)
	}
	return k.save(ctx, id, change, rec)
}

// save stores changed keys and takes them into the ring. It needs mu.
func (k *Keys) save(ctx context.Context, active string, change []SigningKey, rec audit.Record) error {
	if len(change) == 0 {
		return nil
	}
	if err := k.store.SaveKeys(ctx, active, change, rec); err != nil {
		return err
	}
	return k.reload(ctx)
}

// Ring returns the ring, which changes with the keys.
func (k *Keys) Ring() *Keyring { return k.ring }

// OnRevoke has f called with the ids of tokens that fell with their key, before that change returns. It is called once,
// before the keys are used.
func (k *Keys) OnRevoke(f func(ids []string)) { k.revoked = f }

// Problem says in one line why nothing can be signed, and what to do; "" when all is well.
func (k *Keys) Problem() string {
	if _, err := k.ring.now.Load().signer(); err != nil {
		return fault.Message(err)
	}
	return ""
}

// Renew reads what other programs on the same database have changed.
func (k *Keys) Renew(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reload(ctx)
}

// renewEvery is how long after a look for an unknown key the next one is taken, whatever tokens say.
const renewEvery = 10 * time.Second

// seek looks for keys that another program may have added, and reports whether it has looked. It does so at most once in
// a while, and never waits for somebody else who is looking: strangers can make up as many kids as they like.
func (k *Keys) seek(ctx context.Context) bool {
	if !k.mu.TryLock() {
		return false
	}
	defer k.mu.Unlock()
	now := k.clock.Now()
	if !k.asked.IsZero() && now.Sub(k.asked) < renewEvery {
		return false
	}
	k.asked = now
	return k.reload(ctx) == nil
}

// reload needs mu.
func (k *Keys) reload(ctx context.Context) error {
	all, err := k.store.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	if slices.EqualFunc(all, k.known, SigningKey.equal) {
		return nil
	}
	set, err := k.set(all)
	if err != nil {
		return err
	}
	k.known = all
	k.ring.now.Store(set)
	return nil
}

// set turns records into what verifies and signs.
func (k *Keys) set(all []SigningKey) (*keySet, error) {
	var list []ringKey
	silent := ""
	for _, r := range all {
		if r.State == KeyRemoved {
			continue
		}
		key, err := newKey(r.Public, nil)
		if err != nil || key.id != r.ID {
			return nil, fault.Because(fault.Internal, err, "the database holds a signing key %q that is damaged", r.ID)
		}
		private, problem := k.open(r)
		if private != nil {
			key = private
		} else if r.State == KeyActive {
			silent = problem
		}
		list = append(list, ringKey{key, r.State, r.Origin == KeyGenerated, max(r.Created.UnixMicro(), r.Retired.UnixMicro())})
	}
	return newKeySet(list, silent), nil
}

// open returns the key with its private half; nil and what to do when it is not to be had.
func (k *Keys) open(r SigningKey) (key *Key, problem string) {
	const remedy = "or put a fresh pair of gen-keypair into the environment, which then signs"
	switch {
	case r.Origin == KeyFromEnvironment && k.environment.id == r.ID && k.environment.CanSign():
		return k.environment, ""
	case r.Origin == KeyFromEnvironment:
		return nil, "JWT_PRIVATE_KEY does not hold the private half of the active key " + r.ID + "; set it, " + remedy
	case r.Sealed == "":
		return nil, "the private half of the active key " + r.ID + " is not kept here; rotate the keys"
	}
	private, err := k.box.Open(r.ID, r.Sealed)
	if err == nil && len(private) == len(r.Public)*2 {
		if key, err = newKey(r.Public, private); err == nil {
			return key, ""
		}
	}
	return nil, "the private half of the active key " + r.ID + " cannot be opened, since SESSION_KEY has changed; restore SESSION_KEY, " + remedy
}

// generate makes a key that is next.
func (k *Keys) generate(now time.Time) (SigningKey, error) {
	key, err := generateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{
		ID: key.id, Public: key.public, Sealed: k.box.Seal(key.id, key.private), State: KeyNext, Origin: KeyGenerated, Created: now,
	}, nil
}

// nextUsable returns the place of the oldest next key that can sign, -1 for none. It needs mu.
func (k *Keys) nextUsable() int {
	return find(k.known, func(r SigningKey) bool {
		if r.State != KeyNext {
			return false
		}
		key, _ := k.open(r)
		return key != nil
	})
}

func find(keys []SigningKey, is func(SigningKey) bool) int { return slices.IndexFunc(keys, is) }

func inState(s KeyState) func(SigningKey) bool {
	return func(r SigningKey) bool { return r.State == s }
}

func withID(id string) func(SigningKey) bool {
	return func(r SigningKey) bool { return r.ID == id }
}

func (r SigningKey) retire(now time.Time) SigningKey {
	r.State, r.Retired = KeyRetired, now
	return r
}

func (r SigningKey) equal(o SigningKey) bool {
	return r.ID == o.ID && r.Public.Equal(o.Public) && r.Sealed == o.Sealed && r.State == o.State && r.Origin == o.Origin &&
		r.Created.Equal(o.Created) && r.Activated.Equal(o.Activated) && r.Retired.Equal(o.Retired)
}
