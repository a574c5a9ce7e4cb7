package segment

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Writer collects the blocks of a segment. It is for one goroutine. Between Begin and the next Begin, Add takes the
// stretches of one series in ascending order.
type Writer struct {
	blocks  []placed
	buf     []byte // bodies of the blocks, as they came
	heads   []byte
	data    []byte
	count   uint64 // stretches of the open block
	end     int64  // of the last one
	series  uint32 // of the open block
	from    int64
	to      int64
	samples uint64
	encoder codec.Encoder
}

// placed is where in buf the body of a series' block is.
type placed struct {
	series     uint32
	start, end int
}

// NewWriter returns a writer without blocks.
func NewWriter() *Writer { return &Writer{from: math.MaxInt64, to: math.MinInt64} }

// Begin begins the block of the series with that number. A series has one block.
func (w *Writer) Begin(series uint32) {
	w.close()
	w.series = series
}

// Add adds a stretch of the series, from slot first on. A NaN is a gap. from and to are the times, in Unix seconds, of the
// first sample and behind the last one.
func (w *Writer) Add(first int64, values []float64, from, to int64) {
	before := len(w.data)
	w.data = w.encoder.Append(w.data, values)
	w.head(first, len(values), len(w.data)-before)
	w.cover(from, to, uint64(len(values)))
}

// head notes a stretch whose bytes have been added to data.
func (w *Writer) head(first int64, slots, size int) {
	w.heads = binary.AppendVarint(w.heads, first-w.end)
	w.heads = binary.AppendUvarint(w.heads, uint64(slots))
	w.heads = binary.AppendUvarint(w.heads, uint64(size))
	w.end = first + int64(slots)
	w.count++
}

func (w *Writer) cover(from, to int64, samples uint64) {
	w.from, w.to = min(w.from, from), max(w.to, to)
	w.samples += samples
}

// close ends the open block, if there is anything in it.
func (w *Writer) close() {
	if w.count == 0 {
		return
	}
	start := len(w.buf)
	w.buf = binary.AppendUvarint(w.buf, w.count)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(w.heads)))
	w.buf = append(w.buf, w.heads...)
	w.buf = append(w.buf, w.data...)
	w.blocks = append(w.blocks, placed{w.series, start, len(w.buf)})
	w.heads, w.data, w.count, w.end = w.heads[:0], w.data[:0], 0, 0
}

// Len returns how many series have a block.
func (w *Writer) Len() int {
	w.close()
	return len(w.blocks)
}

// WriteFile writes the segment to a new file and syncs it. What fails leaves nothing behind.
func (w *Writer) WriteFile(path string) (err error) {
	w.close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the store's own folder
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write segment: %w", errors.Join(err, os.Remove(path)))
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	if err = w.write(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (w *Writer) write(out *bufio.Writer) error {
	var salted [8]byte
	_, _ = rand.Read(salted[:]) // never fails: crypto/rand ends the program instead
	salt := binary.LittleEndian.Uint64(salted[:])
	head := append([]byte(magic), salted[:]...)
	if _, err := out.Write(head); err != nil {
		return err
	}
	slices.SortFunc(w.blocks, func(a, b placed) int { return cmp.Compare(a.series, b.series) })
	place := uint64(headerSize)
	var index, buf []byte
	for i, b := range w.blocks {
		if i%indexEvery == 0 {
			index = binary.LittleEndian.AppendUint32(index, b.series)
			index = binary.LittleEndian.AppendUint64(index, place)
		}
		body := w.buf[b.start:b.end]
		buf = binary.AppendUvarint(buf[:0], uint64(b.series))
		buf = binary.AppendUvarint(buf, uint64(len(body)))
		buf = binary.LittleEndian.AppendUint32(buf, checksum(salt+uint64(b.series), body))
		place += uint64(len(buf) + len(body))
		if _, err := out.Write(buf); err != nil {
			return err
		}
		if _, err := out.Write(body); err != nil {
			return err
		}
	}
	f := footer{
		index: place, entries: uint32(len(index) / entrySize), blocks: uint32(len(w.blocks)),
		from: w.from, to: w.to, samples: w.samples, sum: checksum(salt, index),
	}
	_, err := out.Write(appendFooter(index, f, salt))
	return err
}
