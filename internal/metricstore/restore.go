package metricstore

import (
	"encoding/binary"
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
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
		case entryEnd:
			promised, complete = d.uvarint(), true
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
	n := d.uvarint()
	if d.failed {
		return errEntry
	}
	s, err := db.restoreSeries(&l, step, phase)
	if err != nil {
		return err
	}
	for range n {
		first := d.varint()
		count := d.uvarint()
		if d.failed || count > chunk.Slots {
			return errEntry
		}
		c, ok := chunk.Restore(first, decodeValues(d.bytes(8*count)))
		if !ok {
			return errEntry
		}
		db.bytes.Add(int64(s.restore(c)))
		db.recovery.Checkpoint += int64(count)
	}
	return nil
}

func decodeValues(raw []byte) []float64 {
	values := make([]float64, len(raw)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return values
}
