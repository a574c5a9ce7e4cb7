package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Inspection is what could be found out about a text that may be a token.
type Inspection struct {
	// What the text is, in a few words.
	What string
	// Signed says that a key of this head has signed it: what the claims say is true. Otherwise they are only what
	// somebody has written.
	Signed bool
	// Good says that it opens something here now; Reason says why it does not.
	Good   bool
	Reason string
	// Header and Body are the parts of the token as they stand, nil when they are no JSON objects.
	Header, Body json.RawMessage
	Claims       Claims // zero unless Signed
	Record       *Token // what is known of it here, nil when nothing is or it is not signed here
}

// maxInspect is how many bytes of a text are looked at.
const maxInspect = 2 * maxLength

// Inspect tells what a text is that somebody has found: whose token, of which kind, how far it reaches, and whether it is
// still good. It is no use of the token, and the text is kept nowhere. Of other people's tokens it tells callers with
// TokensRead; fault.Denied otherwise. Whatever the text is, that it is no good is not an error.
func (s *Service) Inspect(ctx context.Context, c identity.Caller, text string) (_ Inspection, err error) {
	defer fault.Wrap(&err, "inspect token")
	text = unwrap(text)
	if what := notAToken(text); what != "" {
		return Inspection{What: what, Reason: "not a signed token"}, nil
	}
	i := Inspection{}
	i.Header, i.Body = parts(text)
	claims, err := s.verifier.read(text)
	if err != nil {
		i.What, i.Reason = "a token that no key of this head has signed", err.Error()
		return i, nil
	}
	if !c.Can(identity.TokensRead) && !s.holds(ctx, c, claims) {
		return Inspection{}, identity.DeniedError(identity.TokensRead)
	}
	i.Signed, i.Claims = true, claims
	i.What = describe(claims)
	if claims.ID != "" {
		switch t, err := s.store.GetToken(ctx, claims.ID); {
		case err == nil:
			i.Record = &t
		case !fault.Is(err, fault.NotFound):
			return Inspection{}, err
		}
	}
	i.Reason, err = s.against(ctx, text)
	i.Good = err == nil && i.Reason == ""
	return i, err
}

// holds reports whether a token is the caller's own or one that he has issued.
func (s *Service) holds(ctx context.Context, c identity.Caller, claims Claims) bool {
	if claims.ID != "" && claims.ID == c.TokenID || ownedBy(c, claims.UserID, "") {
		return true
	}
	t, err := s.store.GetToken(ctx, claims.ID)
	return err == nil && ownedBy(c, t.UserID, t.IssuerID)
}

// against returns what there is against the token now, "" when it is good. From where it may be used does not count.
func (s *Service) against(ctx context.Context, text string) (reason string, err error) {
	claims, err := s.verifier.Verify(text)
	if err == nil {
		_, err = s.caller(ctx, claims)
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused.Reason, nil
	}
	return "", err
}

// describe says what a token is whose signature is good.
func describe(c Claims) string {
	switch {
	case c.Kind == "":
		return fmt.Sprintf("a token of user %q that was signed with a key of this head, but not by it", c.Subject)
	case c.Actor != nil:
		return fmt.Sprintf("an %s token with which %s acts as %s", c.Kind, c.Actor.Name, c.Subject)
	case c.Kind == KindAccess:
		return fmt.Sprintf("an access token of user %q", c.Subject)
	default:
		return fmt.Sprintf("a %s token of user %q", c.Kind, c.Subject)
	}
}

// unwrap takes a token out of what it is often found in: a header line, quotes, or the file that the tools keep it in.
func unwrap(text string) string {
	text = strings.TrimSpace(text[:min(len(text), maxInspect)])
	var file struct {
		AccessToken string `json:"access_token"`
	}
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &file) == nil && file.AccessToken != "" {
		return file.AccessToken
	}
	for _, prefix := range []string{"Authorization:", "X-Auth-Token:", "Bearer "} {
		if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			text = strings.TrimSpace(text[len(prefix):])
		}
	}
	return strings.Trim(text, `"'`)
}

// notAToken says what a text is that is no token, "" when it may be one.
func notAToken(text string) string {
	switch {
	case text == "":
		return "nothing: the text is empty"
	case isSecret(text):
		return "the secret of a browser's session, as the session cookie holds it; end the session to make it useless"
	case strings.HasPrefix(text, secretPrefix):
		return "a text that begins as the secret of a browser's session does, but is damaged or cut"
	case strings.HasPrefix(text, "-----BEGIN"):
		return "a key or certificate in PEM form"
	case strings.Count(text, ".") != 2:
		return "a text that is no token: a token has three parts with dots between them"
	}
	return ""
}

// parts returns header and payload of a text with two dots, as they stand, nil for what is no JSON object.
func parts(text string) (header, body json.RawMessage) {
	var out [2]json.RawMessage
	for i, part := range strings.Split(text, ".")[:2] {
		raw, err := strict.DecodeString(part)
		var object map[string]json.RawMessage
		if err == nil && json.Unmarshal(raw, &object) == nil && object != nil {
			out[i] = raw
		}
	}
	return out[0], out[1]
}
