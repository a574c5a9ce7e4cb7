package metric

import (
	"bufio"
	"bytes"
	"errors"
)

// rawLine is a line as it was read.
type rawLine struct {
	text  []byte // with its end; good until the next line is read
	lines int    // how many lines that are: a line end may be part of a text
	long  bool   // there was more than MaxLine, and text is nil
	open  bool   // it ends in a text, as nothing comes after it
}

// nextLine reads the next line. With io.EOF there may be a last one without an end. Where values may be texts, a line
// goes on as long as a text does: what stands between quotation marks must not pass for samples.
func (w *writer) nextLine(buf *bufio.Reader) (rawLine, error) {
	text, err := buf.ReadSlice('\n')
	full := errors.Is(err, bufio.ErrBufferFull)
	var s textScanner
	switch {
	case full && !w.texts:
		return rawLine{lines: 1, long: true}, skipLine(buf)
	case full:
		return w.join(buf, &s, text, err)
	case err == nil && w.texts && bytes.IndexByte(text, '"') >= 0:
		if s.scan(text); s.state == scanText {
			return w.join(buf, &s, text, err)
		}
	}
	return rawLine{text: text, lines: 1}, err
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
