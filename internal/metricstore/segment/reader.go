package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// Segment is an open segment. It is safe for concurrent use.
type Segment struct {
	path   string
	data   []byte // the file, mapped
	salt   uint64
	foot   footer
	blocks []byte
	index  []byte

	check sync.Once // of the index, when it is first needed
	bad   bool
}

// Open maps the file. It reads the ends of it only; ErrDamaged when those are not as they were written.
func Open(path string) (*Segment, error) {
	f, err := os.Open(path) //nolint:gosec // in the store's own folder
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close() //nolint:errcheck // the mapping stays
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	size := int(info.Size())
	if size < headerSize+footerSize {
		return nil, fmt.Errorf("open segment %s: %w: it is too short", path, ErrDamaged)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map segment %s: %w", path, err)
	}
	s := &Segment{path: path, data: data}
	if err := s.open(); err != nil {
		_ = syscall.Munmap(data) // the error to report is the first
		return nil, fmt.Errorf("open segment %s: %w", path, err)
	}
	return s, nil
}

func (s *Segment) open() (err error) {
	defer catch(&err)()
	if string(s.data[:8]) != magic {
		return fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	s.salt = binary.LittleEndian.Uint64(s.data[8:])
	s.foot, err = parseFooter(s.data[len(s.data)-footerSize:], len(s.data), s.salt)
	if err != nil {
		return err
	}
	s.blocks = s.data[:s.foot.index]
	s.index = s.data[s.foot.index : len(s.data)-footerSize]
	return nil
}

// catch turns an error of the disk, which a mapped file gives as a fault, into an error. Call it and defer what it returns.
func catch(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			if _, fault := p.(interface{ Addr() uintptr }); !fault {
				panic(p)
			}
			*err = fmt.Errorf("%w: the disk cannot read it", ErrDamaged)
		}
	}
}

// Close unmaps the file. Nobody may be reading.
func (s *Segment) Close() error {
	data := s.data
	s.data, s.blocks, s.index = nil, nil, nil
	if data == nil {
		return nil
	}
	if err := syscall.Munmap(data); err != nil {
		return fmt.Errorf("unmap segment: %w", err)
	}
	return nil
}

// Path returns the file's path.
func (s *Segment) Path() string { return s.path }

// Size returns the length of the file.
func (s *Segment) Size() int64 { return int64(len(s.data)) }

// Span returns the times, in Unix seconds, of the first sample and behind the last one.
func (s *Segment) Span() (from, to int64) { return s.foot.from, s.foot.to }

// Series returns how many series have samples.
func (s *Segment) Series() int { return int(s.foot.blocks) }

// Samples returns how many slots with samples, and gaps between them, there are.
func (s *Segment) Samples() uint64 { return s.foot.samples }

// Buffer is room for reading, to be used again. The zero value is ready. It is for one goroutine.
type Buffer struct{ values []float64 }

// Last returns the largest number of a series that has samples, 0 when none has; ErrDamaged.
func (s *Segment) Last() (number uint32, err error) {
	defer catch(&err)()
	rest, ok := s.from(math.MaxUint32)
	for ok && len(rest) > 0 {
		b, err := nextBlock(rest)
		if err != nil {
			return 0, s.damaged(number, err)
		}
		number, rest = b.series, b.rest
	}
	return number, nil
}

// located is a block as it stands among others.
type located struct {
	series uint32
	sum    uint32
	body   []byte
	rest   []byte // the blocks behind it
}

func nextBlock(b []byte) (located, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 || number > math.MaxUint32 {
		return located{}, ErrDamaged
	}
	size, m := binary.Uvarint(b[n:])
	if m <= 0 || len(b) < n+m+4 || size > uint64(len(b)-n-m-4) {
		return located{}, ErrDamaged
	}
	body := b[n+m+4:]
	return located{uint32(number), binary.LittleEndian.Uint32(b[n+m:]), body[:size:size], body[size:]}, nil
}

// Block is what a segment has of one series. It is good as long as the segment is open.
type Block struct {
	segment *Segment
	series  uint32
	heads   heads
	span    Range
}

// Range is slots from one up to another.
type Range struct{ From, To int64 }

// Block returns what the segment has of the series; ErrDamaged. A series that is not in the segment has an empty block.
func (s *Segment) Block(series uint32) (b Block, err error) {
	defer catch(&err)()
	h, err := s.find(series)
	return Block{segment: s, series: series, heads: h}, err
}

// Find is Block for somebody who asks for a window: the block knows what of it its stretches cover. When they are
// ErrDamaged, what stands before the damage is in the block.
func (s *Segment) Find(series uint32, window Range) (b Block, err error) {
	defer catch(&err)()
	h, err := s.find(series)
	b = Block{s, series, h, Range{math.MaxInt64, math.MinInt64}}
	for err == nil {
		st, _, ok, damage := h.next()
		if !ok || damage != nil {
			return b, s.damaged(series, damage)
		}
		if st.First < window.To && st.End() > window.From {
			b.span = Range{min(b.span.From, max(st.First, window.From)), max(b.span.To, min(st.End(), window.To))}
		}
	}
	return b, err
}

