package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Subscription is what to listen to.
type Subscription struct {
	// Subject is words divided by dots; * stands for a word, and > at the end for the rest.
	Subject string
	// Queue is a group of listeners of whom one gets each message. Without it, all get all.
	Queue string
}

// Check returns what is wrong with the subject or the group.
func (s Subscription) Check() error {
	words := strings.Split(s.Subject, ".")
	for i, word := range words {
		wild := word == "*" || word == ">" && i == len(words)-1
		if word == "" || !wild && strings.ContainsAny(word, "*> \t\r\n") {
			return fmt.Errorf("subject %q is not valid: words divided by dots, as in alpha.metrics; * stands for a word, > at the end for the rest", s.Subject)
		}
	}
	if strings.ContainsAny(s.Queue, "*> \t\r\n") {
		return fmt.Errorf("queue group %q is not valid: it is one word", s.Queue)
	}
	return nil
}

// Bounds of what waits to be handled, and of what is handled together.
const (
	maxWaiting      = 1 << 16
	maxWaitingBytes = 64 << 20
	maxTogether     = 256
	maxTogetherSize = 4 << 20
	// lastMessages is how long it may take at the end until what is on its way has come.
	lastMessages = 2 * time.Second
)

// Arrivals is what has arrived since the last time: messages in their order, which belong to the receiver, and how many
// were lost before because nobody took them.
type Arrivals struct {
	Messages [][]byte
	Lost     int64
}

// Listen calls handle with messages as they come, until ctx ends; what has arrived by then is handled, too, before it
// returns nil. While handle works, messages wait, up to 65,536 of them or 64 MB; what comes then is lost, and counted. The
// error is that the subscription is wrong or the connection was closed.
func (c *Conn) Listen(ctx context.Context, s Subscription, handle func(Arrivals)) error {
	if err := s.Check(); err != nil {
		return err
	}
	sub, err := c.nc.QueueSubscribeSync(s.Subject, s.Queue)
	if err == nil {
		err = sub.SetPendingLimits(maxWaiting, maxWaitingBytes)
	}
	if err != nil {
		return fmt.Errorf("listen to %s: %w", s.Subject, err)
	}
	l := listener{sub: sub, handle: handle}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			l.begin(m)
			l.end(c.nc)
			return nil //nolint:nilerr // that is how it ends
		case errors.Is(err, nats.ErrSlowConsumer):
			continue // what is lost is counted with the next message
		case err != nil:
			return fmt.Errorf("listen to %s: %w", s.Subject, err)
		}
		l.begin(m)
		l.rest()
	}
}

// listener is one subscription.
type listener struct {
	sub    *nats.Subscription
	handle func(Arrivals)
	now    Arrivals
	size   int
	lost   int64 // told so far
}

// begin notes a message, nil for none.
func (l *listener) begin(m *nats.Msg) {
	if m == nil {
		return
	}
	l.now.Messages = append(l.now.Messages, m.Data)
	l.size += len(m.Data)
}

// rest takes what waits already, and hands all on.
func (l *listener) rest() {
	waiting, _, _ := l.sub.Pending() // a closed subscription has nothing
	for range waiting {
		if len(l.now.Messages) >= maxTogether || l.size >= maxTogetherSize {
			break
		}
		m, err := l.sub.NextMsg(time.Millisecond)
		if err != nil {
			break
		}
		l.begin(m)
	}
	if dropped, err := l.sub.Dropped(); err == nil {
		l.now.Lost, l.lost = int64(dropped)-l.lost, int64(dropped)
	}
	if len(l.now.Messages) > 0 || l.now.Lost > 0 {
		l.handle(l.now)
	}
	l.now, l.size = Arrivals{}, 0
}

// end takes no more from the server and hands on what it has sent already.
func (l *listener) end(nc *nats.Conn) {
	_ = l.sub.Drain()                 // it fails when there is no connection: then nothing more comes
	_ = nc.FlushTimeout(lastMessages) // the same
	for {
		m, err := l.sub.NextMsg(time.Millisecond)
		if err != nil && !errors.Is(err, nats.ErrSlowConsumer) {
			break
		}
		l.begin(m)
		l.rest()
	}
	l.rest()
}
