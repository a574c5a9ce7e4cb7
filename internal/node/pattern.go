package node

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// DefaultPattern names nodes n0, n1, n2 and so on.
const DefaultPattern = "n{}"

// Pattern makes a node's name from its index: text around one pair of braces (contract clusterware 4.9). The zero
// value is not a pattern; ParsePattern makes them.
type Pattern struct {
	prefix, suffix string
	format         string // what stands in the braces
	width          int    // zero-padded to this many digits
	base           int    // 10 or 16
}

// maxWidth keeps padded names within a name's length.
const maxWidth = 20

var patternForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_.+-]*|)\{(:(?:0([1-9][0-9]?))?([dx])|)\}([A-Za-z0-9_.+-]*)$`)

// ParsePattern reads a naming pattern. Inside the braces may stand nothing, :d, :x, or :0Nd and :0Nx for numbers that
// are padded with zeros to N digits. fault.Invalid.
func ParsePattern(s string) (Pattern, error) {
	m := patternForm.FindStringSubmatch(s)
	if m == nil {
		return Pattern{}, fault.New(fault.Invalid, "naming pattern %q is not valid: letters with one pair of braces, as in n{} or gpu{:03d} or rack{:x}", s)
	}
	p := Pattern{prefix: m[1], format: m[2], suffix: m[5], base: 10}
	if m[4] == "x" {
		p.base = 16
	}
	if m[3] != "" {
		p.width, _ = strconv.Atoi(m[3]) // two digits at most
	}
	if p.prefix == "" {
		return Pattern{}, fault.New(fault.Invalid, "naming pattern %q is not valid: names begin with a letter", s)
	}
	if p.width > maxWidth || len(p.prefix)+len(p.suffix) > 100 {
		return Pattern{}, fault.New(fault.Invalid, "naming pattern %q is not valid: its names would be too long", s)
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.prefix + "{" + p.format + "}" + p.suffix }

// Format returns the name of the node with that index.
func (p Pattern) Format(index int) string {
	digits := strconv.FormatInt(int64(index), p.base)
	return fmt.Sprintf("%s%0*s%s", p.prefix, p.width, digits, p.suffix)
}

// Parse returns the index from which Format makes exactly that name.
func (p Pattern) Parse(name string) (index int, ok bool) {
	digits, found := strings.CutPrefix(name, p.prefix)
	if !found {
		return 0, false
	}
	digits, found = strings.CutSuffix(digits, p.suffix)
	if !found {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, p.base, strconv.IntSize)
	if err != nil || n < 0 || p.Format(int(n)) != name {
		return 0, false
	}
	return int(n), true
}
