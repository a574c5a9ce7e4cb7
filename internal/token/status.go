package token

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// StatusStore says what the status list is to say. What it keeps, it keeps beside the records of tokens.
type StatusStore interface {
	// ReserveStatusIndexes takes the next n places out of those that are still free and returns the first of them, from 1.
	// With n = 0 it takes none and only returns which is next.
	ReserveStatusIndexes(ctx context.Context, n int) (first int64, err error)
	// RevokedIndexes returns the places of revoked tokens that have not expired at that time, in any order.
	RevokedIndexes(ctx context.Context, at time.Time) ([]int64, error)
}

// The status list has the shape of the IETF's Token Status List (draft-ietf-oauth-status-list): a signed bit for each
// token, by the place that the token names, which is set when the token has been revoked. The claim keys is ours.
const (
	statusType = "statuslist+jwt"
	// DefaultStatusTTL is how long a status list may be kept before it is asked for again, where a site says nothing.
	DefaultStatusTTL = time.Minute
	// minStatusLife is how long a status list can be shown to somebody at least, for clocks that do not agree.
	minStatusLife = 5 * time.Minute
	// headroom is how many places beyond the last one given out the list has, for tokens that are made while it is kept.
	headroom = 1 << 16
)

// statusList is the signed list as it was built last.
type statusList struct {
	store StatusStore // nil: no list is kept
	ttl   time.Duration

	mu       sync.Mutex // guards all below
	text     string
	built    time.Time
	revoked  uint64  // the count of revocations that it includes
	signedBy *keySet // the keys that it publishes
}

// StatusList returns the signed list of revoked tokens, and for how long it can be kept. It is built again when a token
// has been revoked or the keys have changed, and when its time is over. fault.NotFound where none is kept, and
// fault.Unavailable without a private key.
func (s *Service) StatusList(ctx context.Context) (text string, keep time.Duration, err error) {
	defer fault.Wrap(&err, "make status list")
	l := &s.status
	if l.store == nil {
		return "", 0, fault.New(fault.NotFound, "this head keeps no status list")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, revocations, keys := s.clock.Now(), s.revoked.changes.Load(), s.keys.now.Load()
	age := now.Sub(l.built)
	if l.text == "" || l.revoked != revocations || l.signedBy != keys || age < 0 || age >= l.ttl {
		if l.text, err = s.signStatusList(ctx, now, keys); err != nil {
			l.text = ""
			return "", 0, err
		}
		l.built, l.revoked, l.signedBy = now, revocations, keys
		age = 0
	}
	return l.text, l.ttl - age, nil
}

// wireStatusList is what a status list says, in the order in which it is written.
type wireStatusList struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"` // the uri by which tokens name the list
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	TTL     int64  `json:"ttl"`
	List    struct {
		Bits int    `json:"bits"`
		List string `json:"lst"`
	} `json:"status_list"`
	Keys json.RawMessage `json:"keys"`
}

func (s *Service) signStatusList(ctx context.Context, now time.Time, keys *keySet) (string, error) {
	signer, err := keys.signer()
	if err != nil {
		return "", err
	}
	revoked, err := s.status.store.RevokedIndexes(ctx, now)
	if err != nil {
		return "", err
	}
	free, err := s.status.store.ReserveStatusIndexes(ctx, 0)
	if err != nil {
		return "", err
	}
	w := wireStatusList{
		Issuer: s.verifier.issuer, Subject: s.statusURI, Issued: now.Unix(),
		Expires: now.Add(max(minStatusLife, 2*s.status.ttl)).Unix(), TTL: int64(s.status.ttl / time.Second), Keys: jwks(keys.keys),
	}
	w.List.Bits = 1
	if w.List.List, err = packStatus(revoked, free+headroom); err != nil {
		return "", err
	}
	payload, err := json.Marshal(w)
	if err != nil {
		return "", fmt.Errorf("encode status list: %w", err)
	}
	header := encode([]byte(`{"alg":"EdDSA","kid":"` + signer.id + `","typ":"` + statusType + `"}`))
	return signer.sign(header, payload), nil
}

// packStatus returns a list of at least that many places, of which those are set, compressed and encoded.
func packStatus(set []int64, places int64) (string, error) {
	for _, i := range set {
		places = max(places, i+1)
	}
	// Rounded up, so that the length of the list does not tell how many tokens are made.
	bits := make([]byte, (min(places, maxPlaces)+headroom-1)/headroom*headroom/8)
	for _, i := range set {
		if i >= 0 && i < maxPlaces {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(bits); err != nil {
		return "", fmt.Errorf("compress status list: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("compress status list: %w", err)
	}
	return encode(packed.Bytes()), nil
}
