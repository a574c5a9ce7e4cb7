package token

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// KeyOrigin is where a key comes from.
type KeyOrigin string

// The origins of keys.
const (
	KeyFromEnvironment KeyOrigin = "environment" // JWT_PUBLIC_KEY; its private half is kept nowhere else
	KeyGenerated       KeyOrigin = "generated"   // made here; its private half never leaves the head
	KeyImported        KeyOrigin = "imported"    // brought in by an administrator
)

// SigningKey is the record of a key that signs tokens, or did.
type SigningKey struct {
	ID        string // RFC 7638 thumbprint
	Public    ed25519.PublicKey
	Sealed    string // the private half, sealed; "" where it is not kept
	State     KeyState
	Origin    KeyOrigin
	Created   time.Time
	Activated time.Time // zero when it never signed
	Retired   time.Time // zero when it has not been
}

// KeyStore keeps the records of signing keys. Each change is one transaction with its audit record.
type KeyStore interface {
	// ListKeys returns all keys, those that were removed too, in the order in which they were made.
	ListKeys(ctx context.Context) ([]SigningKey, error)
	// SaveKeys adds keys, or puts them in the place of those with the same id, in the order given. fault.Conflict when the
	// active key is not the one with the id active ("" for none), or when one of them has been removed meanwhile.
	SaveKeys(ctx context.Context, active string, keys []SigningKey, rec audit.Record) error
	// RemoveKey makes a key that is next or retired one that is removed, forgets its private half, and revokes the live
	// tokens that it signed. It returns the ids of those. fault.NotFound, and fault.Conflict for the active key.
	RemoveKey(ctx context.Context, id string, rec audit.Record) (revoked []string, err error)
	// CountSigned returns how many tokens that live at that time the key has signed.
	CountSigned(ctx context.Context, id string, at time.Time) (int, error)
}
