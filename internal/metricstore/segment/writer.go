package segment

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Writer collects the blocks of a segment. It is for one goroutine. Between Begin and the next Begin, Add takes the
// stretches of one series in ascending order.
type Writer struct {
	blocks  []placed
	pieces  [][]byte // bodies of the blocks, as they came; pieces, because one buffer would be copied again and again to grow
	heads   []byte
	data    []byte
	body    []byte
	count   uint64 // stretches of the open block
	end     int64  // of the last one
	series  uint32 // of the open block
	from    int64
	to      int64
	encoder codec.Encoder
}

// pieceSize is how large a piece is, unless a block is larger.
const pieceSize = 1 << 20

// placed is where in the pieces the body of a series' block is.
type placed struct {
	series              uint32
	piece, start, bytes uint32
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
	w.from, w.to = min(w.from, from), max(w.to, to)
}

// AddEncoded is Add for so many slots that package codec has written already.
func (w *Writer) AddEncoded(first int64, slots int, code []byte, from, to int64) {
	w.data = append(w.data, code...)
	w.head(first, slots, len(code))
	w.from, w.to = min(w.from, from), max(w.to, to)
}

// head notes a stretch whose bytes have been added to data.
func (w *Writer) head(first int64, slots, size int) {
	w.heads = binary.AppendVarint(w.heads, first-w.end)
	w.heads = binary.AppendUvarint(w.heads, uint64(slots))
	w.heads = binary.AppendUvarint(w.heads, uint64(size))
	w.end = first + int64(slots)
	w.count++
}

// takeBody returns the body of the open block and ends it; nil when there is nothing in it. It is good until the next one.
func (w *Writer) takeBody() []byte {
	if w.count == 0 {
		return nil
	}
	w.body = binary.AppendUvarint(w.body[:0], w.count)
	w.body = binary.AppendUvarint(w.body, uint64(len(w.heads)))
	w.body = append(w.body, w.heads...)
	w.body = append(w.body, w.data...)
	w.heads, w.data, w.count, w.end = w.heads[:0], w.data[:0], 0, 0
	return w.body
}

// close ends the open block and keeps it, if there is anything in it.
func (w *Writer) close() {
	body := w.takeBody()
	if body == nil {
		return
	}
	n := len(w.pieces) - 1
	if n < 0 || len(body) > cap(w.pieces[n])-len(w.pieces[n]) {
		w.pieces = append(w.pieces, make([]byte, 0, max(pieceSize, len(body))))
		n++
	}
	w.blocks = append(w.blocks, placed{w.series, uint32(n), uint32(len(w.pieces[n])), uint32(len(body))})
	w.pieces[n] = append(w.pieces[n], body...)
}

// Len returns how many series have a block.
func (w *Writer) Len() int {
	w.close()
	return len(w.blocks)
}

// WriteFile writes the segment to a new file and syncs it. What fails leaves nothing behind.
func (w *Writer) WriteFile(path string) error {
	w.close()
	slices.SortFunc(w.blocks, func(a, b placed) int { return cmp.Compare(a.series, b.series) })
	return writeFile(path, w.write)
}

func (w *Writer) write(out *bufio.Writer) error {
	f, err := newFileWriter(out)
	if err != nil {
		return err
	}
	for _, b := range w.blocks {
		if err := f.block(b.series, w.pieces[b.piece][b.start:][:b.bytes]); err != nil {
			return err
		}
	}
	return f.finish(w.from, w.to)
}
