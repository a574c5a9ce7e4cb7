package metricstore

// maxHead is how long a head may be that is remembered.
const maxHead = 256

// strangeEvery is at the how-manieth head that is not the one that is remembered it takes its place.
const strangeEvery = 64

// Remember notes that the series of the last sample was named by head, in whatever way its sender writes names. When the
// same bytes come again, Follow knows the series without taking them apart. head must never name another series.
func (a *Appender) Remember(head []byte) {
	if a.last == nil || len(head) == 0 || len(head) > maxHead {
		return
	}
	if known := a.last.head.Load(); known != nil {
		// Several senders may write one series in several ways. Whose way it is may change, but not every time.
		if a.strange++; known.spells(head, a.host.name) || a.strange%strangeEvery != 0 {
			return
		}
	}
	a.last.head.Store(a.db.spelling(head, a.host.name))
}

// Follow reports whether head names the series that came after the last one the last time, and whether that is one of the
// cluster. Senders send the same series in the same order every time. When it does, AppendFollowed takes its sample.
func (a *Appender) Follow(cluster, head []byte) bool {
	a.followed = nil
	if a.last == nil {
		return false
	}
	next := a.last.next.Load()
	if next == nil || next.host != a.host || a.host.cluster != string(cluster) {
		return false
	}
	if known := next.head.Load(); known == nil || !known.spells(head, a.host.name) {
		return false
	}
	if ahead := next.next.Load(); ahead != nil {
		// Nobody wants it yet. But with a million series each is far from the processor, and on its way while the rest of
		// the line is read.
		ahead.head.Load()
	}
	a.followed = next
	return true
}

// AppendFollowed is Append for the series that Follow has just found.
func (a *Appender) AppendFollowed(t int64, v float64) error {
	s := a.followed
	if err := a.check(s.step, t, v); err != nil {
		a.db.refused.Add(1)
		return err
	}
	a.note(s, t, v)
	return nil
}

// Host returns the name of the host of the last series.
func (a *Appender) Host() string { return a.host.name }
