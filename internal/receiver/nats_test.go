package receiver_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/receiver"
)

// published remembers what it is told to publish.
type published struct {
	subject  string
	plain    []bus.Message
	kept     []bus.Message
	failWith error
}

func (p *published) Publish(_ context.Context, subject string, messages []bus.Message) error {
	p.subject, p.plain = subject, append(p.plain, messages...)
	return p.failWith
}

func (p *published) Store(_ context.Context, subject string, messages []bus.Message) error {
	p.subject, p.kept = subject, append(p.kept, messages...)
	return p.failWith
}

func TestNATSPublishesLines(t *testing.T) {
	t.Parallel()
	records := chained(t, 1, 5)
	for _, stream := range []bool{false, true} {
		p := &published{}
		n := &receiver.NATS{Bus: p, Subject: "bridgehead.audit", Stream: stream}
		if err := n.Send(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		messages := slices.Concat(p.plain, p.kept)
		if len(messages) != 5 || p.subject != "bridgehead.audit" || stream != (len(p.kept) == 5) {
			t.Fatalf("stream %v: %+v", stream, p)
		}
		var all [][]byte
		for i, m := range messages {
			if m.ID != records[i].Hash {
				t.Errorf("message %d has id %q", i, m.ID)
			}
			all = append(all, m.Data)
		}
		verify(t, all, 5, false)
		p.failWith = errors.New("away")
		if err := n.Send(t.Context(), []audit.Record{records[0]}); !errors.Is(err, p.failWith) {
			t.Errorf("got %v", err)
		}
	}
}