// Span returns which slots of the window of Find the block's stretches cover. It is empty when they cover none.
func (b *Block) Span() Range { return b.span }

// Empty reports whether there is nothing in the block.
func (b *Block) Empty() bool { return b.heads.left == 0 }

// Stretches calls visit for every stretch, in ascending order, without reading its values; ErrDamaged.
func (b *Block) Stretches(visit func(Stretch)) (err error) {
	defer catch(&err)()
	for h := b.heads; ; {
		st, _, ok, err := h.next()
		if !ok || err != nil {
			return b.segment.damaged(b.series, err)
		}
		visit(st)
	}
}

// Held returns how many slots there are from slot first on, and how many bytes the stretches with them take up; ErrDamaged.
func (b *Block) Held(first int64) (slots, bytes int64, err error) {
	defer catch(&err)()
	for h := b.heads; ; {
		st, data, ok, err := h.next()
		if err != nil || !ok {
			return slots, bytes, b.segment.damaged(b.series, err)
		}
		if st.End() > first {
			slots += st.End() - max(st.First, first)
			bytes += int64(len(data))
		}
	}
}

// Lay lays the samples that the block has from slot from on over dst, the first of which is of slot first. Nothing has been
// laid over dst yet from slot done on: what it holds there does not count. Lay returns where that is afterwards. ErrDamaged;
// what came before the damage has been laid then.
func (b *Block) Lay(dst []float64, first, from, done int64, buf *Buffer) (_ int64, err error) {
	defer catch(&err)()
	end := first + int64(len(dst))
	for h := b.heads; ; {
		st, data, ok, err := h.next()
		if err != nil || !ok || st.First >= end {
			return done, b.segment.damaged(b.series, err)
		}
		if st.End() <= from || from >= end {
			continue
		}
		// Mostly nothing has been laid there yet, and all of the stretch is wanted.
		straight := st.First >= max(done, from) && st.End() <= end
		room := buf.values[:0]
		if straight {
			room = dst[st.First-first : st.First-first : st.End()-first]
		}
		values, err := codec.Decode(room, data)
		if err != nil || len(values) != st.Slots {
			return done, b.segment.damaged(b.series, ErrDamaged)
		}
		if straight {
			fillGaps(dst[done-first : st.First-first])
			done = st.End()
			continue
		}
		buf.values = values
		at := max(st.First, from)
		done = overlay(dst, first, done, values[at-st.First:min(st.End(), end)-st.First], at)
	}
}

// overlay lays values, the first of which is of slot at, over dst, and returns from which slot on nothing is laid there yet.
func overlay(dst []float64, first, done int64, values []float64, at int64) int64 {
	if at > done {
		fillGaps(dst[done-first : at-first])
		done = at
	}
	old := min(int(done-at), len(values))
	into := dst[at-first:]
	for i, v := range values[:old] {
		if v == v { //nolint:gocritic // not NaN
			into[i] = v
		}
	}
	return done + int64(copy(into[old:], values[old:]))
}

func fillGaps(values []float64) {
	for i := range values {
		values[i] = math.NaN()
	}
}

func (s *Segment) damaged(series uint32, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("series %d in %s: %w", series, s.path, err)
}

// find returns the heads of the series' block, none when it has no block.
func (s *Segment) find(series uint32) (heads, error) {
	s.check.Do(func() { s.bad = checksum(s.salt, s.index) != s.foot.sum })
	if s.bad {
		return heads{}, fmt.Errorf("%w: the index of %s", ErrDamaged, s.path)
	}
	rest, ok := s.from(series)
	for range indexEvery {
		if !ok || len(rest) == 0 {
			break
		}
		b, err := nextBlock(rest)
		switch {
		case err != nil:
			return heads{}, s.damaged(series, err)
		case b.series > series:
			return heads{}, nil
		case b.series == series:
			if checksum(s.salt+uint64(series), b.body) != b.sum {
				return heads{}, s.damaged(series, ErrDamaged)
			}
			h, err := newHeads(b.body)
			return h, s.damaged(series, err)
		}
		rest = b.rest
	}
	return heads{}, nil
}

// from returns the blocks from the last indexed one on that is not behind the series.
func (s *Segment) from(series uint32) ([]byte, bool) {
	low, high := 0, len(s.index)/entrySize // the entry before high is the last that is not behind
	for low < high {
		mid := (low + high) / 2
		if binary.LittleEndian.Uint32(s.index[mid*entrySize:]) <= series {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return nil, false
	}
	place := binary.LittleEndian.Uint64(s.index[(low-1)*entrySize+4:])
	if place > uint64(len(s.blocks)) {
		return nil, false
	}
	return s.blocks[place:], true
}
