package segment

import (
	"bufio"
	"cmp"
	"math"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Merge writes to path what the segments hold together. They come oldest first: where several have a sample for a slot of a
// series, that of the last one counts. keep says, of a series and the place of a segment in the list, from which slot on its
// samples are wanted; math.MaxInt64 is none. ErrDamaged when one of the segments cannot be read; nothing is written then.
func Merge(path string, list []*Segment, keep func(series uint32, place int) (from int64)) (err error) {
	defer catch(&err)()
	m := merger{keep: keep, next: make([]located, len(list)), from: math.MaxInt64, to: math.MinInt64}
	for i, s := range list {
		m.rest = append(m.rest, s.blocks[headerSize:])
		m.from, m.to = min(m.from, s.foot.from), max(m.to, s.foot.to)
		m.list = append(m.list, list[i])
	}
	return writeFile(path, m.write)
}

// merger takes blocks from several segments, in the order of their series.
type merger struct {
	list     []*Segment
	rest     [][]byte  // the blocks of each that have not been taken
	next     []located // of these the first
	keep     func(series uint32, place int) (from int64)
	from, to int64

	pieces  []piece
	body    Writer // of which only the open block is used
	values  []float64
	decoded Buffer
	encoder codec.Encoder
}

// piece is a stretch of the series that is being merged.
type piece struct {
	Stretch
	place int
	data  []byte
}

func (m *merger) write(out *bufio.Writer) error {
	w, err := newFileWriter(out)
	if err != nil {
		return err
	}
	for {
		series, found, err := m.take()
		if err != nil {
			return err
		}
		if !found {
			return w.finish(m.from, m.to)
		}
		if err := m.join(); err != nil {
			return m.list[0].damaged(series, err)
		}
		if body := m.body.takeBody(); body != nil {
			if err := w.block(series, body); err != nil {
				return err
			}
		}
	}
}

// take moves the blocks of the next series into pieces.
func (m *merger) take() (series uint32, found bool, err error) {
	m.pieces = m.pieces[:0]
	next := m.next
	for i, rest := range m.rest {
		if len(rest) == 0 {
			continue
		}
		if next[i], err = nextBlock(rest); err != nil {
			return 0, false, m.list[i].damaged(series, err)
		}
		if !found || next[i].series < series {
			series, found = next[i].series, true
		}
	}
	for i, b := range next {
		if len(m.rest[i]) == 0 || b.series != series {
			continue
		}
		m.rest[i] = b.rest
		if checksum(m.list[i].salt+uint64(series), b.body) != b.sum {
			return 0, false, m.list[i].damaged(series, ErrDamaged)
		}
		if err := m.collect(b, i); err != nil {
			return 0, false, m.list[i].damaged(series, err)
		}
	}
	return series, found, nil
}

// collect adds the stretches of a block that are wanted.
func (m *merger) collect(b located, place int) error {
	from := m.keep(b.series, place)
	h, err := newHeads(b.body)
	if err != nil {
		return err
	}
	for {
		st, data, ok, err := h.next()
		if err != nil || !ok {
			return err
		}
		switch {
		case st.End() <= from:
		case st.First < from:
			if err := m.cut(st, data, from, place); err != nil {
				return err
			}
		default:
			m.pieces = append(m.pieces, piece{st, place, data})
		}
	}
}

// cut adds the part of a stretch that begins at a slot.
func (m *merger) cut(st Stretch, data []byte, from int64, place int) error {
	values, err := m.decode(st, data)
	if err != nil {
		return err
	}
	at, values := trimGaps(from, values[from-st.First:])
	if len(values) > 0 {
		m.pieces = append(m.pieces, piece{Stretch{at, len(values)}, place, m.encoder.Append(nil, values)})
	}
	return nil
}

func (m *merger) decode(st Stretch, data []byte) ([]float64, error) {
	values, err := codec.Decode(m.decoded.values[:0], data)
	m.decoded.values = values
	if err != nil || len(values) != st.Slots {
		return nil, ErrDamaged
	}
	return values, nil
}

// join puts the pieces of a series into one block, as they are, or made anew where they lie over each other.
func (m *merger) join() error {
	slices.SortStableFunc(m.pieces, func(a, b piece) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.place, b.place)) })
	for len(m.pieces) > 0 {
		n, end := 1, m.pieces[0].End()
		for n < len(m.pieces) && m.pieces[n].First < end {
			end = max(end, m.pieces[n].End())
			n++
		}
		if n == 1 {
			p := &m.pieces[0]
			m.body.data = append(m.body.data, p.data...)
			m.body.head(p.First, p.Slots, len(p.data))
		} else if err := m.lay(m.pieces[:n], end); err != nil {
			return err
		}
		m.pieces = m.pieces[n:]
	}
	return nil
}

// grid is how many slots what is made anew covers at most, from a multiple of it on: readers decode a stretch as a whole.
const grid = 128

// lay lays pieces over each other, later segments' on top.
func (m *merger) lay(pieces []piece, end int64) error {
	first := pieces[0].First
	m.values = m.values[:0]
	for range end - first {
		m.values = append(m.values, math.NaN())
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(a.place, b.place) })
	for i := range pieces {
		values, err := m.decode(pieces[i].Stretch, pieces[i].data)
		if err != nil {
			return err
		}
		for j, v := range values {
			if !math.IsNaN(v) {
				m.values[pieces[i].First-first+int64(j)] = v
			}
		}
	}
	for values := m.values; len(values) > 0; {
		n := min(int64(len(values)), grid-(first%grid+grid)%grid)
		if at, some := trimGaps(first, values[:n]); len(some) > 0 {
			before := len(m.body.data)
			m.body.data = m.encoder.Append(m.body.data, some)
			m.body.head(at, len(some), len(m.body.data)-before)
		}
		first, values = first+n, values[n:]
	}
	return nil
}

// trimGaps cuts off gaps at both ends. first is the slot of the first value.
func trimGaps(first int64, values []float64) (int64, []float64) {
	for len(values) > 0 && math.IsNaN(values[0]) {
		first, values = first+1, values[1:]
	}
	for len(values) > 0 && math.IsNaN(values[len(values)-1]) {
		values = values[:len(values)-1]
	}
	return first, values
}
