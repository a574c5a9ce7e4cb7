package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// windowSize is how much the scanner reads at once.
const windowSize = 1 << 20

// Gap is a stretch of a file that holds no readable record, although readable ones follow.
type Gap struct{ From, To int64 }

// Scanner reads the records of a file in order, past damaged stretches.
type Scanner struct {
	src    io.ReaderAt
	size   int64
	salt   uint64
	pos    int64 // of the next record
	window []byte
	start  int64 // of the window
	gaps   []Gap
	torn   int64
}

// NewScanner returns a scanner for the records of a file of the given size. It fails with ErrKind when the header is
// not that of such a file, and with the error of reading it.
func NewScanner(src io.ReaderAt, size int64, kind Kind) (*Scanner, error) {
	s := &Scanner{src: src, size: size, torn: size}
	b, err := s.view(0, min(size, HeaderSize))
	if err != nil {
		return nil, err
	}
	if s.salt, err = parseHeader(b, kind); err != nil {
		return nil, err
	}
	s.pos = HeaderSize
	return s, nil
}

// Next returns the payload of the next readable record, good until the call after; io.EOF when there is none.
func (s *Scanner) Next() ([]byte, error) {
	payload, err := s.at(s.pos)
	if err != nil {
		return nil, err
	}
	if payload != nil {
		s.pos += Overhead + int64(len(payload))
		return payload, nil
	}
	if s.pos >= s.size {
		return nil, io.EOF
	}
	return s.resume()
}

// resume looks for the first readable record behind a damaged stretch.
func (s *Scanner) resume() ([]byte, error) {
	damaged := s.pos
	for pos := damaged + 1; ; pos++ {
		var err error
		if pos, err = s.findMark(pos); err != nil {
			return nil, err
		}
		if pos < 0 {
			s.torn, s.pos = damaged, s.size
			return nil, io.EOF
		}
		payload, err := s.at(pos)
		if err != nil {
			return nil, err
		}
		if payload != nil {
			s.gaps = append(s.gaps, Gap{damaged, pos})
			s.pos = pos + Overhead + int64(len(payload))
			return payload, nil
		}
	}
}

// Gaps returns the damaged stretches that Next has skipped so far.
func (s *Scanner) Gaps() []Gap { return s.gaps }

// Torn returns, after Next has returned io.EOF, where the last readable record ends: the size of the file when nothing
// unreadable follows.
func (s *Scanner) Torn() int64 { return s.torn }

// at returns the payload of the record at pos, not nil even when it is empty; nil when there is no readable one.
func (s *Scanner) at(pos int64) ([]byte, error) {
	if pos+Overhead > s.size {
		return nil, nil
	}
	b, err := s.view(pos, Overhead)
	if err != nil {
		return nil, err
	}
	h, ok := parseHead(b, s.salt)
	if !ok || pos+Overhead+int64(h.length) > s.size {
		return nil, nil
	}
	if b, err = s.view(pos+Overhead, int64(h.length)); err != nil {
		return nil, err
	}
	if checksum(s.salt, b) != h.sum {
		return nil, nil
	}
	return b[:len(b):len(b)], nil
}

// findMark returns where, at or after pos, a record could begin; negative when nowhere.
func (s *Scanner) findMark(pos int64) (int64, error) {
	wanted := binary.LittleEndian.AppendUint32(nil, mark)
	for pos+Overhead <= s.size {
		b, err := s.view(pos, min(windowSize, s.size-pos))
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, wanted); i >= 0 {
			return pos + int64(i), nil
		}
		pos += int64(len(b) - len(wanted) + 1) // the mark may begin in the last three bytes
	}
	return -1, nil
}

// view returns the n bytes at pos, good until the next call.
func (s *Scanner) view(pos, n int64) ([]byte, error) {
	if pos < s.start || pos+n > s.start+int64(len(s.window)) {
		length := min(max(n, windowSize), s.size-pos)
		if int64(cap(s.window)) < length {
			s.window = make([]byte, length)
		}
		s.window, s.start = s.window[:length], pos
		if m, err := s.src.ReadAt(s.window, pos); int64(m) < length {
			s.window = s.window[:0]
			return nil, fmt.Errorf("read %d bytes at %d: %w", length, pos, err)
		}
	}
	return s.window[pos-s.start : pos-s.start+n], nil
}
