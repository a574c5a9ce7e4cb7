package metric

import (
	"bytes"
)

// follow reads a line whose names are those with which the series begins that came next the last time. The names are not in
// w.sample then. ok is false when they are not, or when something is wrong with what follows them: taking the line apart then
// says what.
func (w *influxWriter) follow() (ok bool) {
	m := w.app.FollowLine(w.cluster, w.head)
	dropped := w.result.Dropped
	if w.known && !w.denied && w.knows(m, wayInfluxNamed, wayInfluxDefault) {
		if w.parseTail(w.whole[len(w.head):]) == nil {
			return true
		}
		w.result.Dropped, w.fields = dropped, w.fields[:0]
		w.parser.unescaped = w.parser.unescaped[:0]
	}
	w.app.LeaveLine()
	return false
}

// addField notes the sample of a field.
func (w *influxWriter) addField(n int, f *field) verdict {
	if v, done := w.followField(n, f); done {
		return v
	}
	if !w.apart {
		if err := w.completeNames(); err != nil { // never: they have been recognised
			w.reject(n, err.Error())
			return wrong
		}
	}
	w.sample.Metric, w.sample.Value = w.measurement, f.value
	if string(f.name) != "value" {
		w.name = append(append(append(w.name[:0], w.measurement...), '_'), f.name...)
		w.sample.Metric = w.name
	}
	v := w.take(n, &w.sample)
	if v == kept {
		w.rememberField(f.name)
	}
	return v
}

// completeNames takes the names of a line apart that have been recognised, for a field that has not been.
func (w *influxWriter) completeNames() error {
	if _, err := w.parseNames(); err != nil {
		return err
	}
	return w.sample.check()
}

// followField notes the sample of a field whose series is the one that came next the last time. done is false when it is
// not, or when it is another origin's now.
func (w *influxWriter) followField(n int, f *field) (v verdict, done bool) {
	m := w.app.FollowField(f.name)
	if m == nil || !w.service.claims.hold(w.hostHash(), m.Names, Origin(m.Origin), w.now, w.now+m.Rest) {
		return 0, false
	}
	return w.noteFollowed(n, w.sample.Time, f.value), true
}

// hostHash returns the hash of the host whose series are followed.
func (w *influxWriter) hostHash() uint64 {
	if h := &w.hashed; h.host != w.app.Host() || !bytes.Equal(h.cluster, w.cluster) {
		h.cluster, h.host = w.cluster, w.app.Host()
		h.hash = hostHash(h.cluster, []byte(h.host))
	}
	return w.hashed.hash
}

// rememberField has the names of the line recognised from now on, and the field behind them, if nothing is escaped in them.
func (w *influxWriter) rememberField(name []byte) {
	if bytes.IndexByte(w.head, '\\') < 0 {
		m := w.sample.memo
		m.Way = wayOf(w.named, wayInfluxNamed, wayInfluxDefault)
		w.app.RememberField(w.head, name, m)
	}
}
