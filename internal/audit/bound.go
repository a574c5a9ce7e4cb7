package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// What a record holds at most. A request must not be able to fill the disk through the trail.
const (
	maxText    = 2048 // bytes of a field or of the value of a detail
	maxName    = 128  // bytes of the name of a detail
	maxDetails = 64
)

// Bounded returns r as a store may keep it, so that its hash holds then as well: text is valid UTF-8 without NUL and of
// bounded length, what looks like a credential is masked, and a map without entries is nil. The caller's map is left alone.
func (r Record) Bounded() Record {
	for _, s := range []*string{&r.Actor, &r.Subject, &r.TokenID, &r.Via, &r.Addr, &r.RequestID, &r.Action, &r.Object, (*string)(&r.Outcome), &r.Reason} {
		*s = boundedText(*s, maxText)
	}
	details := r.Details
	r.Details = nil
	names := slices.Sorted(maps.Keys(details))
	if len(names) > maxDetails {
		r.addDetail("more_details", strconv.Itoa(len(names)-maxDetails+1))
		names = names[:maxDetails-1]
	}
	for _, name := range names {
		r.addDetail(boundedText(name, maxName), boundedText(details[name], maxText))
	}
	return r
}

func (r *Record) addDetail(name, value string) {
	if r.Details == nil {
		r.Details = map[string]string{}
	}
	r.Details[name] = value
}

func boundedText(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	s = seal.Mask(s)
	if len(s) <= limit {
		return s
	}
	end := limit - len("...(12345678 bytes more)")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s...(%d bytes more)", s[:end], len(s)-end)
}
