package metricstore

import "github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"

// Abandon closes the files as a dying process does: without a checkpoint.
func (db *DB) Abandon() error { return db.release() }

// Seal moves everything into a segment, as a full memory does.
func (db *DB) Seal() error { return db.checkpointSealing(sealAll) }

// GatherFrom sets from how many devices on it is kept what they have together in memory.
func (db *DB) GatherFrom(devices int) { db.gatheredFrom = devices }

// Meanwhile has something happen in each checkpoint, when it has written down what memory holds and that is still there.
func (db *DB) Meanwhile(f func()) { db.dumped = f }

// Number has the next series get the number behind that one.
func (db *DB) Number(last uint32) { db.lastNumber.Store(last) }

// Guesses returns how many series of a host are guessed to come next that are gone.
func (db *DB) Guesses(cluster, host string) (gone int) {
	id, _ := hostID(cluster, host)
	for _, s := range db.shardOf(id).host(id).series {
		if next := s.next.Load(); next != nil && next.gone {
			gone++
		}
	}
	return gone
}

// Gathered returns of how many chunks it is kept what the devices of a host have together.
func (db *DB) Gathered(cluster, host string) int {
	id, _ := hostID(cluster, host)
	return len(db.shardOf(id).host(id).gathered)
}

// LogKind and CheckpointKind are how the files begin.
func LogKind() frame.Kind { return logKind() }

// CheckpointKind is how a checkpoint begins.
func CheckpointKind() frame.Kind { return checkpointKind() }

// RolledUp returns for how many chunks the rollup of a metric on a host is good.
func (db *DB) RolledUp(cluster, host, metric string) int64 {
	id, _ := hostID(cluster, host)
	sh := db.shardOf(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	n := int64(0)
	if h := sh.hosts[string(id)]; h != nil && h.rollups[metric] != nil {
		for _, s := range h.rollups[metric].good {
			n += s.to - s.from
		}
	}
	return n
}
