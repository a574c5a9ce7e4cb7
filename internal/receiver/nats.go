package receiver

import (
	"context"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
)

// Publisher sends messages to a subject. *bus.Conn is one.
type Publisher interface {
	// Publish returns when the server has taken all messages.
	Publish(ctx context.Context, subject string, messages []bus.Message) error
	// Store returns when a stream keeps all messages.
	Store(ctx context.Context, subject string, messages []bus.Message) error
}

// NATS publishes each record as a JSON line. Its message id is the record's hash.
type NATS struct {
	Bus     Publisher
	Subject string
	// Stream waits until a JetStream stream keeps the records. Without it, they have arrived at the server, which forgets
	// those that nobody has subscribed to.
	Stream bool
}

// Send implements trail.Receiver.
func (n *NATS) Send(ctx context.Context, records []audit.Record) error {
	messages := make([]bus.Message, len(records))
	for i, r := range records {
		messages[i] = bus.Message{ID: r.Hash, Data: audit.Line(r)}
	}
	if n.Stream {
		return n.Bus.Store(ctx, n.Subject, messages)
	}
	return n.Bus.Publish(ctx, n.Subject, messages)
}
