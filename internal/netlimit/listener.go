package netlimit

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

type listener struct {
	net.Listener
	limiter *Limiter
	once    sync.Once
	closed  chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c.RemoteAddr())
		if !l.limiter.take(from) {
			_ = c.Close() // who opens too many learns it
			continue
		}
		if err := l.slot(); err != nil {
			l.limiter.give(from)
			return nil, errors.Join(err, c.Close())
		}
		return &conn{Conn: c, limiter: l.limiter, from: from}, nil
	}
}

// slot waits until there may be another connection. It is asked for when there is one: a listener that nobody comes to
// takes none away from the others.
func (l *listener) slot() error {
	if l.limiter.slots == nil {
		return nil
	}
	select {
	case l.limiter.slots <- struct{}{}:
		return nil
	case <-l.closed:
		return net.ErrClosed
	}
}

func (l *Limiter) freeSlot() {
	if l.slots != nil {
		<-l.slots
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// conn gives back what it has taken when it is closed.
type conn struct {
	net.Conn
	limiter *Limiter
	from    netip.Prefix
	once    sync.Once
}

// Close implements net.Conn.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.limiter.give(c.from)
		c.limiter.freeSlot()
	})
	return err
}

// CloseWrite lets the server end a reply before it closes, which is how the client gets to read it.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
