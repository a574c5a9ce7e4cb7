// Package netlimit keeps strangers from using a server up: connections in number and by address, and time for what a
// client sends and reads.
//
// A client may be slow, since some are far away, but it must get on: headers in 20 seconds, a request in 5 minutes, and
// of a reply a piece in every minute, however long the whole takes.
package netlimit

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// DefaultPerAddress is how many connections one address may have open where nothing else is said.
const DefaultPerAddress = 512

// Server returns an HTTP server that waits for nobody for ever.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: stalls(h, stallTime), ReadHeaderTimeout: 20 * time.Second, ReadTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Limits is how many connections there may be.
type Limits struct {
	PerAddress int            // from one address, which is a /64 of IPv6; 0 sets no limit
	Total      int            // over all; 0 sets no limit
	Exempt     []netip.Prefix // count in Total only: proxies, which bring the clients of all
	Log        *slog.Logger   // is told when an address has reached its limit
}

// Limiter counts the connections of several listeners together. It is safe for concurrent use.
type Limiter struct {
	limits Limits
	slots  chan struct{} // one for each open connection; nil when there is no total

	mu   sync.Mutex // guards all below
	open map[netip.Prefix]*count
}

type count struct {
	n      int
	warned bool // since it was 0
}

// New returns a limiter with nothing open.
func New(l Limits) *Limiter {
	limiter := &Limiter{limits: l, open: map[netip.Prefix]*count{}}
	if l.Total > 0 {
		limiter.slots = make(chan struct{}, l.Total)
	}
	return limiter
}

// Listen returns a listener that gives on no more connections of ln than there may be. One too many of an address is
// closed at once. When there are too many over all, the others wait, in the queue of the operating system.
func (l *Limiter) Listen(ln net.Listener) net.Listener {
	return &listener{Listener: ln, limiter: l, closed: make(chan struct{})}
}

// take counts a connection, unless its address has enough.
func (l *Limiter) take(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.open[from]
	if c == nil {
		c = &count{}
		l.open[from] = c
	}
	if l.limits.PerAddress > 0 && c.n >= l.limits.PerAddress && !l.exempt(from) {
		if !c.warned {
			c.warned = true
			l.limits.Log.Warn("an address has as many connections as it may; more of them are closed", "address", from.String(), "connections", c.n)
		}
		return false
	}
	c.n++
	return true
}

func (l *Limiter) exempt(from netip.Prefix) bool {
	for _, p := range l.limits.Exempt {
		if p.Contains(from.Addr()) {
			return true
		}
	}
	return false
}

// give is called once for each connection that take has counted.
func (l *Limiter) give(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.open[from]; c.n > 1 {
		c.n--
	} else {
		delete(l.open, from)
	}
}

// addressOf returns what counts as one address.
func addressOf(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // cannot fail for so few bits
	return p
}
