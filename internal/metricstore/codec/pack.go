package codec

import (
	"encoding/binary"
	"math/bits"
)

// blockSize is how many numbers share a width.
const blockSize = 64

// appendPacked appends the numbers, which code makes unsigned, in blocks: a byte with the width, one with the number of
// exceptions, the lowest bits of each number, then the exceptions, which have more bits than that. The width is the one
// that makes the block smallest.
func appendPacked(dst []byte, ns []int64, code func(int64) uint64) []byte {
	var us [blockSize]uint64
	for len(ns) > 0 {
		n := min(blockSize, len(ns))
		for i, v := range ns[:n] {
			us[i] = code(v)
		}
		dst = appendBlock(dst, us[:n])
		ns = ns[n:]
	}
	return dst
}

func appendBlock(dst []byte, us []uint64) []byte {
	width, exceptions := bestWidth(us)
	dst = append(dst, byte(width), byte(exceptions))
	dst = appendBits(dst, us, width)
	if exceptions == 0 {
		return dst
	}
	for i, u := range us {
		if bits.Len64(u) > width {
			dst = append(dst, byte(i))
			dst = binary.AppendUvarint(dst, u>>width)
		}
	}
	return dst
}

// bestWidth returns the width that makes the block smallest, and how many numbers do not fit into it.
func bestWidth(us []uint64) (width, exceptions int) {
	var byLength [65]int
	for _, u := range us {
		byLength[bits.Len64(u)]++
	}
	longest := 64
	for byLength[longest] == 0 && longest > 0 {
		longest--
	}
	width, least := longest, len(us)*longest
	over := 0
	for w := longest - 1; w >= 0; w-- {
		over += byLength[w+1]
		extra := 0
		for l := w + 1; l <= longest; l++ {
			extra += byLength[l] * (8 + 8*((l-w+6)/7))
		}
		if cost := len(us)*w + extra; cost < least {
			width, exceptions, least = w, over, cost
		}
	}
	return width, exceptions
}

// appendBits appends the lowest width bits of each number, the first in the lowest bits of the first byte.
func appendBits(dst []byte, us []uint64, width int) []byte {
	if width == 0 {
		return dst
	}
	mask := ^uint64(0) >> (64 - width)
	var acc uint64
	have := 0
	for _, u := range us {
		u &= mask
		acc |= u << have
		have += width
		if have >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			have -= 64
			acc = 0
			if have > 0 {
				acc = u >> (width - have)
			}
		}
	}
	for ; have > 0; have -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}

// packed reads the next block of numbers, of which so many are left.
func (r *reader) packed(room *[blockSize]uint64, left int) []uint64 {
	us := room[:min(blockSize, left)]
	r.block(us)
	return us
}

func (r *reader) block(us []uint64) {
	width, exceptions := int(r.byte()), int(r.byte())
	if width > 64 || exceptions > len(us) {
		r.fail()
		return
	}
	r.bits(us, width)
	for range exceptions {
		i, high := int(r.byte()), r.uvarint()
		if r.failed || i >= len(us) || width >= 64 || bits.Len64(high)+width > 64 {
			r.fail()
			return
		}
		us[i] |= high << width
	}
}

// bits reads numbers of so many bits.
func (r *reader) bits(us []uint64, width int) {
	if width == 0 {
		clear(us)
		return
	}
	b := r.take((len(us)*width + 7) / 8)
	if r.failed {
		return
	}
	mask := ^uint64(0) >> (64 - width)
	// A number of up to 56 bits lies within eight bytes, wherever it begins. Those at the end do not have eight.
	i := 0
	if width <= 56 {
		for at := 0; i < len(us) && at>>3+8 <= len(b); i, at = i+1, at+width {
			us[i] = binary.LittleEndian.Uint64(b[at>>3:]) >> (at & 7) & mask
		}
	}
	for ; i < len(us); i++ {
		us[i] = slowBits(b, i*width, width)
	}
}

// slowBits reads a number of any width anywhere.
func slowBits(b []byte, at, width int) uint64 {
	var u uint64
	for have := 0; have < width; {
		free := at & 7
		u |= uint64(b[at>>3]>>free) << have
		have += 8 - free
		at += 8 - free
	}
	return u & (^uint64(0) >> (64 - width))
}
