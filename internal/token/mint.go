package token

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"strings"
	"time"
	"unicode"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Mint makes a token. It is the one way to make one, for every door and for the command line. Its record and the trail's
// are stored before it is returned.
//
// For oneself it needs AdminsWriteSelf and gives at most what the caller's own credential gives. For others the rules of
// identity's MayActAs hold, and the token names its actor, unless the head's own command line makes a service token: that
// is the account's own, as if the account had made it. Nothing can be minted with an impersonation token.
//
// A token goes no further than the credential with which it is made, in rights, nodes, networks and clusters.
//
// It fails with fault.Denied, with fault.NotFound for an unknown user, with fault.Invalid for what no policy allows, with
// fault.Conflict when an account has changed while the decision was made, and with fault.Unavailable without a private key.
func (s *Service) Mint(ctx context.Context, c identity.Caller, r MintRequest) (_ Minted, err error) {
	defer fault.Wrap(&err, "mint token")
	if c.Actor != nil {
		return Minted{}, fault.New(fault.Denied, "an impersonation token cannot be used to make tokens")
	}
	if err := s.checkLabels(r); err != nil {
		return Minted{}, err
	}
	forOther := c.User.ID == "" || r.For != "" && r.For != c.User.Name
	if r.Kind == "" {
		r.Kind = KindService
		if forOther && c.Via != identity.ViaCommand {
			r.Kind = KindImpersonation
		}
	}
	if err := mayHave(c, r.Kind, forOther); err != nil {
		return Minted{}, err
	}
	g, err := s.grantFor(ctx, c, r, forOther)
	if err != nil {
		return Minted{}, err
	}
	now := s.clock.Now().UTC()
	lifetime, err := s.policy.lifetime(r, g.Standing, c, now)
	if err != nil {
		return Minted{}, err
	}
	return s.issue(ctx, c, r, g, now, lifetime)
}

// issue signs the token and stores its record.
func (s *Service) issue(ctx context.Context, c identity.Caller, r MintRequest, g grant, now time.Time, lifetime time.Duration) (Minted, error) {
	place, err := s.nextIndex(ctx)
	if err != nil {
		return Minted{}, err
	}
	iat := now.Truncate(time.Second)
	claims := Claims{
		Issuer: s.verifier.issuer, Subject: g.User.Name, UserID: g.User.ID, ID: newID(), IssuedAt: iat, NotBefore: iat,
		Expires: iat.Add(lifetime), Kind: r.Kind, Actor: g.actor, Narrowing: g.Narrowing, StatusIndex: place, StatusURI: s.statusURI,
	}
	if !g.Enrols { // who knows only the key would take the roles for rights
		for _, role := range g.User.Roles {
			claims.Roles = append(claims.Roles, string(role))
		}
	}
	payload, err := claims.payload()
	if err != nil {
		return Minted{}, err
	}
	text, keyID, err := s.keys.sign(payload)
	if err != nil {
		return Minted{}, err
	}
	if len(text) > maxLength {
		return Minted{}, fault.New(fault.Invalid, "the token would be longer than %d bytes: narrow it to fewer permissions", maxLength)
	}
	t := Token{
		ID: claims.ID, KeyID: keyID, Kind: r.Kind, UserID: g.User.ID, User: g.User.Name, IssuedBy: c.ActorName(),
		IssuerID: c.User.ID, Name: r.Name, Purpose: r.Purpose, Issued: iat, Expires: claims.Expires,
		Parent: r.Parent, StatusIndex: claims.StatusIndex, Narrowing: g.Narrowing,
	}
	basis := []identity.User{g.User, c.User}
	if err := s.store.CreateToken(ctx, t, basis, mintRecord(c, now, t)); err != nil {
		return Minted{}, err
	}
	return Minted{Token: t, Text: text}, nil
}

func mintRecord(c identity.Caller, now time.Time, t Token) audit.Record {
	rec := c.Record(now, "token.create", "token/"+t.ID)
	rec.Details = map[string]string{
		"user": t.User, "kind": string(t.Kind), "expires": t.Expires.Format(time.RFC3339), "name": t.Name, "purpose": t.Purpose,
	}
	maps.Copy(rec.Details, t.details())
	return rec
}

// details says for the trail how far a token is narrowed.
func (n Narrowing) details() map[string]string {
	d := map[string]string{}
	if n.ReadOnly {
		d["read_only"] = "true"
	}
	for what, text := range map[string]string{
		"permissions": strings.Join(n.Permissions, ","), "nodes": n.Nodes,
		"cidr": strings.Join(n.CIDRs, ","), "clusters": strings.Join(n.Clusters, ","),
	} {
		if text != "" {
			d[what] = text
		}
	}
	return d
}

// maxLabel is how many bytes the name and the purpose of a token may have.
const maxLabel = 200

func (s *Service) checkLabels(r MintRequest) error {
	if err := checkTexts(r.Name, r.Purpose); err != nil {
		return err
	}
	if s.policy.RequirePurpose && r.Purpose == "" && r.Kind != KindAccess && r.Kind != KindRefresh {
		return fault.New(fault.Invalid, "say what the token is for: a purpose is required here")
	}
	return nil
}

func checkTexts(name, purpose string) error {
	for what, text := range map[string]string{"name": name, "purpose": purpose} {
		if len(text) > maxLabel {
			return fault.New(fault.Invalid, "the token's %s is longer than %d bytes", what, maxLabel)
		}
		for _, c := range text {
			if !unicode.IsPrint(c) {
				return fault.New(fault.Invalid, "the token's %s has a character that does not print", what)
			}
		}
	}
	return nil
}

// newID returns a jti: 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}
