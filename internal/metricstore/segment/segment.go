// Package segment is an immutable file of compressed samples, which is mapped into memory and read where it is asked for.
//
// A segment holds one block for each of its series, ordered by the numbers of the series: its stretches of samples, as
// package codec writes them, behind a checksum. Opening one reads a few bytes at its end, however large it is.
//
// docs/format/metricstore.md describes the bytes.
package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// ErrDamaged is the error for bytes that are not as they were written.
var ErrDamaged = errors.New("the segment is damaged")

const (
	magic      = "BHSEG\x00\x00\x01" // the last byte is the version
	headerSize = 16                  // magic, salt
	footerSize = 56
	// indexEvery is how many blocks there are at most for an entry of the index. Behind the one that the index finds, so many
	// heads of blocks are read to find the right one, each from another place in memory.
	indexEvery = 8
	// indexBytes is how far behind the last one in the index a block begins at least that is in it for that alone: to look
	// at many pages for heads costs more than to read what one is looking for.
	indexBytes = 4096
	entrySize  = 12 // series, place
)

// footer is the last bytes of the file.
type footer struct {
	index   uint64 // where it begins; the blocks end there
	entries uint32
	blocks  uint32
	from    int64 // Unix seconds of the first sample
	to      int64 // and behind the last one
	samples uint64
	sum     uint32 // of the index
}

func appendFooter(dst []byte, f footer, salt uint64) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, f.index)
	dst = binary.LittleEndian.AppendUint32(dst, f.entries)
	dst = binary.LittleEndian.AppendUint32(dst, f.blocks)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.from))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.to))
	dst = binary.LittleEndian.AppendUint64(dst, f.samples)
	dst = binary.LittleEndian.AppendUint32(dst, f.sum)
	dst = binary.LittleEndian.AppendUint32(dst, checksum(salt, dst[start:]))
	return append(dst, magic...)
}

// parseFooter reads the footer of a file of that size.
func parseFooter(b []byte, size int, salt uint64) (footer, error) {
	le := binary.LittleEndian
	f := footer{
		index: le.Uint64(b), entries: le.Uint32(b[8:]), blocks: le.Uint32(b[12:]),
		from: int64(le.Uint64(b[16:])), to: int64(le.Uint64(b[24:])), samples: le.Uint64(b[32:]), sum: le.Uint32(b[40:]),
	}
	room := uint64(size - footerSize)
	switch {
	case string(b[48:]) != magic || le.Uint32(b[44:]) != checksum(salt, b[:44]):
		return footer{}, fmt.Errorf("%w: its end is not that of a segment", ErrDamaged)
	case f.index < headerSize || f.index > room || uint64(f.entries)*entrySize != room-f.index:
		return footer{}, fmt.Errorf("%w: its index does not fit", ErrDamaged)
	}
	return f, nil
}

// checksum is CRC-32C of b, begun with the salt's two halves: blocks of one file are not taken for those of another.
func checksum(salt uint64, b []byte) uint32 {
	return crc32.Update(uint32(salt)^uint32(salt>>32), crc32.MakeTable(crc32.Castagnoli), b)
}

// Stretch is where a series has samples: from slot First on, so many slots, in which there may be gaps.
type Stretch struct {
	First int64
	Slots int
}

// End returns the slot behind the last one.
func (s Stretch) End() int64 { return s.First + int64(s.Slots) }

// heads takes the heads of stretches apart, one by one.
type heads struct {
	rest []byte
	data []byte
	left uint64
	end  int64 // of the one before
}

func newHeads(body []byte) (heads, error) {
	n, size := binary.Uvarint(body)
	if size <= 0 || n > uint64(len(body)) {
		return heads{}, ErrDamaged
	}
	length, size2 := binary.Uvarint(body[size:])
	if size2 <= 0 || length > uint64(len(body)-size-size2) {
		return heads{}, ErrDamaged
	}
	h := heads{left: n, rest: body[size+size2:]}
	h.rest, h.data = h.rest[:length], h.rest[length:]
	return h, nil
}

// next returns the next stretch and its bytes; ok is false behind the last one.
func (h *heads) next() (s Stretch, data []byte, ok bool, err error) { //nolint:revive // a stretch is its place and its bytes
	if h.left == 0 {
		return Stretch{}, nil, false, nil
	}
	h.left--
	gap, n := binary.Varint(h.rest)
	if n <= 0 {
		return Stretch{}, nil, false, ErrDamaged
	}
	slots, m := binary.Uvarint(h.rest[n:])
	if m <= 0 || slots == 0 || slots > math.MaxInt32 {
		return Stretch{}, nil, false, ErrDamaged
	}
	size, k := binary.Uvarint(h.rest[n+m:])
	if k <= 0 || size > uint64(len(h.data)) {
		return Stretch{}, nil, false, ErrDamaged
	}
	s = Stretch{First: h.end + gap, Slots: int(slots)}
	h.rest, h.end = h.rest[n+m+k:], s.End()
	data, h.data = h.data[:size], h.data[size:]
	return s, data, true, nil
}
