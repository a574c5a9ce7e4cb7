package identity

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

var customRole = regexp.MustCompile(`^role\.[A-Z][A-Za-z0-9]{0,63}$`)

// checkName reports what is wrong with the name of a new role: fault.Invalid, and fault.Conflict when there is one that
// people would take for it.
func (t *Roles) checkName(r Role) error {
	if !customRole.MatchString(string(r)) {
		return fault.New(fault.Invalid, "role name %q is not valid: role. and then 1 to 64 letters and digits, beginning with a capital, as in role.NightShift", r)
	}
	for _, taken := range append(slices.Clone(t.order), roleImagingEngineer) {
		if strings.EqualFold(string(taken), string(r)) {
			return fault.New(fault.Conflict, "there is a role %s already", taken)
		}
	}
	return nil
}

const (
	maxDisplay     = 100 // characters of a role's name for people
	maxDescription = 1000
)

// check reports what is wrong with a role that is to be stored, as fault.Invalid.
func (g Grant) check() error {
	if err := checkLine("display", g.Display, maxDisplay); err != nil {
		return err
	}
	if err := checkLine("description", g.Description, maxDescription); err != nil {
		return err
	}
	if g.MaxLifetime < 0 || g.MaxLifetime%time.Second != 0 {
		return fault.New(fault.Invalid, "max_lifetime %s is not valid: whole seconds are expected, or 0 for no limit", g.MaxLifetime)
	}
	if g.Role == RoleAuthUser && g.Nodes != nil {
		return fault.New(fault.Invalid, "role.AuthUser is part of every role of ClusterWare and cannot be limited to nodes; limit those roles")
	}
	return nil
}

func checkLine(what, text string, most int) error {
	notPrint := func(c rune) bool { return !unicode.IsPrint(c) }
	switch {
	case utf8.RuneCountInString(text) > most:
		return fault.New(fault.Invalid, "the %s of a role has at most %d characters", what, most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, notPrint):
		return fault.New(fault.Invalid, "the %s of a role is one line of text", what)
	}
	return nil
}

// words makes a name for people: role.NightShift becomes Night Shift.
func words(r Role) string {
	var b strings.Builder
	before := rune(0)
	for _, c := range strings.TrimPrefix(string(r), "role.") {
		if unicode.IsUpper(c) && unicode.IsLower(before) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
		before = c
	}
	return b.String()
}

func nodesOrNil(expr string) (NodeSet, error) {
	if strings.TrimSpace(expr) == "" {
		return nil, nil
	}
	return ParseNodeSet(expr)
}

func roleObject(r Role) string { return "role/" + string(r) }

// roleChanges says for the trail what differs; permissions as +Gained,-Lost.
func roleChanges(before, after Grant) map[string]string {
	d := map[string]string{}
	note := func(name, was, is string) {
		if was != is {
			d[name] = is
		}
	}
	note("display", before.Display, after.Display)
	note("description", before.Description, after.Description)
	note("nodes", nodesText(before.Nodes), nodesText(after.Nodes))
	note("max_lifetime", before.MaxLifetime.String(), after.MaxLifetime.String())
	note("permissions", "", gainsAndLosses(before.Permissions, after.Permissions))
	note("delegates", "", gainsAndLosses(before.Delegates, after.Delegates))
	return d
}

func gainsAndLosses(before, after Set) string {
	var list []string
	for _, name := range after.Minus(before).Names() {
		list = append(list, "+"+name)
	}
	for _, name := range before.Minus(after).Names() {
		list = append(list, "-"+name)
	}
	return strings.Join(list, ",")
}
