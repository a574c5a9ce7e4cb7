// Package chunk holds a stretch of one series: samples in slots of equal length.
//
// A sample has no time of its own; its slot says when it was. Chunks lie on a fixed grid of Slots slots, so that two runs
// that have seen the same samples have the same chunks.
//
// Measured values are decimals of few digits nearly always. As long as all of a chunk's are, it holds whole numbers of two
// or four bytes and how many digits are behind the point; with the first value that is not, it becomes one of float64.
// Either way a value read back is the value written, bit for bit.
package chunk

import (
	"math"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Slots is how many slots a chunk covers: chunk n has the slots from n*Slots up to (n+1)*Slots.
const Slots = 128

const slotBits = 7

// smallest is the room that a new chunk starts with: many series of a short-lived node never need more.
const smallest = 16

// Chunk is the samples of one stretch. Only slots between the first and the last sample take up memory. The zero value
// is not ready for use; see New.
type Chunk struct {
	first int64  // slot of the first sample
	data  []byte // the slots up to the last sample, as form says; neither the first nor the last one is a gap
	// version grows with every change, so that somebody who has written the chunk down can tell whether that still holds:
	// by the slots that are new behind the last sample, and by more when anything else has changed. See Mark.
	version uint32
	form    form
}

// Number returns which chunk the slot belongs to.
func Number(slot int64) int64 { return slot >> slotBits }

// New returns a chunk with one sample.
func New(slot int64, v float64) Chunk {
	f := formOf(v)
	c := Chunk{first: slot, form: f, data: make([]byte, f.bytes(1), f.bytes(smallest))}
	n, _ := f.code(v)
	c.store(0, n)
	return c
}

// Restore returns a chunk that holds values from slot first on. The slots have to be of one chunk, and the first and last
// value samples; ok is false when they are not.
func Restore(first int64, values []float64) (c Chunk, ok bool) {
	n := int64(len(values))
	if n == 0 || n > Slots || Number(first) != Number(first+n-1) || math.IsNaN(values[0]) || math.IsNaN(values[n-1]) {
		return Chunk{}, false
	}
	c = Chunk{first: first, form: formOf(values...)}
	room := int64(smallest)
	for room < n {
		room *= 2
	}
	c.data = make([]byte, c.form.bytes(n), c.form.bytes(min(room, (c.Number()+1)*Slots-first)))
	for i, v := range values {
		n, _ := c.form.code(v)
		c.store(int64(i), n)
	}
	return c, true
}

// Number returns the chunk's place on the grid.
func (c *Chunk) Number() int64 { return Number(c.first) }

// First returns the slot of the first sample.
func (c *Chunk) First() int64 { return c.first }

// End returns the slot behind the last sample.
func (c *Chunk) End() int64 { return c.first + c.len() }

// Len returns how many slots there are from First up to End.
func (c *Chunk) Len() int { return int(c.len()) }

func (c *Chunk) len() int64 { return int64(len(c.data) >> c.form.shift()) }

func (c *Chunk) room() int64 { return int64(cap(c.data) >> c.form.shift()) }

// State identifies what a chunk holds at one moment.
type State struct {
	version uint32
	data    *byte
}

// State returns what the chunk holds now: a later State that is equal means that nothing has changed in between. Keeping
// one keeps the memory of the values from being used for others.
func (c *Chunk) State() State { return State{c.version, &c.data[0]} }

// Mark is how far somebody has read a chunk. The zero value is not at all.
type Mark struct {
	version uint32
	end     int32 // on from where the chunk's slots begin
}

// Mark returns that all that the chunk holds now has been read.
func (c *Chunk) Mark() Mark { return Mark{c.version, int32(c.End() - c.Number()*Slots)} }

// Since returns the first slot that has to be read again, or for the first time, after the chunk has been read up to the
// mark: End when nothing has changed.
func (c *Chunk) Since(m Mark) int64 {
	now := c.Mark()
	if now.version-m.version != uint32(now.end-m.end) {
		return c.Number() * Slots // not only later samples
	}
	return c.Number()*Slots + int64(m.end)
}

// Has reports whether there is a sample in the slot.
func (c *Chunk) Has(slot int64) bool {
	return slot >= c.first && slot < c.End() && !c.isGap(slot-c.first)
}

// Decimals returns how many digits behind the point the samples have at most, and a size that none exceeds. ok is false when
// they may be other than decimals of few digits.
func (c *Chunk) Decimals() (digits int, largest float64, ok bool) {
	if c.form == floats {
		return 0, 0, false
	}
	return c.form.exponent(), c.form.largest() / c.form.scale(), true
}

// Bytes returns how much memory the samples take up.
func (c *Chunk) Bytes() int { return cap(c.data) }

// Peek returns a byte of where the next Set writes to, for whoever wants that to be near.
func (c *Chunk) Peek() byte { return c.data[len(c.data)-1] }

// Set stores v, which is not NaN, in the slot, which must be one of the chunk's. It returns by how many bytes the
// chunk has grown.
func (c *Chunk) Set(slot int64, v float64) int {
	c.version++
	before := cap(c.data)
	n, ok := c.form.code(v)
	if !ok {
		c.widen(v)
		n, _ = c.form.code(v)
	}
	i := slot - c.first
	if i < 0 {
		c.prepend(-i)
		c.first, i = slot, 0
	}
	if i >= c.len() {
		c.version += uint32(i - c.len()) // and the one above
		c.extend(i + 1)
	}
	c.store(i, n)
	return cap(c.data) - before
}

// extend makes the chunk n slots long. What is new is gaps, but for the last slot.
func (c *Chunk) extend(n int64) {
	if n > c.room() {
		c.grow(n)
	}
	i := c.len()
	c.data = c.data[:c.form.bytes(n)]
	c.clear(i, n-1)
}

// grow makes room for need values, doubling up to the end of the chunk.
func (c *Chunk) grow(need int64) {
	room := min(max(2*c.room(), need), (c.Number()+1)*Slots-c.first)
	data := make([]byte, len(c.data), c.form.bytes(room))
	copy(data, c.data)
	c.data = data
}

// prepend puts gaps in front.
func (c *Chunk) prepend(gaps int64) {
	data := make([]byte, c.form.bytes(gaps)+len(c.data))
	copy(data[c.form.bytes(gaps):], c.data)
	c.data = data
	c.clear(0, gaps)
}

// clear puts gaps into places [from, to).
func (c *Chunk) clear(from, to int64) {
	for i := from; i < to; i++ {
		c.store(i, c.form.gap())
	}
}

// widen gives the chunk a form that holds v, too.
func (c *Chunk) widen(v float64) {
	var values [Slots]float64
	n := c.len()
	c.decode(values[:n], 0)
	room := c.room()
	c.form = c.form.with(v, c.largest())
	c.data = make([]byte, c.form.bytes(n), c.form.bytes(room))
	for i, v := range values[:n] {
		n, _ := c.form.code(v)
		c.store(int64(i), n)
	}
}

// ClearBefore forgets all samples in slots before slot and reports whether none is left.
func (c *Chunk) ClearBefore(slot int64) (empty bool) {
	i := slot - c.first
	if i <= 0 {
		return false
	}
	c.version++
	for i < c.len() && c.isGap(i) {
		i++
	}
	if i >= c.len() {
		c.data = nil
		return true
	}
	c.data = append(make([]byte, 0, len(c.data)-c.form.bytes(i)), c.data[c.form.bytes(i):]...)
	c.first += i
	return false
}

// Span returns the slots of the first sample at or after from and behind the last one before to; they are equal when
// there is none in between.
func (c *Chunk) Span(from, to int64) (first, end int64) {
	first, end = max(c.first, from), min(c.End(), to)
	for first < end && c.isGap(first-c.first) {
		first++
	}
	for end > first && c.isGap(end-1-c.first) {
		end--
	}
	return first, max(first, end)
}

// Append appends the slots [from, to), which must lie between First and End, to dst. A gap is NaN.
func (c *Chunk) Append(dst []float64, from, to int64) []float64 {
	n := len(dst)
	if cap(dst)-n < int(to-from) {
		dst = append(dst, make([]float64, to-from)...)
	}
	dst = dst[:n+int(to-from)]
	c.decode(dst[n:], from-c.first)
	return dst
}

// CopyTo copies the samples into dst, where dst[0] is slot first. Slots of dst for which the chunk has no sample stay as
// they are.
func (c *Chunk) CopyTo(dst []float64, first int64) {
	from, to := max(c.first, first), min(c.End(), first+int64(len(dst)))
	if from < to {
		var values [Slots]float64
		c.decode(values[:to-from], from-c.first)
		Overlay(dst, first, values[:to-from], from)
	}
}

// Overlay copies the samples among values, the first of which is of slot at, into dst, where dst[0] is slot first.
func Overlay(dst []float64, first int64, values []float64, at int64) {
	from, to := max(at, first), min(at+int64(len(values)), first+int64(len(dst)))
	if from >= to {
		return
	}
	dst, values = dst[from-first:to-first], values[from-at:to-at]
	for i, v := range values {
		if !math.IsNaN(v) {
			dst[i] = v
		}
	}
}

// Encode appends the slots from First up to End as package codec writes them.
func (c *Chunk) Encode(dst []byte, e *codec.Encoder) []byte {
	if c.form == floats {
		var values [Slots]float64
		c.decode(values[:c.len()], 0)
		return e.Append(dst, values[:c.len()])
	}
	var ints [Slots]int64
	c.wholes(ints[:c.len()])
	return e.AppendDecimals(dst, ints[:c.len()], c.form.exponent())
}
