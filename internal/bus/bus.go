// Package bus speaks to a NATS server.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Config says which server, and as whom.
type Config struct {
	// URL is the server's address, such as nats://bus1:4222 or tls://bus1:4222; several are divided by commas. It holds no
	// credentials: configuration files are read by many.
	URL string
	// Name is what the server's lists call this connection.
	Name string
	// Username and Password log in; Token does as well.
	Username, Password, Token string
	// CredsFile is a file with a JWT and its key, as nsc makes them.
	CredsFile string
	// CAFile names PEM certificates to trust instead of the system's.
	CAFile string
	// Log is told when the server is lost and found; nil keeps it quiet.
	Log *slog.Logger
}

// Check returns what is wrong with the address.
func (c Config) Check() error {
	for one := range strings.SplitSeq(c.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return errors.New("the address of a NATS server looks like nats://bus1:4222, or tls://bus1:4222")
		}
		if u.User != nil {
			return errors.New("the address of a NATS server must not hold credentials")
		}
	}
	return nil
}

// CheckSubject returns what is wrong with a subject to publish to.
func CheckSubject(subject string) error {
	for word := range strings.SplitSeq(subject, ".") {
		if word == "" || strings.ContainsAny(word, "*> \t\r\n") {
			return fmt.Errorf("%q is not valid: words divided by dots, as in bridgehead.audit", subject)
		}
	}
	return nil
}

// Conn is a connection that comes back by itself when the server was away. It is safe for concurrent use.
type Conn struct{ nc *nats.Conn }

// ErrAway is returned while there is no connection to the server.
var ErrAway = errors.New("the NATS server cannot be reached")

// Connect returns a connection. A server that is not there yet is no error: the connection is made when it is.
func Connect(c Config) (*Conn, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(c.Name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.CustomReconnectDelay(backOff),
		nats.IgnoreAuthErrorAbort(), // somebody will put the password right
		nats.ReconnectBufSize(-1),   // what cannot be sent now is not kept here: whoever sends knows better what to do
		nats.Timeout(5 * time.Second),
	}
	options = append(options, c.handlers()...)
	switch {
	case c.CredsFile != "":
		options = append(options, nats.UserCredentials(c.CredsFile))
	case c.Username != "":
		options = append(options, nats.UserInfo(c.Username, c.Password))
	case c.Token != "":
		options = append(options, nats.Token(c.Token))
	}
	if c.CAFile != "" {
		options = append(options, nats.RootCAs(c.CAFile))
	}
	nc, err := nats.Connect(c.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return &Conn{nc}, nil
}

// backOff returns how long to wait after so many attempts in vain. Not all clients of a server that is back come at once.
func backOff(attempts int) time.Duration {
	wait := min(250*time.Millisecond<<min(attempts, 10), 15*time.Second)
	return wait + rand.N(wait/4) //nolint:gosec // it spreads, it hides nothing
}

// handlers tells the log what happens to the connection. Without a handler of ours, the library would write to the
// standard error. Its errors hold no credentials.
func (c Config) handlers() []nats.Option {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return []nats.Option{
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrSlowConsumer) {
				return // whoever subscribes counts it
			}
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Error("NATS reports an error", "server", c.URL, "subject", subject, "error", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("the connection to NATS is lost; it will be made again", "server", c.URL, "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("connected to NATS again", "server", c.URL) }),
		nats.ConnectHandler(func(*nats.Conn) { log.Info("connected to NATS", "server", c.URL) }),
	}
}

// Message is something to publish. ID, when it is set, lets a stream recognise what it has already.
type Message struct {
	ID   string
	Data []byte
}

// Publish sends messages to a subject, in order, and returns when the server has taken all of them. ErrAway while there
// is no connection; then, and after any other error, some may have arrived.
func (c *Conn) Publish(ctx context.Context, subject string, messages []Message) error {
	if !c.nc.IsConnected() {
		return c.away()
	}
	for _, m := range messages {
		if err := c.nc.PublishMsg(wire(subject, m)); err != nil {
			return c.explain("publish", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return c.explain("publish", err)
	}
	return nil
}

// ackTimeout is how long the server may take to say that it has got something.
const ackTimeout = 10 * time.Second

// Store sends messages to a subject that a JetStream stream keeps, and returns when all of them are kept. It fails when no
// stream does.
func (c *Conn) Store(ctx context.Context, subject string, messages []Message) error {
	if !c.nc.IsConnected() {
		return c.away()
	}
	js, err := c.nc.JetStream(nats.PublishAsyncMaxPending(len(messages) + 1))
	if err != nil {
		return fmt.Errorf("use JetStream: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	acks := make([]nats.PubAckFuture, len(messages))
	for i, m := range messages {
		if acks[i], err = js.PublishMsgAsync(wire(subject, m)); err != nil {
			return c.explain("publish to stream", err)
		}
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return c.explain("publish to stream", err)
		case <-ctx.Done():
			return fmt.Errorf("publish to stream: %w", ctx.Err())
		}
	}
	return nil
}

func wire(subject string, m Message) *nats.Msg {
	msg := nats.NewMsg(subject)
	msg.Data = m.Data
	if m.ID != "" {
		msg.Header.Set(nats.MsgIdHdr, m.ID)
	}
	return msg
}

func (c *Conn) explain(doing string, err error) error {
	if c.nc.IsConnected() {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrAway, err)
}

// away is ErrAway with the reason, such as a password that is wrong.
func (c *Conn) away() error {
	if err := c.nc.LastError(); err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return ErrAway
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }
