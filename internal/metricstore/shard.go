package metricstore

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/wal"
)

// shard is the part of the store that holds some of the hosts. When both locks are needed, commit is taken first.
type shard struct {
	number int

	// commit serialises the writers of the log and of the samples, so that the samples of a slot come in the same order
	// in the log and in memory.
	commit  sync.Mutex
	segment uint64 // number of the log segment that is being written
	nextRef uint32
	closed  bool

	// log is written under commit and synced without it; nil before the first record of a segment.
	log atomic.Pointer[wal.Segment]

	mu    sync.RWMutex // guards the hosts and everything below them
	hosts map[string]*host
	seen  byte // see approach: without it, the compiler would leave out looking
}

// lookup returns the series with that id; nil when there is none.
func (sh *shard) lookup(h *host, id []byte) *series {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if h.gone {
		return nil
	}
	return h.series[string(id)]
}

// host returns the host with that id; nil when there is none.
func (sh *shard) host(id []byte) *host {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.hosts[string(id)]
}

// addHost returns the host with that id, which it creates when there is none and the store has room.
func (sh *shard) addHost(db *DB, id []byte, l *Labels) (*host, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h := sh.hosts[string(id)]; h != nil {
		return h, nil
	}
	if int(db.hosts.Load()) >= db.opt.MaxHosts {
		return nil, ErrTooManyHosts
	}
	h := &host{
		id: string(id), cluster: string(l.Cluster), name: string(l.Host), shard: sh,
		series: map[string]*series{}, byMetric: map[string][]*series{},
	}
	sh.hosts[h.id] = h
	db.hosts.Add(1)
	return h, nil
}

// addSeries returns the series with that id, which it creates when there is none and the host has room. number is what it
// gets then, 0 for a new one.
func (sh *shard) addSeries(db *DB, h *host, id []byte, step, phase int64, number uint32) (*series, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if current := sh.hosts[h.id]; current != nil {
		h = current // the one that the caller knows was taken out and has a successor
	}
	if s := h.series[string(id)]; s != nil {
		return s, nil
	}
	if len(h.series) >= db.opt.MaxSeriesPerHost {
		return nil, ErrTooManySeries
	}
	if number == 0 {
		var err error
		if number, err = db.newNumbers(1); err != nil {
			return nil, err
		}
	}
	s := &series{host: h, key: db.kind(id), step: step, phase: phase, number: number}
	sh.attach(db, s)
	return s, nil
}

// attach puts the series, and its host if need be, into the maps. The caller holds mu.
func (sh *shard) attach(db *DB, s *series) {
	h := s.host
	if h.gone {
		h.gone = false
		sh.hosts[h.id] = h
		db.hosts.Add(1)
	}
	h.series[s.key.id] = s
	list := h.byMetric[s.key.Metric]
	i, _ := slices.BinarySearchFunc(list, s, compareSeries)
	h.byMetric[s.key.Metric] = slices.Insert(list, i, s)
	clear(h.gathered)
	db.series.Add(1)
}

// detach takes a series without samples out of the maps, and its host when it was the last one. The caller holds commit
// and mu.
func (sh *shard) detach(db *DB, s *series) {
	h := s.host
	delete(h.series, s.key.id)
	list := slices.DeleteFunc(h.byMetric[s.key.Metric], func(other *series) bool { return other == s })
	h.byMetric[s.key.Metric] = list
	clear(h.gathered)
	if len(list) == 0 {
		delete(h.byMetric, s.key.Metric)
	}
	s.gone = true
	s.segment = 0
	s.next.Store(nil)
	db.series.Add(-1)
	if len(h.series) == 0 {
		h.gone = true
		delete(sh.hosts, h.id)
		db.hosts.Add(-1)
	}
}

// revive returns the series that has the identity of s now. Since s was taken out for want of samples, another may have
// taken its place; otherwise it comes back. ErrNumbers. The caller holds commit.
func (sh *shard) revive(db *DB, s *series) (*series, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := s.host
	if current := sh.hosts[h.id]; current != nil {
		h = current
	}
	if current := h.series[s.key.id]; current != nil {
		return current, nil
	}
	number, err := db.newNumbers(1)
	if err != nil {
		return nil, err
	}
	fresh := &series{key: s.key, host: h, step: s.step, phase: s.phase, number: number}
	sh.attach(db, fresh)
	return fresh, nil
}

// sorted returns the hosts by cluster and name. The caller holds mu.
func (sh *shard) sorted() []*host {
	list := make([]*host, 0, len(sh.hosts))
	for _, h := range sh.hosts {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b *host) int { return strings.Compare(a.id, b.id) })
	return list
}

// compareSeries orders series by device: ids in the order of their numbers.
func compareSeries(a, b *series) int {
	if c := strings.Compare(a.key.Type, b.key.Type); c != 0 {
		return c
	}
	if c := compareIDs(a.key.TypeID, b.key.TypeID); c != 0 {
		return c
	}
	if c := strings.Compare(a.key.SubType, b.key.SubType); c != 0 {
		return c
	}
	if c := compareIDs(a.key.SubTypeID, b.key.SubTypeID); c != 0 {
		return c
	}
	return int(a.step - b.step)
}

// compareIDs puts shorter ids first: the ids of devices are numbers, or addresses of one length.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// division is the part of all hosts that a shard has, among so many shards.
type division struct{ shard, shards uint64 }

// has reports whether the host with that id belongs to the division.
func (d division) has(hostID string) bool { return spread(hostID)%d.shards == d.shard }

// spread is the FNV-1a hash of a host's id. What it gives is in the log, so it stays as it is.
func spread[T string | []byte](hostID T) uint64 {
	h := uint32(2166136261)
	for i := range len(hostID) {
		h = (h ^ uint32(hostID[i])) * 16777619
	}
	return uint64(h)
}
