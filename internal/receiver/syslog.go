package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// SyslogConfig says to which log server records go.
type SyslogConfig struct {
	// Network is "unix" for the log daemon of this machine, "udp" or "tcp"; "" is "unix".
	Network string
	// Addr is the daemon's socket or the server's host and port; "" is /dev/log.
	Addr string
	// Facility is a name of RFC 5424, such as "authpriv", which is also what "" means, or "local0".
	Facility string
	// Tag is the name of the program in the messages; "" is "bridgehead".
	Tag string
	// Host is this machine's name.
	Host  string
	Clock clock.Clock
}

// Syslog sends each record as a message of RFC 5424 whose text is the record's JSON line. It is not safe for concurrent
// use.
//
// Syslog acknowledges nothing. Over TCP a batch counts as received when the other side's kernel has it, and after a broken
// connection the batch before is sent again; over UDP a message that is lost is lost.
type Syslog struct {
	SyslogConfig
	facility int
	conn     net.Conn       // nil while there is none
	window   []audit.Record // the last batch: it may still be on its way when a connection breaks
	broken   bool           // the connection broke after the window had been sent
}

// NewSyslog returns a receiver, or what is wrong with its configuration.
func NewSyslog(c SyslogConfig) (*Syslog, error) {
	if c.Network == "" {
		c.Network = "unix"
	}
	if c.Network == "unix" && c.Addr == "" {
		c.Addr = "/dev/log"
	}
	if c.Facility == "" {
		c.Facility = "authpriv"
	}
	if c.Tag == "" {
		c.Tag = "bridgehead"
	}
	facility := slices.Index(facilities(), c.Facility)
	switch {
	case facility < 0:
		return nil, fmt.Errorf("facility %q is unknown; the facilities are %s", c.Facility, strings.Join(facilities(), ", "))
	case !slices.Contains([]string{"unix", "udp", "tcp"}, c.Network):
		return nil, fmt.Errorf("network %q is unknown; unix, udp and tcp are the networks", c.Network)
	case len(c.Tag) > 48 || header(c.Tag, 48) != c.Tag:
		return nil, fmt.Errorf("tag %q is not valid: up to 48 letters, digits and signs without blanks", c.Tag)
	}
	if _, _, err := net.SplitHostPort(c.Addr); c.Network != "unix" && err != nil {
		return nil, fmt.Errorf("address %q is not valid: it looks like loghost:514", c.Addr)
	}
	return &Syslog{SyslogConfig: c, facility: facility}, nil
}

// facilities returns the names in the order of their numbers (RFC 5424, 6.2.1).
func facilities() []string {
	return []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
}

const (
	dialTimeout = 5 * time.Second
	sendTimeout = 10 * time.Second
)

// Send implements trail.Receiver.
func (s *Syslog) Send(ctx context.Context, records []audit.Record) error {
	if s.conn != nil && gone(s.conn) {
		s.hangUp()
	}
	if s.conn == nil {
		if err := s.dial(ctx); err != nil {
			return err
		}
	}
	batch := records
	if s.broken {
		batch = slices.Concat(s.window, records)
	}
	if err := s.write(batch); err != nil {
		s.hangUp()
		return fmt.Errorf("send to %s: %w", s.Addr, err)
	}
	s.window, s.broken = records, false
	return nil
}

func (s *Syslog) hangUp() {
	_ = s.conn.Close() // it is given up
	s.conn, s.broken = nil, true
}

func (s *Syslog) dial(ctx context.Context) (err error) {
	networks := []string{s.Network}
	if s.Network == "unix" { // most daemons take datagrams, some streams
		networks = []string{"unixgram", "unix"}
	}
	for _, n := range networks {
		var failed error
		if s.conn, failed = (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, n, s.Addr); failed == nil {
			return nil
		}
		err = errors.Join(err, failed)
	}
	s.conn = nil
	return fmt.Errorf("connect: %w", err)
}

// write sends the messages and, where that can be known, waits until the other side has them.
func (s *Syslog) write(records []audit.Record) error {
	for _, r := range records {
		if err := s.conn.SetWriteDeadline(s.Clock.Now().Add(sendTimeout)); err != nil {
			return err
		}
		if _, err := s.conn.Write(s.frame(r)); err != nil {
			return err
		}
	}
	return delivered(s.conn, s.Clock)
}

// frame returns a record as it goes over the wire: datagrams hold one message each, TCP needs to know how long one is
// (RFC 6587, 3.4.1), and a local stream ends it by NUL, as daemons there have always read it.
func (s *Syslog) frame(r audit.Record) []byte {
	m := s.message(r)
	switch s.conn.(type) {
	case *net.TCPConn:
		return append(fmt.Appendf(nil, "%d ", len(m)), m...)
	case *net.UDPConn:
		if len(m) > maxDatagram {
			m = s.message(shortened(r))
		}
	case *net.UnixConn:
		if s.conn.RemoteAddr().Network() == "unix" {
			return append(m, 0)
		}
		if len(m) > maxDatagram {
			m = s.message(shortened(r))
		}
	}
	return m
}

// maxDatagram is what fits into a datagram everywhere.
const maxDatagram = 60 << 10

// shortened is a record without the texts that may be long. Its hash still says which one it is.
func shortened(r audit.Record) audit.Record {
	for _, s := range []*string{&r.Actor, &r.Subject, &r.TokenID, &r.Via, &r.Addr, &r.RequestID, &r.Action, &r.Object, &r.Reason} {
		*s = header(*s, 256)
	}
	r.Details = map[string]string{"shortened": "the whole record is in the trail"}
	return r
}

// message returns a record as RFC 5424 wants it.
func (s *Syslog) message(r audit.Record) []byte {
	head := fmt.Sprintf("<%d>1 %s %s %s %d %s - ", s.facility*8+severity(r.Outcome), r.Time.UTC().Format(audit.TimeForm),
		header(s.Host, 255), s.Tag, os.Getpid(), header(r.Action, 32))
	return append([]byte(head), audit.Line(r)...)
}

// severity is how loud a record is: informational, warning, error.
func severity(o audit.Outcome) int {
	switch o {
	case audit.Refused:
		return 4
	case audit.Failed:
		return 3
	case audit.Done:
	}
	return 6
}

// header returns text as a header can hold it: printable ASCII without blanks, "-" for nothing.
func header(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), limit)]
}

// Close ends the connection.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
