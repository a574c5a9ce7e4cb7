// Package frame puts checksummed records into a file and gets them back out of a damaged one.
//
// A file is a header and records. Each record carries a mark, its length, and two checksums, one over the record's head
// and one over its payload. Both are seeded with a random number that each file draws for itself: bytes that somebody
// sends us to be stored cannot pass for a record when the reader looks for the next one behind a damaged stretch.
//
// docs/format/metricstore.md describes the bytes.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	// HeaderSize is the length of a file's header.
	HeaderSize = 24
	// Overhead is what a record adds to its payload.
	Overhead = 16
	// MaxPayload is the largest payload. A length above it marks damage.
	MaxPayload = 16 << 20
)

// mark begins every record. It is not valid UTF-8, so no name contains it.
const mark = 0xB5E29DAD

// Kind is the first eight bytes of a file: what it is, and in which version.
type Kind [8]byte

// ErrKind is the error for a file that is not of the wanted kind, or whose header is damaged.
var ErrKind = errors.New("not a file of this kind, or its first bytes are damaged")

// AppendHeader appends the header of a file with that kind and salt.
func AppendHeader(dst []byte, kind Kind, salt uint64) []byte {
	start := len(dst)
	dst = append(dst, kind[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, salt)
	dst = binary.LittleEndian.AppendUint32(dst, checksum(0, dst[start:]))
	return binary.LittleEndian.AppendUint32(dst, 0)
}

// parseHeader returns the salt of the file that begins with b.
func parseHeader(b []byte, kind Kind) (salt uint64, err error) {
	if len(b) < HeaderSize || Kind(b[:8]) != kind || binary.LittleEndian.Uint32(b[16:]) != checksum(0, b[:16]) {
		return 0, fmt.Errorf("%w (%q)", ErrKind, kind[:5])
	}
	return binary.LittleEndian.Uint64(b[8:]), nil
}

// Begin appends the room for a record's head to dst. The payload is to be appended behind it; End closes the record.
func Begin(dst []byte) []byte {
	return append(dst, make([]byte, Overhead)...)
}

// End fills in the head of the record that Begin opened at dst[start:].
func End(dst []byte, start int, salt uint64) {
	head, payload := dst[start:start+Overhead], dst[start+Overhead:]
	binary.LittleEndian.PutUint32(head, mark)
	binary.LittleEndian.PutUint32(head[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(head[8:], checksum(salt, payload))
	binary.LittleEndian.PutUint32(head[12:], checksum(salt, head[:12]))
}

// head is the parsed head of a record.
type head struct{ length, sum uint32 }

// parseHead returns the head of the record that begins with b; ok is false when there is none.
func parseHead(b []byte, salt uint64) (h head, ok bool) {
	if binary.LittleEndian.Uint32(b) != mark || binary.LittleEndian.Uint32(b[12:]) != checksum(salt, b[:12]) {
		return head{}, false
	}
	h = head{binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])}
	return h, h.length <= MaxPayload
}

// checksum is CRC-32C of b, begun with the salt's two halves instead of zero. The processor has an instruction for this
// polynomial.
func checksum(salt uint64, b []byte) uint32 {
	return crc32.Update(uint32(salt)^uint32(salt>>32), castagnoli(), b)
}

// castagnoli returns the standard library's shared table.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
