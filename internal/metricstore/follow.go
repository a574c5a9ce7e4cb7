package metricstore

// maxHead is how long a head may be that is remembered.
const maxHead = 256

// strangeEvery is at the how-manieth head that is not the one that is remembered it takes its place.
const strangeEvery = 64

// Memo is what somebody who has a head remembered wants to be told when it comes again. The store makes nothing of it.
type Memo struct {
	Way           uint8 // of reading heads: the same bytes may name another series in another
	Origin, Names uint64
	Rest          int64
}

// Remember notes that the series of the last sample was named by head, in whatever way its sender writes names. When the
// same bytes come again, Follow knows the series without taking them apart. head must never name another series, among
// those that are remembered in the same way.
func (a *Appender) Remember(head []byte, m Memo) { a.remember(head, nil, m) }

// RememberField is Remember for a sender who writes several fields behind one head: the series was named by head together
// with the name of a field.
func (a *Appender) RememberField(head, field []byte, m Memo) {
	if len(field) > 0 {
		a.remember(head, field, m)
	}
}

func (a *Appender) remember(head, field []byte, m Memo) {
	if a.last == nil || len(head) == 0 || len(head) > maxHead || len(field) > maxHead {
		return
	}
	known := a.last.head.Load()
	switch {
	case known == nil:
	case known.memo == m && known.field == string(field) && known.spells(head, a.host.name):
		a.line = known.line
		return
	default:
		// Several senders may write one series in several ways. Whose way it is may change, but not every time.
		if a.strange++; a.strange%strangeEvery != 0 {
			return
		}
	}
	known = a.db.spelling(head, field, a.host.name, m)
	a.last.head.Store(known)
	a.line = known.line
}

// Follow returns the memo of head, when head names the series that came after the last one the last time, and that is one of
// the cluster; else nil. Senders send the same series in the same order every time. When it does, AppendFollowed takes its
// sample, if the memo is of the caller's way.
func (a *Appender) Follow(cluster, head []byte) *Memo {
	a.followed = nil
	next, known := a.guess()
	if known == nil || a.host.cluster != string(cluster) || known.line != nil || !known.spells(head, a.host.name) {
		return nil
	}
	a.expect(next)
	return &known.memo
}

// FollowLine returns a memo of head, when head with some field names the series that came after the last one the last time,
// and that is one of the cluster; else nil. Until the next call FollowField is about fields behind this head. When it is nil,
// FollowField finds those behind which RememberField has been told of this head.
func (a *Appender) FollowLine(cluster, head []byte) *Memo {
	a.line = nil
	_, known := a.guess()
	if known == nil || a.host.cluster != string(cluster) || known.line == nil || !known.spells(head, a.host.name) {
		return nil
	}
	a.line = known.line
	return &known.memo
}

// LeaveLine forgets the head of FollowLine: it is not what it seemed to be.
func (a *Appender) LeaveLine() { a.line = nil }

// FollowField is Follow for a field behind the head of FollowLine.
func (a *Appender) FollowField(field []byte) *Memo {
	a.followed = nil
	if a.line == nil {
		return nil
	}
	next, known := a.guess()
	if known == nil || known.field != string(field) || known.line != a.line && (known.line == nil || *known.line != *a.line) {
		return nil
	}
	a.expect(next)
	return &known.memo
}

// guess returns the series of the host that came after the last one the last time, with its spelling; nil when it has none.
func (a *Appender) guess() (*series, *spelling) {
	if a.last == nil {
		return nil, nil
	}
	next := a.last.next.Load()
	if next == nil || next.host != a.host {
		return nil, nil
	}
	return next, next.head.Load()
}

// expect makes the series the one that AppendFollowed is about.
func (a *Appender) expect(s *series) {
	if ahead := s.next.Load(); ahead != nil {
		// Nobody wants it yet. But with a million series each is far from the processor, and on its way while the rest of
		// the line is read.
		ahead.head.Load()
	}
	a.followed = s
}

// AppendFollowed is Append for the series that Follow or FollowField has just found.
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
