package metric

import (
	"bytes"
	"fmt"
)

// Collectors send the same series in the same order every time, and write their names in the same way. So the names of a line
// are taken apart once, and then recognised by their bytes.

// headOf splits a line behind its names. ok is false for a line that is not written in the usual way: those are always taken
// apart.
func headOf(line []byte) (head, tail []byte, ok bool) {
	i := bytes.IndexByte(line, ' ')
	if i <= 0 || !bytes.HasPrefix(line[i+1:], []byte("value=")) {
		return nil, nil, false
	}
	return line[:i], line[i+1:], true
}

// follow notes the sample of a line whose names are those of the series that came next the last time. done is false when
// they are not, or when something is wrong with what follows them: taking the line apart then says what.
func (w *writer) follow(n int, line []byte) (done bool) {
	head, tail, ok := headOf(line)
	if !ok || !w.known || w.denied || !w.app.Follow(w.cluster, head) {
		return false
	}
	l := &w.line
	l.HasTime = false
	if err := w.parser.tail(bytes.TrimRight(tail, " \r"), l); err != nil {
		return false
	}
	if !l.HasTime {
		l.Time = w.now
	}
	if err := w.app.AppendFollowed(l.Time, l.Value); err != nil {
		w.reject(n, fmt.Sprintf("host %s: %s", w.app.Host(), err))
		return true
	}
	w.pending++
	return true
}

// remember has the names of a line recognised from now on, if they alone say which series it is: the cluster must stand among
// them, and nothing may be escaped.
func (w *writer) remember(line []byte) {
	if head, _, ok := headOf(line); ok && bytes.IndexByte(head, '\\') < 0 {
		w.app.Remember(head)
	}
}
