package api

import (
	"errors"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Access says who may use a route. Its zero value is no access rule at all, with which a table does not start.
type Access struct {
	rule   rule
	need   []identity.Permission // any of them
	enrols bool
}

type rule uint8

const (
	ruleMissing rule = iota
	rulePublic
	ruleLoggedIn
	ruleNeeds
)

// Needs admits callers with at least one of the permissions. What they may see beyond that, the service decides.
func Needs(any ...identity.Permission) Access { return Access{rule: ruleNeeds, need: any} }

// OrEnrols returns the rule with another way in: for callers who have to set up their second factor, and may do nothing
// else before. It is for routes that do that.
func (a Access) OrEnrols() Access {
	a.enrols = true
	return a
}

// LoggedIn admits everybody with a valid credential. Who wrote the handler has to make sure that it only touches what
// is the caller's own.
func LoggedIn() Access { return Access{rule: ruleLoggedIn} }

// Public admits everybody.
func Public() Access { return Access{rule: rulePublic} }

// Permissions returns the permissions of which one is needed; nil for Public and LoggedIn.
func (a Access) Permissions() []identity.Permission { return a.need }

// IsPublic reports whether no credential is needed.
func (a Access) IsPublic() bool { return a.rule == rulePublic }

// String describes the rule for people.
func (a Access) String() string {
	switch a.rule {
	case rulePublic:
		return "public"
	case ruleLoggedIn:
		return "any login"
	case ruleNeeds:
		return strings.Join(a.names(), " or ")
	case ruleMissing:
	}
	return "missing"
}

// Check returns nil when the caller may pass.
func (a Access) Check(c identity.Caller) error {
	switch a.rule {
	case rulePublic, ruleLoggedIn:
		return nil
	case ruleNeeds:
		if slices.ContainsFunc(a.need, c.Can) || a.enrols && c.Enrols {
			return nil
		}
		return c.Require(a.need[0])
	case ruleMissing:
	}
	return errors.New("route without an access rule")
}

func (a Access) names() []string {
	names := make([]string, len(a.need))
	for i, p := range a.need {
		names[i] = p.String()
	}
	return names
}

// isMissing reports whether nobody has said who may pass.
func (a Access) isMissing() bool {
	return a.rule == ruleMissing || a.rule == ruleNeeds && len(a.need) == 0
}
