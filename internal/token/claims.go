package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Audience is the audience of every token that is made here: all doors of the head node and the metric store.
const Audience = "bridgehead"

// wireClaims are the claims that we write, in the order in which they are written.
type wireClaims struct {
	Issuer      string      `json:"iss"`
	Audience    string      `json:"aud"`
	Subject     string      `json:"sub"`
	UserID      string      `json:"uid"`
	ID          string      `json:"jti"`
	IssuedAt    int64       `json:"iat"`
	NotBefore   int64       `json:"nbf"`
	Expires     int64       `json:"exp"`
	Roles       []string    `json:"roles"` // for ClusterCockpit's verifiers; our own doors ask the database
	Kind        string      `json:"kind"`
	Actor       *wireActor  `json:"act,omitempty"` // RFC 8693
	Permissions []string    `json:"permissions,omitempty"`
	ReadOnly    bool        `json:"read_only,omitempty"`
	Nodes       string      `json:"nodes,omitempty"`
	CIDRs       []string    `json:"cidr,omitempty"`
	Clusters    []string    `json:"clusters,omitempty"`
	Status      *wireStatus `json:"status,omitempty"`
}

// wireStatus says where to ask whether the token has been revoked, as in the IETF's Token Status List.
type wireStatus struct {
	List struct {
		Index int64  `json:"idx"`
		URI   string `json:"uri"`
	} `json:"status_list"`
}

type wireActor struct {
	Subject string `json:"sub"`
	UserID  string `json:"uid,omitempty"`
	ID      string `json:"jti,omitempty"`
}

// payload returns the claims as they are signed.
func (c Claims) payload() ([]byte, error) {
	w := wireClaims{
		Issuer: c.Issuer, Audience: Audience, Subject: c.Subject, UserID: string(c.UserID), ID: c.ID,
		IssuedAt: c.IssuedAt.Unix(), NotBefore: c.NotBefore.Unix(), Expires: c.Expires.Unix(),
		Roles: c.Roles, Kind: string(c.Kind), Permissions: c.Permissions, ReadOnly: c.ReadOnly,
		Nodes: c.Nodes, CIDRs: c.CIDRs, Clusters: c.Clusters,
	}
	if c.StatusIndex > 0 {
		w.Status = new(wireStatus)
		w.Status.List.Index, w.Status.List.URI = c.StatusIndex, c.StatusURI
	}
	if w.Roles == nil {
		w.Roles = []string{} // always an array
	}
	if a := c.Actor; a != nil {
		w.Actor = &wireActor{Subject: a.Name, UserID: string(a.ID), ID: a.TokenID}
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	return b, nil
}

// parseClaims reads the payload of a token whose signature is good. Claims that nobody here reads are ignored, as
// foreign tokens may say anything about themselves; those that are read must have their exact form.
func parseClaims(payload string) (Claims, error) {
	var c Claims
	r := newReader(payload)
	r.object(func(name string) {
		if read, ok := claimReaders[name]; ok {
			read(r, &c)
			return
		}
		if misspelt(name) {
			r.fail("claim %q differs from a known one only in case", name)
		}
		r.skip()
	})
	if err := r.end(); err != nil {
		return Claims{}, fmt.Errorf("claims: %w", err)
	}
	return c, c.wellFormed()
}

var claimReaders = map[string]func(*reader, *Claims){
	"iss":         func(r *reader, c *Claims) { c.Issuer = r.word() },
	"aud":         func(r *reader, c *Claims) { c.Audience = r.audience() },
	"sub":         func(r *reader, c *Claims) { c.Subject = r.word() },
	"uid":         func(r *reader, c *Claims) { c.UserID = identity.UserID(r.word()) },
	"jti":         func(r *reader, c *Claims) { c.ID = r.word() },
	"iat":         func(r *reader, c *Claims) { c.IssuedAt = r.time() },
	"nbf":         func(r *reader, c *Claims) { c.NotBefore = r.time() },
	"exp":         func(r *reader, c *Claims) { c.Expires = r.time() },
	"roles":       func(r *reader, c *Claims) { c.Roles = r.set() },
	"kind":        func(r *reader, c *Claims) { c.Kind = Kind(r.word()) },
	"act":         func(r *reader, c *Claims) { c.Actor = r.actor() },
	"permissions": func(r *reader, c *Claims) { c.Permissions = r.narrowing() },
	"read_only":   func(r *reader, c *Claims) { c.ReadOnly = r.boolean() },
	"nodes":       func(r *reader, c *Claims) { c.Nodes, c.nodes = r.nodes() },
	"cidr":        func(r *reader, c *Claims) { c.CIDRs, c.networks = r.networks() },
	"clusters":    func(r *reader, c *Claims) { c.Clusters = r.clusters() },
	"status":      func(r *reader, c *Claims) { c.StatusIndex, c.StatusURI = r.status() },
}

// misspelt reports whether a name would be taken for a known claim by a parser that ignores case.
func misspelt(name string) bool {
	for known := range claimReaders {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// wellFormed reports what cannot be true of any token of ours, or of anybody who shares our key.
func (c Claims) wellFormed() error {
	if c.Kind != "" && !slices.Contains([]Kind{KindAccess, KindRefresh, KindService, KindImpersonation}, c.Kind) {
		return fmt.Errorf("unknown kind %q", c.Kind)
	}
	if !c.NotBefore.IsZero() && !c.Expires.IsZero() && c.NotBefore.After(c.Expires) {
		return errors.New("nbf is after exp")
	}
	return nil
}

// complete reports what a token lacks that says it is from this issuer. All of it is always there.
func (c Claims) complete() error {
	switch {
	case c.Subject == "" || c.UserID == "":
		return errors.New("no subject bound to an account")
	case c.ID == "":
		return errors.New("no jti")
	case c.Kind == "":
		return errors.New("no kind")
	case c.IssuedAt.IsZero() || c.Expires.IsZero():
		return errors.New("no iat or exp")
	case len(c.Audience) == 0:
		return errors.New("no aud")
	case c.Kind == KindImpersonation && c.Actor == nil:
		return errors.New("impersonation without act")
	}
	return nil
}

const (
	maxWord = 256 // bytes of a name or an id
	maxList = 128 // entries of a list
	maxURI  = 1024
	// maxTime is the end of the year 9999, beyond which times cannot be written down everywhere.
	maxTime = 253402300799
)
