// Package chunk holds a stretch of one series: samples in slots of equal length.
//
// A sample has no time of its own; its slot says when it was. A slot without a sample holds NaN. Chunks lie on a fixed
// grid of Slots slots, so that two runs that have seen the same samples have the same chunks.
package chunk

import "math"

// Slots is how many slots a chunk covers: chunk n has the slots from n*Slots up to (n+1)*Slots.
const Slots = 128

const slotBits = 7

// smallest is the room that a new chunk starts with: many series of a short-lived node never need more.
const smallest = 16

// Chunk is the samples of one stretch. Only slots between the first and the last sample take up memory. The zero value
// is not ready for use; see New.
type Chunk struct {
	first  int64     // slot of values[0]
	values []float64 // neither the first nor the last one is NaN
	// version grows with every change, so that somebody who has written the chunk down can tell whether that still holds.
	version uint32
}

// Number returns which chunk the slot belongs to.
func Number(slot int64) int64 { return slot >> slotBits }

// New returns a chunk with one sample.
func New(slot int64, v float64) Chunk {
	values := make([]float64, 1, smallest)
	values[0] = v
	return Chunk{first: slot, values: values}
}

// Restore returns a chunk that holds values from slot first on. It keeps values. The slots have to be of one chunk, and
// the first and last value samples; ok is false when they are not.
func Restore(first int64, values []float64) (c Chunk, ok bool) {
	n := int64(len(values))
	if n == 0 || n > Slots || Number(first) != Number(first+n-1) || math.IsNaN(values[0]) || math.IsNaN(values[n-1]) {
		return Chunk{}, false
	}
	return Chunk{first: first, values: values}, true
}

// Number returns the chunk's place on the grid.
func (c *Chunk) Number() int64 { return Number(c.first) }

// First returns the slot of the first sample.
func (c *Chunk) First() int64 { return c.first }

// End returns the slot behind the last sample.
func (c *Chunk) End() int64 { return c.first + int64(len(c.values)) }

// Values returns the samples from First up to End. They must not be changed.
func (c *Chunk) Values() []float64 { return c.values }

// State identifies what a chunk holds at one moment.
type State struct {
	version uint32
	values  *float64
}

// State returns what the chunk holds now: a later State that is equal means that nothing has changed in between. Keeping
// one keeps the memory of the values from being used for others.
func (c *Chunk) State() State { return State{c.version, &c.values[0]} }

// Bytes returns how much memory the samples take up.
func (c *Chunk) Bytes() int { return cap(c.values) * 8 }

// Set stores v, which is not NaN, in the slot, which must be one of the chunk's. It returns by how many bytes the
// chunk has grown.
func (c *Chunk) Set(slot int64, v float64) int {
	c.version++
	i := slot - c.first
	switch n := int64(len(c.values)); {
	case i < 0:
		return c.prepend(slot, v)
	case i < n:
		c.values[i] = v
		return 0
	case i < int64(cap(c.values)):
		c.extend(i, v)
		return 0
	default:
		before := cap(c.values)
		c.grow(i + 1)
		c.extend(i, v)
		return (cap(c.values) - before) * 8
	}
}

// extend stores v behind the end and marks the slots in between as absent.
func (c *Chunk) extend(i int64, v float64) {
	n := len(c.values)
	c.values = c.values[:i+1]
	for ; n < int(i); n++ {
		c.values[n] = math.NaN()
	}
	c.values[i] = v
}

// grow makes room for need values, doubling up to the end of the chunk.
func (c *Chunk) grow(need int64) {
	room := min(max(2*int64(cap(c.values)), need), (c.Number()+1)*Slots-c.first)
	values := make([]float64, len(c.values), room)
	copy(values, c.values)
	c.values = values
}

func (c *Chunk) prepend(slot int64, v float64) int {
	before := cap(c.values)
	gap := int(c.first - slot)
	values := make([]float64, gap+len(c.values))
	for i := 1; i < gap; i++ {
		values[i] = math.NaN()
	}
	values[0] = v
	copy(values[gap:], c.values)
	c.first, c.values = slot, values
	return (cap(values) - before) * 8
}

// ClearBefore forgets all samples in slots before slot and reports whether none is left.
func (c *Chunk) ClearBefore(slot int64) (empty bool) {
	i := slot - c.first
	if i <= 0 {
		return false
	}
	c.version++
	for i < int64(len(c.values)) && math.IsNaN(c.values[i]) {
		i++
	}
	if i >= int64(len(c.values)) {
		c.values = nil
		return true
	}
	c.values = append(make([]float64, 0, int64(len(c.values))-i), c.values[i:]...)
	c.first += i
	return false
}

// CopyTo copies the samples into dst, where dst[0] is slot first. Slots of dst for which the chunk has no sample stay as
// they are.
func (c *Chunk) CopyTo(dst []float64, first int64) { Overlay(dst, first, c.values, c.first) }

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

// Span returns the slots of the first sample at or after from and behind the last one before to; they are equal when
// there is none in between.
func (c *Chunk) Span(from, to int64) (first, end int64) {
	first, end = max(c.first, from), min(c.End(), to)
	for first < end && math.IsNaN(c.values[first-c.first]) {
		first++
	}
	for end > first && math.IsNaN(c.values[end-1-c.first]) {
		end--
	}
	return first, max(first, end)
}
