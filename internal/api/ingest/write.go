package ingest

import (
	"context"
	"net/http"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// writeParams are the parameters of a write. Clients that were made for InfluxDB send more than we need: whose samples
// they are, the lines say, and the precision of a time, its size.
type writeParams struct {
	Cluster   string `query:"cluster" doc:"The cluster of lines that have no tag cluster."`
	Precision string `query:"precision" doc:"Not needed: the precision is told by the size of the time stamp."`
	DB        string `query:"db" doc:"Not needed."`
	Bucket    string `query:"bucket" doc:"Not needed."`
	Org       string `query:"org" doc:"Not needed."`
}

// writeReply says what became of a batch in which some lines were wrong. When none was, the body is empty.
type writeReply struct {
	Taken    int            `json:"taken" doc:"How many samples were stored."`
	Dropped  int            `json:"dropped" doc:"How many lines were of metrics that are not configured."`
	Rejected int            `json:"rejected" doc:"How many lines were wrong."`
	Lines    []rejectedLine `json:"lines" doc:"The first hundred of the rejected lines."`
}

// rejectedLine is a line that was not taken.
type rejectedLine struct {
	Line  int    `json:"line" doc:"Its number; the first line is 1."`
	Error string `json:"error" doc:"What is wrong with it."`
}

// Respond writes the reply: nothing at all when every line was good, which is what collectors expect.
func (r writeReply) Respond(w http.ResponseWriter, _ *http.Request) error {
	if r.Rejected == 0 {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return api.JSON(w, http.StatusOK, r)
}

func (d *dialect) write(ctx context.Context, r api.Request[writeParams, api.RawBody]) (writeReply, error) {
	result, err := d.Metrics.WriteFrom(ctx, metric.Source{Cluster: r.Params.Cluster, Name: sender(r.Caller), Reaches: reach(r.Caller)}, bodyReader{r.Body.Reader})
	if err != nil {
		return writeReply{}, afterSome(err, result)
	}
	if result.Rejected > 0 && result.Taken == 0 && result.Dropped == 0 {
		return writeReply{}, refusal(result)
	}

	reply := writeReply{Taken: result.Taken, Dropped: result.Dropped, Rejected: result.Rejected}
	for _, line := range result.Rejects {
		reply.Lines = append(reply.Lines, rejectedLine{line.Line, line.Reason})
	}
	return reply, nil
}

// afterSome is what has ended a batch, with what was stored before.
func afterSome(err error, result metric.WriteResult) error {
	if result.Taken == 0 {
		return err
	}
	return fault.Because(fault.KindOf(err), err, "%s; %d samples before were stored", fault.Message(err), result.Taken)
}

// refusal is the failure of a batch without a good line.
func refusal(result metric.WriteResult) error {
	return fault.New(fault.Invalid, "no line was taken: %s", result.Reasons("line"))
}
