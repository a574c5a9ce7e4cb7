package metricstore

import "math"

// replayer puts the records of one log segment into memory.
type replayer struct {
	db       *DB
	refs     []*series // what the segment's numbers stand for
	lost     int64     // samples whose series was never introduced
	restored int64     // samples that were not lost
	shard    *shard    // whose mu is held
}

// record takes a record apart. size is that of the file.
func (r *replayer) record(payload []byte, size int64) error {
	d := decoder{rest: payload}
	for len(d.rest) > 0 && !d.failed {
		var err error
		switch d.byte() {
		case entryDefine:
			err = r.define(&d, size)
		case entrySamples:
			r.samples(&d)
		case entryFree:
			r.free(&d)
		default:
			d.fail()
		}
		if err != nil {
			return err
		}
	}
	if d.failed {
		return errEntry
	}
	return nil
}

func (r *replayer) define(d *decoder, size int64) error {
	ref := d.uvarint()
	l, step, phase := d.identity()
	if d.failed || ref > uint64(size) { // numbers are given out one by one, and each takes more than a byte
		return errEntry
	}
	s, err := r.db.restoreSeries(&l, step, phase, 0)
	if err != nil {
		return err
	}
	r.enter(s.host.shard)
	defer r.leave()
	if s.phase != phase {
		if err := s.beginAnew(r.db, phase); err != nil {
			return err
		}
	}
	for uint64(len(r.refs)) <= ref {
		r.refs = append(r.refs, nil)
	}
	r.refs[ref] = s
	return nil
}

// beginAnew makes the series one with another phase: the one that there was has run dry, or was taken out for its age, which
// the log does not say. Its samples lie in other slots. ErrNumbers.
func (s *series) beginAnew(db *DB, phase int64) (err error) {
	s.spoil(math.MinInt64, math.MaxInt64)
	s.phase = phase
	if s.empty() {
		return nil
	}
	for i := range s.chunks {
		db.bytes.Add(-int64(s.chunks[i].Bytes()))
	}
	s.chunks, s.sealed = nil, sealed{}
	s.number, err = db.newNumbers(1)
	return err
}

func (r *replayer) samples(d *decoder) {
	n := d.uvarint()
	base := d.varint()
	var sum tally
	newest := int64(math.MinInt64)
	defer r.leave()
	for range n {
		ref, t, v := d.uvarint(), base+d.varint(), d.float()
		if d.failed {
			break
		}
		if ref >= uint64(len(r.refs)) || r.refs[ref] == nil {
			r.lost++
			continue
		}
		r.enter(r.refs[ref].host.shard)
		r.refs[ref].set(r.db, t, v, &sum)
		newest = max(newest, t)
		r.restored++
	}
	r.db.bytes.Add(int64(sum.grown))
	r.db.raiseNewest(newest)
}

// enter takes the lock of a shard instead of that of another one. All hosts of a log are in one shard, unless the number
// of shards has changed since.
func (r *replayer) enter(sh *shard) {
	if r.shard == sh {
		return
	}
	r.leave()
	sh.mu.Lock()
	r.shard = sh
}

func (r *replayer) leave() {
	if r.shard != nil {
		r.shard.mu.Unlock()
		r.shard = nil
	}
}

func (r *replayer) free(d *decoder) {
	before := d.varint()
	of := division{d.uvarint(), d.uvarint()}
	n := d.uvarint()
	if n > maxPath || of.shard >= of.shards {
		d.fail()
		return
	}
	path := make([]string, n)
	for i := range path {
		path[i] = string(d.bytes(d.uvarint()))
	}
	if d.failed {
		return
	}
	for _, sh := range r.db.shards {
		sh.clear(r.db, of, path, before)
	}
}
