package metric

import (
	"bytes"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Collectors send the same series in the same order every time, and write their names in the same way. So the names of a line
// are taken apart once, and then recognised by their bytes.

// The ways of reading the names of a line. The same bytes may name one series in one of them, and another in another.
const (
	wayNamed         = iota + 1 // the line protocol, with the cluster among the names
	wayDefault                  // without: the cluster is the source's
	wayInfluxNamed              // the rules of InfluxDB
	wayInfluxDefault            //
)

// headOf splits a line behind its names. ok is false for a line that is not written in the usual way: those are always taken
// apart.
func headOf(line []byte) (head, tail []byte, ok bool) {
	i := bytes.IndexByte(line, ' ')
	if i <= 0 || !bytes.HasPrefix(line[i+1:], []byte("value=")) {
		return nil, nil, false
	}
	return line[:i], line[i+1:], true
}

// knows reports whether a memo of names says that they are read in one of two ways: with the cluster among them, or without,
// and then the cluster has to be the source's.
func (w *writer) knows(m *metricstore.Memo, named, unnamed uint8) bool {
	return m != nil && (m.Way == named || m.Way == unnamed && w.isDefault)
}

// follow notes the sample of a line whose names are those of the series that came next the last time. done is false when
// they are not, or when something is wrong with what follows them: taking the line apart then says what.
func (w *writer) follow(n int, line []byte) (done bool) {
	head, tail, ok := headOf(line)
	if !ok || !w.known || w.denied || !w.knows(w.app.Follow(w.cluster, head), wayNamed, wayDefault) {
		return false
	}
	l := &w.line
	l.HasTime = false
	if err := w.parser.tail(trimRight(tail), l); err != nil {
		return false
	}
	if !l.HasTime {
		l.Time = w.now
	}
	w.noteFollowed(n, l.Time, l.Value)
	return true
}

// noteFollowed hands the sample of a recognised series to the store.
func (w *writer) noteFollowed(n int, t int64, v float64) verdict {
	if err := w.app.AppendFollowed(t, v); err != nil {
		w.reject(n, fmt.Sprintf("host %s: %s", w.app.Host(), w.explain(err)))
		return wrong
	}
	w.pending++
	return kept
}

// remember has the names of a line recognised from now on, if nothing is escaped in them.
func (w *writer) remember(line []byte, named bool) {
	if head, _, ok := headOf(line); ok && bytes.IndexByte(head, '\\') < 0 {
		w.app.Remember(head, metricstore.Memo{Way: wayOf(named, wayNamed, wayDefault)})
	}
}

func wayOf(named bool, ifNamed, ifNot uint8) uint8 {
	if named {
		return ifNamed
	}
	return ifNot
}
