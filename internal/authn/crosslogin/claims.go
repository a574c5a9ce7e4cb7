package crosslogin

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// claims are what is read of a token.
type claims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	Name      name             `json:"name"`
	Roles     []string         `json:"roles"`
	Projects  []string         `json:"projects"`
}

// inTime refuses a token that is not good now. One without end would be good for ever to whoever finds it.
func (c claims) inTime(now time.Time) error {
	switch {
	case c.Expiry == nil:
		return errors.New("the token has no exp")
	case !now.Before(c.Expiry.Time()):
		return errors.New("the token has expired")
	case c.NotBefore != nil && now.Add(leeway).Before(c.NotBefore.Time()), c.IssuedAt != nil && now.Add(leeway).Before(c.IssuedAt.Time()):
		return errors.New("the token is from the future")
	}
	return nil
}

// name is the claim name: a text, or an object with the parts of one (contract clustercockpit 1.6).
type name string

// UnmarshalJSON reads both forms.
func (n *name) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*n = name(text)
		return nil
	}
	var parts struct {
		Values []string `json:"values"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return errors.New(`name is neither a text nor an object with "values"`)
	}
	*n = name(strings.Join(parts.Values, " "))
	return nil
}

// peekIssuer returns whose token it claims to be, which only says by which key it is checked.
func peekIssuer(raw string) (string, error) {
	payload, err := split(raw)
	if err != nil {
		return "", err
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return "", errors.New("the token's payload is not JSON")
	}
	return c.Issuer, nil
}
