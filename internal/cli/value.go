package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bridgehead-hpc/bridgehead/internal/hostlist"
)

// timeFields are the fields whose number is a moment in seconds since 1970.
var timeFields = []string{
	"activated", "created", "expires", "issued", "issued_at", "last_login", "last_modified", "last_update", "last_used", "modified",
	"mtime", "refresh_expires", "retired", "revoked", "revoked_at", "seen", "time",
}

// spanFields are the fields whose number is a length of time in seconds; 0 is no limit.
var spanFields = []string{"max_lifetime"}

// sizeFields are the fields whose number is a count of bytes.
var sizeFields = []string{"size"}

// sortedKeys returns the keys of a map as people count.
func sortedKeys[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), hostlist.Compare)
}

// inline writes a value on one line. Lists and maps are written the way that the original's Python shows them, which
// scripts take apart.
func inline(field string, v any, now time.Time) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return printable(v)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return number(field, v, now)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = quoted(e, now)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range sortedKeys(v) {
			parts = append(parts, "'"+printable(k)+"': "+quoted(v[k], now))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return printable(fmt.Sprint(v))
	}
}

func quoted(v any, now time.Time) string {
	if s, ok := v.(string); ok {
		return "'" + printable(s) + "'"
	}
	return inline("", v, now)
}

// printable keeps a record's text from steering the terminal, and from showing itself in another order than it has.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, strings.ReplaceAll(s, "\n", `\n`))
}

func number(field string, n json.Number, now time.Time) string {
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	switch {
	case slices.Contains(timeFields, field):
		return moment(f, now)
	case slices.Contains(sizeFields, field):
		return size(f)
	case slices.Contains(spanFields, field) && f == 0:
		return "-"
	case slices.Contains(spanFields, field):
		return span(time.Duration(f) * time.Second)
	default:
		return n.String()
	}
}

// moment writes a time with its distance from now.
func moment(seconds float64, now time.Time) string {
	if seconds == 0 {
		return "never"
	}
	at := time.UnixMicro(int64(seconds * 1e6)).UTC()
	return at.Format("2006-01-02 15:04:05 UTC") + " (" + age(now, at) + ")"
}

// age writes how long ago at is, or how far ahead: "0:42:47 ago", "in 1 day, 0:00:00".
func age(now, at time.Time) string {
	d := now.Sub(at)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	d = d.Truncate(time.Second)
	days := int(d / (24 * time.Hour))
	d -= time.Duration(days) * 24 * time.Hour
	clock := fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	switch days {
	case 0:
		return clock
	case 1:
		return "1 day, " + clock
	default:
		return fmt.Sprintf("%d days, %s", days, clock)
	}
}

// size writes a number of bytes for people.
func size(bytes float64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%.0f B", bytes)
	}
	unit := -1
	for bytes >= 1024 && unit < 4 {
		bytes /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", bytes, "KMGTP"[unit])
}
