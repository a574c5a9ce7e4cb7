package cockpit

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// Events understands what schedulers publish on a message bus: the bodies of REST as events (contract clustercockpit
// 3.15).
type Events struct{ d *dialect }

// NewEvents returns what understands events. Of the configuration, Jobs and Nodes are needed.
func NewEvents(c Config) *Events { return &Events{&dialect{c}} }

// Event is one thing that has happened.
type Event struct {
	// Name says what it is, for logs.
	Name string
	// Order tells events apart that may be worked off at the same time: those with the same number must not be.
	Order uint64
	// Do does what REST does for the same body, with the same checks. The error is what REST would answer.
	Do func(ctx context.Context, c identity.Caller) error
}

// Parse returns the events of a message. One that is wrong does not stop the others, unless it cannot be told where the next
// one begins; the error is about all that are wrong.
func (e *Events) Parse(message []byte) ([]Event, error) {
	var events []Event
	var wrong []error
	p := eventParser{rest: message}
	for n := 1; ; n++ {
		line, ok, err := p.next()
		if err != nil {
			wrong = append(wrong, fault.Because(fault.Invalid, err, "event %d: %s", n, err))
		}
		if !ok {
			return events, errors.Join(wrong...)
		}
		event, err := e.event(line)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("event %d: %w", n, err))
			continue
		}
		events = append(events, event)
	}
}

func (e *Events) event(l eventLine) (Event, error) {
	switch {
	case l.measurement == "job" && l.function == "start_job":
		return e.start(l.body)
	case l.measurement == "job" && l.function == "stop_job":
		return e.stop(l.body)
	case l.measurement == "nodestate":
		return e.nodeState(l.body)
	case l.measurement == "job":
		return Event{}, fault.New(fault.Invalid, "unknown function %.40q of a job: it is start_job or stop_job", l.function)
	}
	return Event{}, fault.New(fault.Invalid, "unknown event %.40q: it is job or nodestate", l.measurement)
}

func (e *Events) start(body []byte) (Event, error) {
	var r startRequest
	if err := api.DecodeJSON(body, &r); err != nil {
		return Event{}, err
	}
	j, err := r.job()
	if err != nil {
		return Event{}, err
	}
	return Event{Name: "start_job " + strconv.FormatInt(j.JobID, 10), Order: orderOfJob(j.JobID), Do: func(ctx context.Context, c identity.Caller) error {
		_, err := e.d.Jobs.Start(ctx, c, j)
		return err
	}}, nil
}

func (e *Events) stop(body []byte) (Event, error) {
	var r stopRequest
	if err := api.DecodeJSON(body, &r); err != nil {
		return Event{}, err
	}
	if r.JobID == nil {
		return Event{}, fault.New(fault.Invalid, "the field 'jobId' is required")
	}
	return Event{Name: "stop_job " + strconv.FormatInt(*r.JobID, 10), Order: orderOfJob(*r.JobID), Do: func(ctx context.Context, c identity.Caller) error {
		_, err := e.d.stopJob(ctx, api.Request[api.None, stopRequest]{Caller: c, Body: r})
		return err
	}}, nil
}

func (e *Events) nodeState(body []byte) (Event, error) {
	var r nodeStates
	if err := api.DecodeJSON(body, &r); err != nil {
		return Event{}, err
	}
	return Event{Name: "nodestate " + r.Cluster, Order: orderOf("cluster " + r.Cluster), Do: func(ctx context.Context, c identity.Caller) error {
		_, err := e.d.reportNodes(ctx, api.Request[api.None, nodeStates]{Caller: c, Body: r})
		return err
	}}, nil
}

// orderOfJob leaves out the cluster, which the end of a job need not name.
func orderOfJob(id int64) uint64 { return orderOf("job " + strconv.FormatInt(id, 10)) }

func orderOf(what string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what)) // never fails
	return h.Sum64()
}
