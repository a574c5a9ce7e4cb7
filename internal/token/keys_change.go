package token

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// KeyInfo is a signing key as people see it. The embedded key has no private half.
type KeyInfo struct {
	*Key
	State     KeyState
	Origin    KeyOrigin
	Created   time.Time
	Activated time.Time // zero when it never signed
	Retired   time.Time // zero when it has not been
	Signs     bool      // whether the private half is at hand
}

// List returns the keys that verify, the active one first; it needs CertsRead.
func (k *Keys) List(ctx context.Context, c identity.Caller) (_ []KeyInfo, err error) {
	defer fault.Wrap(&err, "list signing keys")
	if err := c.Require(identity.CertsRead); err != nil {
		return nil, err
	}
	if err := k.Renew(ctx); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []KeyInfo
	for _, key := range k.ring.now.Load().keys {
		list = append(list, k.info(key))
	}
	return list, nil
}

// info needs mu.
func (k *Keys) info(key *Key) KeyInfo {
	r := k.known[find(k.known, withID(key.id))]
	public := &Key{public: key.public, id: key.id, header: key.header}
	return KeyInfo{public, r.State, r.Origin, r.Created, r.Activated, r.Retired, key.CanSign()}
}

// Get returns one of the keys that List gives; fault.NotFound.
func (k *Keys) Get(ctx context.Context, c identity.Caller, id string) (KeyInfo, error) {
	list, err := k.List(ctx, c)
	if err != nil {
		return KeyInfo{}, err
	}
	for _, info := range list {
		if info.id == id {
			return info, nil
		}
	}
	return KeyInfo{}, noKey(id)
}

func noKey(id string) error {
	return fault.New(fault.NotFound, "there is no signing key %q", shorten(id))
}

// mayChange refuses credentials that are less than a person's own: a key opens everything.
func mayChange(c identity.Caller) error {
	switch {
	case c.Actor != nil:
		return fault.New(fault.Denied, "signing keys cannot be changed while acting as somebody else")
	case c.Narrowed:
		return fault.New(fault.Denied, "signing keys cannot be changed with a token that is narrowed")
	}
	return c.Require(identity.CertsWrite)
}

