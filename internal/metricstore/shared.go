package metricstore

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// kind is what series are called on their hosts. Hosts with the same devices have series of the same kinds, so each kind is
// in memory once, however many hosts there are.
type kind struct {
	id                                       string // see appendSeriesID
	Metric, Type, TypeID, SubType, SubTypeID string
}

// kind returns the kind of series with that id.
func (db *DB) kind(id []byte) *kind {
	return db.kinds.get(id, func(id string) *kind {
		// The names are parts of the id.
		k := kind{id: id}
		rest := id
		for _, name := range [...]*string{&k.Metric, &k.Type, &k.TypeID, &k.SubType, &k.SubTypeID} {
			n := 1 + int(rest[0])
			*name, rest = rest[1:n], rest[n:]
		}
		return &k
	})
}

// fullKey returns the whole name.
func (s *series) fullKey() Key {
	return Key{
		Cluster: s.host.cluster, Host: s.host.name, Metric: s.key.Metric,
		Type: s.key.Type, TypeID: s.key.TypeID, SubType: s.key.SubType, SubTypeID: s.key.SubTypeID,
	}
}

// spelling is how a sender writes the names of a series, without that of the host: so it is the same for all hosts.
type spelling struct {
	before, after string    // the name of the host
	hostless      bool      // the host is not named at all; before is everything
	field         string    // behind them
	line          *spelling // the same of all fields of a line; nil where lines have none
	memo          Memo
}

// spelling returns how head is written, with a field behind it or none, which a sender has used for a series of the host.
func (db *DB) spelling(head, field []byte, host string, m Memo) *spelling {
	var line *spelling
	if len(field) > 0 {
		line = db.spelling(head, nil, host, Memo{Way: m.Way, Origin: m.Origin})
	}
	before, after, found := bytes.Cut(head, []byte(host))
	id := make([]byte, 0, len(head)+len(field)+6*binary.MaxVarintLen64)
	id = append(id, m.Way)
	id = binary.AppendVarint(binary.AppendUvarint(binary.AppendUvarint(id, m.Origin), m.Names), m.Rest)
	id = append(binary.AppendUvarint(id, uint64(len(field))), field...)
	if found {
		// One more than the length: nothing with a host looks like something without.
		id = append(binary.AppendUvarint(id, 1+uint64(len(before))), before...)
		id = append(id, after...)
	} else {
		id = append(append(id, 0), before...)
	}
	return db.spellings.get(id, func(string) *spelling {
		return &spelling{before: string(before), after: string(after), hostless: !found, field: string(field), line: line, memo: m}
	})
}

// spells reports whether head is what the spelling makes of the name of the host.
func (p *spelling) spells(head []byte, host string) bool {
	if p.hostless {
		return string(head) == p.before
	}
	n, m := len(p.before), len(p.before)+len(host)
	return len(head) == m+len(p.after) && string(head[:n]) == p.before && string(head[n:m]) == host && string(head[m:]) == p.after
}

// shared has values that many series have in common, once each.
type shared[V any] struct {
	mu     sync.Mutex
	values map[string]*V
}

// maxShared is how many values are known at most. When there are more, they are not what many series have in common, and
// all are forgotten: by this table, not by the series.
const maxShared = 1 << 16

// get returns the value with that id, which it lets build make when there is none.
func (t *shared[V]) get(id []byte, build func(id string) *V) *V {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v := t.values[string(id)]; v != nil {
		return v
	}
	if t.values == nil || len(t.values) >= maxShared {
		t.values = map[string]*V{}
	}
	own := string(id)
	v := build(own)
	t.values[own] = v
	return v
}
