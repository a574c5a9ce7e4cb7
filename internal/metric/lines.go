package metric

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// rawLine is a line as it was read.
type rawLine struct {
	text  []byte // with its end; good until the next line is read
	lines int    // how many lines that are: a line end may be part of a text
	long  bool   // it is longer than MaxLine, and not all of it is in text
	open  bool   // it ends in a text, as nothing comes after it
}

// addOdd gives the line to add that begins with text, and reads the rest of it: it is the last one, is too long, or has
// a text in it. Where values may be texts, a line goes on as long as a text does: what stands between quotation marks must
// not pass for samples. It returns how many lines that are. err is what text ended with.
func (w *writer) addOdd(buf *bufio.Reader, n int, text []byte, err error, add func(n int, line []byte)) (lines int, _ error) {
	line := rawLine{text: text, lines: 1}
	var s textScanner
	switch full := errors.Is(err, bufio.ErrBufferFull); {
	case full && w.texts:
		line, err = w.join(buf, &s, text, err)
	case full:
		line.long, err = true, skipLine(buf)
	case err == nil:
		if s.scan(text); s.state == scanText {
			line, err = w.join(buf, &s, text, err)
		}
	}
	switch {
	case line.long:
		w.reject(n, fmt.Sprintf("the line is longer than %d bytes", MaxLine))
	case err == nil || errors.Is(err, io.EOF):
		line.each(n, add)
	}
	return line.lines, err
}

func skipLine(buf *bufio.Reader) error {
	for {
		if _, err := buf.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// join reads on after text, with which the line begins and which ended with err.
func (w *writer) join(buf *bufio.Reader, s *textScanner, text []byte, err error) (rawLine, error) {
	line := rawLine{lines: 1}
	if err != nil {
		s.scan(text)
	}
	w.joined = append(w.joined[:0], text...)
	for s.state == scanText && err == nil || errors.Is(err, bufio.ErrBufferFull) {
		if err == nil {
			line.lines++
		}
		text, err = buf.ReadSlice('\n')
		s.scan(text)
		if line.long = line.long || len(w.joined)+len(text) > MaxLine; !line.long {
			w.joined = append(w.joined, text...)
		}
	}
	if !line.long {
		line.text, line.open = w.joined, s.state == scanText
	}
	return line, err
}

// each gives the line to add, without its end. One that ends in a text is given line by line: a quotation mark is
// missing, and that must not cost the lines behind it.
func (l rawLine) each(n int, add func(n int, line []byte)) {
	if !l.open {
		add(n, bytes.TrimSuffix(l.text, []byte("\n")))
		return
	}
	for part := range bytes.SplitSeq(l.text, []byte("\n")) {
		add(n, part)
		n++
	}
}

// textScanner finds out whether a line ends in a text.
type textScanner struct {
	state scanState
	last  byte // the one before; 0 when it was escaped
}

type scanState uint8

const (
	scanBlank  scanState = iota // spaces at the beginning
	scanNames                   // measurement and tags
	scanFields                  // fields and time
	scanText
	scanComment
)

// scan goes through the next bytes of the line.
func (s *textScanner) scan(b []byte) {
	for _, c := range b {
		if s.last == '\\' && s.state != scanComment { // in names and texts alike
			s.last = 0
			continue
		}
		switch s.state {
		case scanBlank:
			if c == '#' {
				s.state = scanComment
			} else if c > ' ' {
				s.state = scanNames
			}
		case scanNames:
			if c == ' ' {
				s.state = scanFields
			}
		case scanFields:
			if c == '"' && s.last == '=' {
				s.state = scanText
			}
		case scanText:
			if c == '"' {
				s.state = scanFields
			}
		case scanComment:
		}
		s.last = c
	}
}
