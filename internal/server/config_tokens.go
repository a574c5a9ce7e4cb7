package server

import (
	"cmp"
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// TokensConfig is auth.tokens, which is ours: how long tokens live, beside auth.jwts.max-age, which caps them all. What is
// not said is as DefaultPolicy has it.
type TokensConfig struct {
	// MaxAccessLifetime and MaxRefreshLifetime cap the tokens that tools get at a login.
	MaxAccessLifetime  Lifetime `json:"max-access-lifetime"`
	MaxRefreshLifetime Lifetime `json:"max-refresh-lifetime"`
	// MaxServiceLifetime caps the tokens that people make for scripts and services.
	MaxServiceLifetime Lifetime `json:"max-service-lifetime"`
	// MaxImpersonationLifetime caps the tokens with which somebody acts as somebody else.
	MaxImpersonationLifetime Lifetime `json:"max-impersonation-lifetime"`
	// RequirePurpose refuses service and impersonation tokens that do not say what they are for.
	RequirePurpose bool `json:"require-purpose"`
	// WarnDays are how many days before a service token expires the log warns of it; [] never does.
	WarnDays []int `json:"warn-days"`
	// KeepLogins and KeepOthers are how long records of expired tokens stay: of access and refresh tokens, and of those
	// that people made on purpose.
	KeepLogins Lifetime `json:"keep-logins"`
	KeepOthers Lifetime `json:"keep-others"`
}

// Lifetime is a duration written as people write lifetimes, "30d", or as Go does, "720h".
type Lifetime time.Duration

// UnmarshalText parses a lifetime.
func (l *Lifetime) UnmarshalText(text []byte) error {
	d, err := token.ParseLifetime(string(text))
	if err != nil {
		if d, err = time.ParseDuration(string(text)); err != nil || d <= 0 {
			return fmt.Errorf("%q is not a lifetime such as \"30d\", \"12h\" or \"15m\"", text)
		}
	}
	*l = Lifetime(d)
	return nil
}

// MarshalText writes a lifetime as Duration does.
func (l Lifetime) MarshalText() ([]byte, error) { return Duration(l).MarshalText() }

// defaultTokens is the section of a file that says nothing.
func defaultTokens() TokensConfig {
	keep := token.DefaultKeep()
	return TokensConfig{WarnDays: []int{30, 7, 1}, KeepLogins: Lifetime(keep.Logins), KeepOthers: Lifetime(keep.Others)}
}

func (c TokensConfig) check() error {
	for _, days := range c.WarnDays {
		if days < 1 || days > 366 {
			return fmt.Errorf("auth.tokens.warn-days has %d: numbers of days from 1 to 366 are expected, as in [30, 7, 1]", days)
		}
	}
	return nil
}

// policy is the lifetimes that the token service holds.
func (c AuthConfig) policy() token.Policy {
	return token.Policy{
		MaxLifetime:       time.Duration(c.JWTs.MaxAge),
		MaxAccessLifetime: time.Duration(c.Tokens.MaxAccessLifetime), MaxRefreshLifetime: time.Duration(c.Tokens.MaxRefreshLifetime),
		MaxServiceLifetime:       time.Duration(cmp.Or(c.Tokens.MaxServiceLifetime, Lifetime(c.JWTs.MaxAge))),
		MaxImpersonationLifetime: time.Duration(c.Tokens.MaxImpersonationLifetime),
		RequirePurpose:           c.Tokens.RequirePurpose,
	}
}

func (c TokensConfig) keep() token.Keep {
	return token.Keep{Logins: time.Duration(c.KeepLogins), Others: time.Duration(c.KeepOthers)}
}
