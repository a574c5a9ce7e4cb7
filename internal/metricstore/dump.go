package metricstore

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"os"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/chunk"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"
)

// chunksPerRecord keeps records of long series far below the largest that a reader accepts.
const chunksPerRecord = 64

// dump writes the content of a checkpoint. It holds up the writers of a shard only while it copies one host.
func (db *DB) dump(f *os.File) error {
	var salt [8]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return err
	}
	w := &checkpointWriter{file: f, salt: binary.LittleEndian.Uint64(salt[:])}
	w.buf = frame.AppendHeader(w.buf, checkpointKind(), w.salt)
	for _, sh := range db.shards {
		sh.mu.RLock()
		hosts := sh.sorted()
		sh.mu.RUnlock()
		for _, h := range hosts {
			sh.mu.RLock()
			for _, s := range h.series {
				w.series(s)
			}
			sh.mu.RUnlock()
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	w.end()
	return w.flush()
}

// checkpointWriter collects records and writes them to the file.
type checkpointWriter struct {
	file    *os.File
	salt    uint64
	buf     []byte
	records uint64
}

// series appends the records of a series. One without samples has none.
func (w *checkpointWriter) series(s *series) {
	for rest := s.chunks; len(rest) > 0; {
		n := min(len(rest), chunksPerRecord)
		start := len(w.buf)
		w.buf = append(frame.Begin(w.buf), entrySeries)
		w.buf = appendIdentity(w.buf, s)
		w.buf = binary.AppendUvarint(w.buf, uint64(n))
		for i := range rest[:n] {
			w.buf = appendChunk(w.buf, &rest[i])
		}
		frame.End(w.buf, start, w.salt)
		w.records++
		rest = rest[n:]
	}
}

func appendChunk(dst []byte, c *chunk.Chunk) []byte {
	dst = binary.AppendVarint(dst, c.First())
	dst = binary.AppendUvarint(dst, uint64(len(c.Values())))
	for _, v := range c.Values() {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// end appends the record that tells a complete checkpoint.
func (w *checkpointWriter) end() {
	start := len(w.buf)
	w.buf = binary.AppendUvarint(append(frame.Begin(w.buf), entryEnd), w.records)
	frame.End(w.buf, start, w.salt)
}

func (w *checkpointWriter) flush() error {
	_, err := w.file.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
