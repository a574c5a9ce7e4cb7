package checkpoint

import (
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// split takes the name of a level apart into type and id, which stand there without anything in between. Of types that
// are not known, the id begins with the first character that is no letter.
func split(level string) (kind, id string) {
	for _, known := range []metric.Scope{
		metric.ScopeSocket, metric.ScopeMemoryDomain, metric.ScopeCore, metric.ScopeHWThread, metric.ScopeAccelerator,
	} {
		if id, ok := strings.CutPrefix(level, string(known)); ok {
			return string(known), id
		}
	}
	letters := strings.TrimLeft(level, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if len(letters) == len(level) {
		return level, ""
	}
	return level[:len(level)-len(letters)], letters
}
