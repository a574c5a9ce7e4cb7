package metricstore

import (
	"encoding/binary"
	"runtime"
	"sync"
)

// lanes restore the records of a checkpoint at the same time. All of a host go down the same lane, so that a lane has what
// it restores to itself but for the maps of hosts, and later records meet what earlier ones have left. The hosts of a shard
// follow each other in the file, and are spread over the lanes.
type lanes struct {
	db      *DB
	path    string
	batches [][]byte // for each lane, records with their lengths
	queues  []chan []byte
	running sync.WaitGroup
	id      []byte // room
}

// batchSize is how many bytes of records are handed over together.
const batchSize = 64 << 10

func (db *DB) openLanes(path string) *lanes {
	n := runtime.GOMAXPROCS(0)
	l := &lanes{db: db, path: path, batches: make([][]byte, n), queues: make([]chan []byte, n)}
	for i := range n {
		l.queues[i] = make(chan []byte, 4)
		l.running.Go(func() { l.restore(l.queues[i]) })
	}
	return l
}

// add has a record restored, which is copied.
func (l *lanes) add(payload []byte) {
	d := decoder{rest: payload}
	if d.byte() == entrySeries {
		d.uvarint() // step
		d.uvarint() // phase
	}
	l.id = appendHostID(l.id[:0], d.bytes(uint64(d.byte())), d.bytes(uint64(d.byte())))
	i := spread(l.id) / uint64(len(l.db.shards)) % uint64(len(l.queues)) // a record without a host is told by any lane
	l.batches[i] = append(binary.AppendUvarint(l.batches[i], uint64(len(payload))), payload...)
	if len(l.batches[i]) >= batchSize {
		l.send(i)
	}
}

func (l *lanes) send(i uint64) {
	l.queues[i] <- l.batches[i]
	l.batches[i] = make([]byte, 0, batchSize+batchSize/8)
}

// close returns when all is restored.
func (l *lanes) close() {
	for i := range uint64(len(l.queues)) {
		l.send(i)
		close(l.queues[i])
	}
	l.running.Wait()
}

// restore is one lane.
func (l *lanes) restore(queue <-chan []byte) {
	samples := int64(0)
	for batch := range queue {
		for records := (decoder{rest: batch}); len(records.rest) > 0; {
			n, err := l.db.restoreRecord(records.bytes(records.uvarint()))
			samples += n
			if err != nil {
				l.db.damage(l.path, err.Error())
			}
		}
	}
	l.db.found.Lock()
	defer l.db.found.Unlock()
	l.db.recovery.Checkpoint += samples
}
