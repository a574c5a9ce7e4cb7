package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// refusals carries refused requests into the audit trail without holding up the reply. A flood of bad tokens must not
// become a flood of disk writes: what does not fit into the queue is counted, and the count is recorded.
type refusals struct {
	audit   audit.Log
	clock   clock.Clock
	log     *slog.Logger
	gate    *access.Gate
	queue   chan audit.Record
	dropped atomic.Int64 // not in the trail yet
	all     atomic.Int64 // ever dropped
}

// refusalPace is the shortest time between two records.
const refusalPace = 20 * time.Millisecond

func newRefusals(log audit.Log, clk clock.Clock, l *slog.Logger, gate *access.Gate) *refusals {
	return &refusals{audit: log, clock: clk, log: l, gate: gate, queue: make(chan audit.Record, 512)}
}

// note is the api.Guard's Refused.
func (f *refusals) note(r *http.Request, c identity.Caller, err error) {
	rec := c.Record(f.clock.Now(), "request.refuse", r.Method+" "+r.URL.Path)
	rec.Outcome, rec.Reason = audit.Refused, seal.Mask(reason(err))
	rec.Addr, rec.RequestID = f.gate.ClientAddr(r), access.RequestID(r.Context())
	whose(&rec, err)
	select {
	case f.queue <- rec.Bounded(): // what waits must not fill the memory
	default:
		f.dropped.Add(1)
		f.all.Add(1)
	}
}

// reason is what the client was told and, for the trail only, why. Of a missing permission both say the same.
func reason(err error) string {
	var missing identity.MissingError
	if errors.As(err, &missing) {
		return fault.Message(err)
	}
	return err.Error()
}

// whose names whom a refused credential stands for, where its signature was good: a token that has been revoked, say, is
// known by its id.
func whose(rec *audit.Record, err error) {
	var refused *token.RefusedError
	if rec.Subject != "" || !errors.As(err, &refused) || refused.Subject == "" {
		return
	}
	rec.Via, rec.TokenID, rec.Subject = string(identity.ViaToken), refused.ID, refused.Subject
	rec.Actor = cmp.Or(refused.Actor, refused.Subject)
}

// run writes records until ctx ends, then what is left.
func (f *refusals) run(ctx context.Context) error {
	for {
		select {
		case rec := <-f.queue:
			f.write(ctx, rec)
			if clock.Sleep(ctx, f.clock, refusalPace) == nil {
				continue
			}
		case <-ctx.Done():
		}
		break
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for {
		select {
		case rec := <-f.queue:
			f.write(last, rec)
		default:
			return nil
		}
	}
}

func (f *refusals) write(ctx context.Context, rec audit.Record) {
	n := f.dropped.Swap(0)
	if n > 0 {
		rec.Details = map[string]string{"more_refused_before": strconv.FormatInt(n, 10)}
	}
	err := f.audit.Append(ctx, rec)
	if err != nil {
		f.dropped.Add(n)
	}
	if err != nil && ctx.Err() == nil {
		f.log.Error("a refusal could not be written to the audit trail", "error", err)
	}
}