// Rotate has the next key sign from now on and returns it. The one that signed is retired and still verifies; a fresh
// key becomes the next one and is published, so that verifiers know it long before it signs. It needs CertsWrite, and no
// credential that is narrowed or acts as somebody else. fault.Conflict when another program has changed the keys at the
// same moment, or when there are too many.
func (k *Keys) Rotate(ctx context.Context, c identity.Caller) (_ KeyInfo, err error) {
	defer fault.Wrap(&err, "rotate signing keys")
	if err := mayChange(c); err != nil {
		return KeyInfo{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return KeyInfo{}, err
	}
	now := k.clock.Now().UTC()
	active := find(k.known, inState(KeyActive))
	if active < 0 {
		return KeyInfo{}, fault.New(fault.Internal, "the database holds no active signing key")
	}
	old, next, fresh, err := k.turn(now, active)
	if err != nil {
		return KeyInfo{}, err
	}
	if err := k.room(2); err != nil {
		return KeyInfo{}, err
	}
	rec := c.Record(now, "key.rotate", "key/"+next.ID)
	rec.Details = map[string]string{"retired": old.ID, "next": fresh.ID}
	if err := k.save(ctx, old.ID, []SigningKey{old, next, fresh}, rec); err != nil {
		return KeyInfo{}, err
	}
	return k.info(k.ring.now.Load().get(next.ID)), nil
}

// turn returns the keys that change when the active one is followed by the next. It needs mu.
func (k *Keys) turn(now time.Time, active int) (old, next, fresh SigningKey, err error) { //nolint:revive // the three states of keys
	old = k.known[active].retire(now)
	if i := k.nextUsable(); i >= 0 {
		next = k.known[i]
	} else if next, err = k.generate(now); err != nil {
		return old, next, fresh, err
	}
	next.State, next.Activated = KeyActive, now
	fresh, err = k.generate(now)
	return old, next, fresh, err
}

// room refuses when there are so many keys that no more fit. It needs mu.
func (k *Keys) room(more int) error {
	if n := len(k.ring.now.Load().keys); n+more > maxKeys {
		return fault.New(fault.Conflict, "there are %d signing keys, and %d at most: remove retired ones whose tokens have expired", n, maxKeys)
	}
	return nil
}

// Import brings a key in, as the next one to sign, for which its private half is needed, or as a retired one, which only
// verifies and whose private half is not kept. Whoever has the private half can sign for everybody, so it takes all
// permissions, and no credential that is narrowed or acts as somebody else. fault.Invalid for what is no key;
// fault.Conflict for one that is here, or that was removed.
func (k *Keys) Import(ctx context.Context, c identity.Caller, text []byte, as KeyState) (_ KeyInfo, err error) {
	defer fault.Wrap(&err, "import signing key")
	if err := mayChange(c); err != nil {
		return KeyInfo{}, err
	}
	if !identity.All().SubsetOf(c.Permissions) {
		return KeyInfo{}, fault.New(fault.Denied, "who has a signing key can sign for everybody: all permissions are required to bring one in")
	}
	key, err := ParseKey(text)
	if err != nil {
		return KeyInfo{}, err
	}
	r := SigningKey{ID: key.id, Public: key.public, State: as, Origin: KeyImported, Created: k.clock.Now().UTC()}
	switch as { //nolint:exhaustive // no others can be brought in
	case KeyRetired:
		r.Retired = r.Created
	case KeyNext:
		if !key.CanSign() {
			return KeyInfo{}, fault.New(fault.Invalid, "this is a public key; to sign, the private one is needed, and as a retired key it would only verify")
		}
		r.Sealed = k.box.Seal(key.id, key.private)
	default:
		return KeyInfo{}, fault.New(fault.Invalid, "a key is brought in as next or retired, not as %q", shorten(string(as)))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return KeyInfo{}, err
	}
	if err := k.isNew(r.ID); err != nil {
		return KeyInfo{}, err
	}
	rec := c.Record(r.Created, "key.import", "key/"+r.ID)
	rec.Details = map[string]string{"state": string(as)}
	if err := k.save(ctx, k.ring.ID(), []SigningKey{r}, rec); err != nil {
		return KeyInfo{}, err
	}
	return k.info(k.ring.now.Load().get(r.ID)), nil
}

// isNew refuses a key that has been here, and one too many. It needs mu.
func (k *Keys) isNew(id string) error {
	if i := find(k.known, withID(id)); i >= 0 {
		if k.known[i].State == KeyRemoved {
			return fault.New(fault.Conflict, "the key %s was removed, and what was removed does not come back: make another", id)
		}
		return fault.New(fault.Conflict, "the key %s is here already, and is %s", id, k.known[i].State)
	}
	return k.room(1)
}

// Removal says which key is to be removed.
type Removal struct {
	ID string
	// DryRun only counts.
	DryRun bool
	// Confirmed has to be said: tokens fall with their key, those too of which there is no record.
	Confirmed bool
}

// Remove removes a key that is next or retired, for good, and revokes the tokens that it signed. It returns how many live
// ones those are; tokens that a site's own scripts have signed with the private half are not counted and fall as well. It
// needs CertsWrite, and no credential that is narrowed or acts as somebody else. fault.NotFound; fault.Conflict for the
// active key; fault.Invalid without confirmation.
func (k *Keys) Remove(ctx context.Context, c identity.Caller, r Removal) (n int, err error) {
	defer fault.Wrap(&err, "remove signing key")
	if err := mayChange(c); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return 0, err
	}
	i := find(k.known, withID(r.ID))
	switch {
	case i < 0 || k.known[i].State == KeyRemoved:
		return 0, noKey(r.ID)
	case k.known[i].State == KeyActive:
		return 0, fault.New(fault.Conflict, "the active key cannot be removed: rotate the keys first")
	}
	now := k.clock.Now().UTC()
	if r.DryRun || !r.Confirmed {
		n, err := k.store.CountSigned(ctx, r.ID, now)
		if err == nil && !r.DryRun {
			err = fault.New(fault.Invalid, "%d live tokens were signed with this key and would be revoked, beside those that scripts have signed themselves; confirm that", n)
		}
		return n, err
	}
	rec := c.Record(now, "key.remove", "key/"+r.ID)
	rec.Details = map[string]string{"was": string(k.known[i].State), "origin": string(k.known[i].Origin)}
	ids, err := k.store.RemoveKey(ctx, r.ID, rec)
	if err != nil {
		return 0, err
	}
	k.revoked(ids)
	return len(ids), k.reload(ctx)
}
