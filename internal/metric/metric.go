// Package metric defines samples and what may be asked of them: scopes, units, aggregation, the line protocol and the
// queries over a metric engine.
package metric

import (
	"fmt"
	"time"
)

// Scope is a level of a node's hardware at which a metric is measured or shown.
type Scope string

// The scopes, from coarse to fine (contract clustercockpit 3.7, 5.7).
const (
	ScopeNode         Scope = "node"
	ScopeSocket       Scope = "socket"
	ScopeMemoryDomain Scope = "memoryDomain"
	ScopeCore         Scope = "core"
	ScopeHWThread     Scope = "hwthread"
	ScopeAccelerator  Scope = "accelerator"
)

// ParseScope returns the scope with that name.
func ParseScope(name string) (Scope, error) {
	s := Scope(name)
	if s.rank() == 0 {
		return "", fmt.Errorf("unknown scope %q: it is one of node, socket, memoryDomain, core, hwthread, accelerator", name)
	}
	return s, nil
}

// CoarserThan reports whether s is a level above t.
func (s Scope) CoarserThan(t Scope) bool { return s.rank() > t.rank() }

func (s Scope) rank() int {
	switch s {
	case ScopeNode:
		return 10
	case ScopeSocket:
		return 5
	case ScopeMemoryDomain:
		return 4
	case ScopeCore:
		return 3
	case ScopeHWThread:
		return 2
	case ScopeAccelerator:
		return 1
	default:
		return 0
	}
}

// Unit is a unit of measurement: an opaque base and an optional SI prefix (contract clustercockpit 5.8).
type Unit struct {
	Base   string
	Prefix string
}

// String returns prefix and base as one word, e.g. "GB/s".
func (u Unit) String() string { return u.Prefix + u.Base }

// Config is how one metric is stored, or computed.
type Config struct {
	Frequency   time.Duration // distance between two samples
	Aggregation Aggregation
	// Derived is how the metric is computed of others whenever it is asked for; nil for one that is measured.
	Derived *Expression
}

// Statistics is minimum, mean and maximum of a series of samples, absent ones left out.
type Statistics struct {
	Min, Avg, Max float64
}

// Series is the samples of one device, in equal steps. An absent sample is NaN.
type Series struct {
	From time.Time // time of the first slot
	Step time.Duration
	Data []float64
}
