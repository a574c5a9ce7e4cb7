package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	logMagic    = 0xCC1DA701
	recordMagic = 0xCC1DA7A1
	// maxPayload is the length of the longest record that the format allows.
	maxPayload = 8 + 2 + 1<<16 + 1 + 255*256 + 4
)

// LogDamage is what was wrong with a log.
type LogDamage struct {
	Stretches int   // that could not be read, with good records behind them
	Bytes     int64 // in them
	Torn      int64 // bytes at the end that are no whole record: what a death in the middle of a write leaves
}

// ReadLog calls visit for the sample of every good record of a file current.wal. It returns ErrDamaged, and visits none,
// when the file does not begin as a log, and otherwise the error of r.
func ReadLog(r io.Reader, visit func(Series)) (LogDamage, error) {
	l := logReader{buf: bufio.NewReaderSize(r, 2*maxPayload), visit: visit}
	head, err := l.peek(4)
	switch {
	case err != nil:
		return LogDamage{}, err
	case len(head) < 4 || binary.LittleEndian.Uint32(head) != logMagic:
		return LogDamage{}, damaged("it does not begin as a log")
	}
	l.skip(4)
	err = l.run()
	return l.damage, err
}

type logReader struct {
	buf    *bufio.Reader
	visit  func(Series)
	lost   int64 // bytes since the last good record
	damage LogDamage
}

func (l *logReader) run() error {
	for {
		n, err := l.record()
		switch {
		case err != nil:
			return err
		case n > 0:
			l.found(n)
			continue
		}
		if rest, err := l.peek(1); err != nil || len(rest) == 0 {
			l.damage.Torn = l.lost
			return err
		}
		l.skip(1)
		l.lost++
	}
}

// found passes over a good record.
func (l *logReader) found(n int) {
	if l.lost > 0 {
		l.damage.Stretches++
		l.damage.Bytes += l.lost
		l.lost = 0
	}
	l.skip(n)
}

// record visits the record that begins here and returns its length, 0 when none does.
func (l *logReader) record() (int, error) {
	const head, sum = 8, 4
	b, err := l.peek(head)
	if err != nil || len(b) < head || binary.LittleEndian.Uint32(b) != recordMagic {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > maxPayload {
		return 0, nil
	}
	length := head + int(n) + sum
	if b, err = l.peek(length); err != nil || len(b) < length {
		return 0, err
	}
	payload := b[head : head+n]
	if crc32.ChecksumIEEE(payload) != binary.LittleEndian.Uint32(b[head+n:]) {
		return 0, nil
	}
	s, err := parsePayload(payload)
	if err != nil {
		return 0, nil //nolint:nilerr // it counts as damage
	}
	l.visit(s)
	return length, nil
}

// peek returns the next n bytes, or what is left of the file.
func (l *logReader) peek(n int) ([]byte, error) {
	b, err := l.buf.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return b, nil
}

func (l *logReader) skip(n int) { _, _ = l.buf.Discard(n) } // they have been peeked at

// parsePayload reads the one sample of a record.
func parsePayload(b []byte) (Series, error) {
	r := snapshotReader{rest: b}
	s := Series{First: r.int64(), Metric: r.name()}
	if count := r.take(1); count != nil {
		for range count[0] {
			if n := r.take(1); n != nil {
				s.Levels = append(s.Levels, string(r.take(int(n[0]))))
			}
		}
	}
	s.Values = []float64{widen(r.uint32())}
	switch {
	case r.err != nil:
		return s, r.err
	case len(r.rest) > 0:
		return s, damaged("something follows the sample")
	}
	return s, s.check()
}
