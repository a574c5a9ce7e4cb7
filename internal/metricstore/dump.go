package metricstore

import (
	"crypto/rand"
	"encoding/binary"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/segment"
)

// dump writes what memory holds: chunks that are complete to a segment, the others to a checkpoint.
type dump struct {
	number uint64 // of the checkpoint
	// Series without a sample since then have ended, and their last chunks are complete, too. Unix seconds.
	idleSince int64
	segment   *segment.Writer
	moved     []moved
	rolled    []rolledChunk

	file    *os.File
	salt    uint64
	buf     []byte
	code    []byte
	values  []float64
	encoder codec.Encoder
	records uint64
}

// moved is a chunk that has been written to the segment.
type moved struct {
	series *series
	number int64
	end    int64
	state  chunk.State
}

func newDump(number uint64, idleSince int64, f *os.File) *dump {
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the program instead
	d := &dump{number: number, idleSince: idleSince, segment: segment.NewWriter(), file: f, salt: binary.LittleEndian.Uint64(salt[:])}
	d.buf = frame.AppendHeader(d.buf, checkpointKind(), d.salt)
	return d
}

// write writes all series to the checkpoint and the segment's writer. It holds up the writers of a shard only while it
// copies one host.
func (d *dump) write(db *DB) error {
	for _, sh := range db.shards {
		sh.mu.RLock()
		hosts := sh.sorted()
		sh.mu.RUnlock()
		for _, h := range hosts {
			sh.mu.Lock()
			before := len(d.rolled)
			d.roll(db, h)
			for _, s := range h.series {
				d.series(s)
			}
			d.recordRollups(h, d.rolled[before:])
			sh.mu.Unlock()
			if err := d.flush(); err != nil {
				return err
			}
		}
	}
	d.end(db.lastNumber.Load())
	return d.flush()
}

// series writes one series. The last chunk may still grow, and stays in memory, unless the series has ended.
func (d *dump) series(s *series) {
	s.sealed.seen = d.number
	complete := s.chunks[:d.complete(s)]
	after := s.sealed
	if len(complete) > 0 {
		d.segment.Begin(s.number)
	}
	for i := range complete {
		c := &complete[i]
		d.code = c.Encode(d.code[:0], &d.encoder)
		d.segment.AddEncoded(c.First(), c.Len(), d.code, s.time(c.First()), s.time(c.End()))
		d.moved = append(d.moved, moved{s, c.Number(), c.End(), c.State()})
		after.note(c.End())
	}
	d.record(s, after, s.chunks[len(complete):])
}

// complete returns how many of the series' chunks no longer grow.
func (d *dump) complete(s *series) int {
	n := len(s.chunks)
	if n > 0 && s.time(s.chunks[n-1].End()) > d.idleSince {
		n--
	}
	return n
}

// record appends the checkpoint's record of a series. One without samples has none.
func (d *dump) record(s *series, after sealed, chunks []chunk.Chunk) {
	if !after.any && len(chunks) == 0 {
		return
	}
	start := len(d.buf)
	d.buf = append(frame.Begin(d.buf), entrySeries)
	d.buf = appendIdentity(d.buf, s)
	d.buf = binary.AppendUvarint(d.buf, uint64(s.number))
	d.buf = appendSealed(d.buf, after)
	d.buf = binary.AppendUvarint(d.buf, uint64(len(chunks)))
	for i := range chunks {
		d.buf = binary.AppendVarint(d.buf, chunks[i].First())
		d.code = chunks[i].Encode(d.code[:0], &d.encoder)
		d.buf = binary.AppendUvarint(d.buf, uint64(len(d.code)))
		d.buf = append(d.buf, d.code...)
	}
	frame.End(d.buf, start, d.salt)
	d.records++
}

func appendSealed(dst []byte, s sealed) []byte {
	if !s.any {
		dst = append(dst, 0)
	} else {
		dst = binary.AppendVarint(append(dst, 1), s.end)
	}
	dst = binary.AppendUvarint(dst, s.seen)
	dst = binary.AppendUvarint(dst, uint64(len(s.floors)))
	for _, f := range s.floors {
		dst = binary.AppendVarint(dst, f.slot)
		dst = binary.AppendUvarint(dst, f.segment)
	}
	return dst
}

// end appends the record that tells a complete checkpoint.
func (d *dump) end(lastNumber uint32) {
	start := len(d.buf)
	d.buf = binary.AppendUvarint(append(frame.Begin(d.buf), entryEnd), d.records)
	d.buf = binary.AppendUvarint(d.buf, uint64(lastNumber))
	frame.End(d.buf, start, d.salt)
}

func (d *dump) flush() error {
	_, err := d.file.Write(d.buf)
	d.buf = d.buf[:0]
	return err
}
