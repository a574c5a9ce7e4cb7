package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// appendXOR appends the first value, and what differs in each following one from the one before. In a block, the bits that
// differ nowhere, at either end, are left out: numbers that were float32 once have 29 such bits, and steady ones many in
// front.
func appendXOR(dst []byte, values []float64) []byte {
	before := math.Float64bits(values[0])
	dst = binary.LittleEndian.AppendUint64(dst, before)
	var us [blockSize]uint64
	for values = values[1:]; len(values) > 0; {
		n := min(blockSize, len(values))
		var all uint64
		for i, v := range values[:n] {
			us[i] = math.Float64bits(v) ^ before
			before ^= us[i]
			all |= us[i]
		}
		tail := bits.TrailingZeros64(all) & 63 // 0 when nothing differs
		width := bits.Len64(all >> tail)
		for i := range us[:n] {
			us[i] >>= tail
		}
		dst = append(dst, byte(tail), byte(width))
		dst = appendBits(dst, us[:n], width)
		values = values[n:]
	}
	return dst
}

// xor reads what appendXOR has written.
func (r *reader) xor(dst []float64) {
	if len(dst) == 0 {
		r.fail()
		return
	}
	b := r.take(8)
	if r.failed {
		return
	}
	u := binary.LittleEndian.Uint64(b)
	dst[0] = math.Float64frombits(u)
	var us [blockSize]uint64
	for i := 1; i < len(dst); i += blockSize {
		block := us[:min(blockSize, len(dst)-i)]
		tail, width := int(r.byte()), int(r.byte())
		if r.failed || tail+width > 64 {
			r.fail()
			return
		}
		r.bits(block, width)
		if r.failed {
			return
		}
		for j, x := range block {
			u ^= x << tail
			dst[i+j] = math.Float64frombits(u)
		}
	}
}
