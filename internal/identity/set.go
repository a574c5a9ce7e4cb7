package identity

import (
	"math/bits"
	"slices"
)

// Set is a set of permissions. The zero value is empty. Sets are values and comparable.
type Set struct{ words [2]uint64 }

// SetOf returns the set of the given permissions.
func SetOf(ps ...Permission) Set {
	var s Set
	for _, p := range ps {
		s.words[p/64] |= 1 << (p % 64)
	}
	return s
}

// All returns the set of every permission in the catalogue.
func All() Set {
	var s Set
	for p := noPermission + 1; p < permissionEnd; p++ {
		s.words[p/64] |= 1 << (p % 64)
	}
	return s
}

// Has reports whether p is in s.
func (s Set) Has(p Permission) bool { return s.words[p/64]&(1<<(p%64)) != 0 }

// Union returns what is in s or in t.
func (s Set) Union(t Set) Set {
	return Set{[2]uint64{s.words[0] | t.words[0], s.words[1] | t.words[1]}}
}

// Intersect returns what is in both s and t.
func (s Set) Intersect(t Set) Set {
	return Set{[2]uint64{s.words[0] & t.words[0], s.words[1] & t.words[1]}}
}

// Minus returns what is in s but not in t.
func (s Set) Minus(t Set) Set {
	return Set{[2]uint64{s.words[0] &^ t.words[0], s.words[1] &^ t.words[1]}}
}

// SubsetOf reports whether everything in s is in t as well.
func (s Set) SubsetOf(t Set) bool { return s.Minus(t) == Set{} }

// Len returns how many permissions s has.
func (s Set) Len() int { return bits.OnesCount64(s.words[0]) + bits.OnesCount64(s.words[1]) }

// List returns the permissions of s in the order of the catalogue.
func (s Set) List() []Permission {
	list := make([]Permission, 0, s.Len())
	for p := noPermission + 1; p < permissionEnd; p++ {
		if s.Has(p) {
			list = append(list, p)
		}
	}
	return list
}

// Names returns the names of the permissions of s, sorted.
func (s Set) Names() []string {
	names := make([]string, 0, s.Len())
	for _, p := range s.List() {
		names = append(names, p.String())
	}
	slices.Sort(names)
	return names
}
