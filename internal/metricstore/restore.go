package metricstore

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// readCheckpoint fills the empty store from the file.
func (db *DB) readCheckpoint(path string) error {
	var records, promised, last uint64
	complete := false
	lanes := db.openLanes(path)
	end, err := db.readRecords(path, checkpointKind(), func(payload []byte, _ int64) error {
		d := decoder{rest: payload}
		switch d.byte() {
		case entrySeries:
			records++
			lanes.add(payload)
			return nil
		case entryRollup:
			lanes.add(payload)
			return nil
		case entryEnd:
			promised, last, complete = d.uvarint(), d.uvarint(), true
		default:
			d.fail()
		}
		return d.end()
	})
	lanes.close()
	if err != nil {
		return err
	}
	if complete {
		db.lastNumber.Store(uint32(last))
	}
	if !complete || records != promised || end.torn != end.size {
		db.damage(path, "the checkpoint is not complete")
	}
	return nil
}

// restoreRecord puts what a record of a series or a roll-up says into the store, and returns how many samples and gaps that
// are.
func (db *DB) restoreRecord(payload []byte) (samples int64, err error) {
	d := decoder{rest: payload}
	if d.byte() == entryRollup {
		err = db.restoreRollup(&d)
	} else {
		samples, err = db.restoreChunks(&d)
	}
	if err == nil {
		err = d.end()
	}
	return samples, err
}

func (db *DB) restoreChunks(d *decoder) (samples int64, err error) {
	l, step, phase := d.identity()
	number := d.uvarint()
	sealed := d.sealed()
	n := d.uvarint()
	if d.failed || number > math.MaxUint32 {
		return 0, errEntry
	}
	s, err := db.restoreSeries(&l, step, phase)
	if err != nil {
		return 0, err
	}
	s.number, s.sealed = uint32(number), sealed
	for range n {
		first := d.varint()
		code := d.bytes(d.uvarint())
		if d.failed {
			return samples, errEntry
		}
		values, err := codec.Decode(nil, code)
		if err != nil {
			return samples, errEntry
		}
		c, ok := chunk.Restore(first, values)
		if !ok {
			return samples, errEntry
		}
		db.bytes.Add(int64(s.restore(c)))
		db.raiseNewest(s.time(c.End()))
		samples += int64(len(values))
	}
	return samples, nil
}

// sealed reads what appendSealed has written.
func (d *decoder) sealed() sealed {
	var s sealed
	if d.byte() == 1 {
		s.note(d.varint())
	}
	s.seen = d.uvarint()
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return sealed{}
	}
	for range n {
		s.floors = append(s.floors, floor{d.varint(), d.uvarint()})
	}
	return s
}

// openSegments opens the segments that belong to the checkpoint with that number, and removes those that were written
// before a death for one that was never completed.
func (db *DB) openSegments(files []file, covered uint64) error {
	for _, f := range files {
		if f.number > covered {
			if err := os.Remove(f.path); err != nil {
				return fmt.Errorf("remove a segment that does not count: %w", err)
			}
			continue
		}
		seg, err := segment.Open(f.path)
		if errors.Is(err, segment.ErrDamaged) {
			db.damage(f.path, err.Error())
			continue
		}
		if err != nil {
			return err
		}
		db.publish(numbered{seg, f.number})
	}
	return nil
}

// raiseNumbers keeps new series from getting the numbers of series that only segments know, as may be when a checkpoint
// was damaged.
func (db *DB) raiseNumbers() {
	for _, seg := range db.published() {
		if last, err := seg.Last(); err == nil && last > db.lastNumber.Load() {
			db.lastNumber.Store(last)
		}
	}
}
