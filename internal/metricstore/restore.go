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
	var records, promised uint64
	complete := false
	end, err := db.readRecords(path, checkpointKind(), func(payload []byte, _ int64) error {
		d := decoder{rest: payload}
		switch d.byte() {
		case entrySeries:
			records++
			if err := db.restoreChunks(&d); err != nil {
				return err
			}
		case entryRollup:
			if err := db.restoreRollup(&d); err != nil {
				return err
			}
		case entryEnd:
			promised, complete = d.uvarint(), true
			db.raiseNumber(uint32(min(d.uvarint(), math.MaxUint32)))
		default:
			d.fail()
		}
		if d.failed || len(d.rest) > 0 {
			return errEntry
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !complete || records != promised || end.torn != end.size {
		db.damage(path, "the checkpoint is not complete")
	}
	return nil
}

func (db *DB) restoreChunks(d *decoder) error {
	l, step, phase := d.identity()
	number := d.uvarint()
	sealed := d.sealed()
	n := d.uvarint()
	if d.failed || number > math.MaxUint32 {
		return errEntry
	}
	s, err := db.restoreSeries(&l, step, phase, uint32(number))
	if err != nil {
		return err
	}
	s.number, s.sealed = uint32(number), sealed
	db.raiseNumber(s.number)
	for range n {
		first := d.varint()
		code := d.bytes(d.uvarint())
		if d.failed {
			return errEntry
		}
		values, err := codec.Decode(nil, code)
		if err != nil {
			return errEntry
		}
		c, ok := chunk.Restore(first, values)
		if !ok {
			return errEntry
		}
		db.bytes.Add(int64(s.restore(c)))
		db.raiseNewest(s.time(c.End()))
		db.recovery.Checkpoint += int64(len(values))
	}
	return nil
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
		_, end := seg.Span()
		db.raiseNewest(end)
	}
	return nil
}

// raiseNumbers keeps new series from getting the numbers of series that only segments know, as may be when a checkpoint
// was damaged.
func (db *DB) raiseNumbers() {
	for _, seg := range db.published() {
		if last, err := seg.Last(); err == nil {
			db.raiseNumber(last)
		}
	}
}
