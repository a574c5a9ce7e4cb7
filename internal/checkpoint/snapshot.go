package checkpoint

import (
	"encoding/binary"
	"slices"
)

const snapshotMagic = 0xCC5B0001

// ReadSnapshot calls visit for every series of a file <from>.bin. When the file is damaged, it returns ErrDamaged and
// visits none.
func ReadSnapshot(data []byte, visit func(Series)) error {
	// Nothing in the file says whether it is whole, so it is gone through once before anything is believed.
	for _, v := range []func(Series){func(Series) {}, visit} {
		r := snapshotReader{rest: data}
		if r.uint32() != snapshotMagic {
			return damaged("it does not begin as a snapshot")
		}
		from, to := r.int64(), r.int64()
		if r.level(nil, v); r.err != nil {
			return r.err
		}
		if len(r.rest) > 0 {
			return damaged("%d bytes follow the last series", len(r.rest))
		}
		if from > to {
			return damaged("it ends at %d, before it begins at %d", to, from)
		}
	}
	return nil
}

// snapshotReader takes the content apart. After the first mistake all it reads is zero.
type snapshotReader struct {
	rest []byte
	err  error
}

func (r *snapshotReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// take returns the next n bytes, nil when there are fewer.
func (r *snapshotReader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail(damaged("it ends too early"))
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *snapshotReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *snapshotReader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *snapshotReader) name() string {
	b := r.take(2)
	if b == nil {
		return ""
	}
	return string(r.take(int(binary.LittleEndian.Uint16(b))))
}

// level reads a level and those below it.
func (r *snapshotReader) level(levels []string, visit func(Series)) {
	if len(levels) > maxLevels {
		r.fail(damaged("more than %d levels below the host", maxLevels))
		return
	}
	for n := r.uint32(); n > 0 && r.err == nil; n-- {
		s := Series{Metric: r.name(), Levels: slices.Clone(levels), Step: r.int64(), First: r.int64()}
		s.Values = r.values()
		if r.err == nil && s.Step == 0 {
			r.fail(damaged("metric %.40q has no frequency", s.Metric))
		}
		if r.err == nil {
			if err := s.check(); err != nil {
				r.fail(err)
				return
			}
			visit(s)
		}
	}
	for n := r.uint32(); n > 0 && r.err == nil; n-- {
		name := r.name()
		r.level(append(levels, name), visit)
	}
}

// values reads a list of numbers; a NaN is no sample. What the file says of its length is believed only when there is that
// much.
func (r *snapshotReader) values() []float64 {
	n := int(r.uint32())
	b := r.take(4 * n)
	if b == nil {
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = widen(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return values
}
