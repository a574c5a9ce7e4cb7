package ingest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// InfluxMetrics is what the dialect of InfluxDB opens to. *metric.Service implements it.
type InfluxMetrics interface {
	// WriteInflux stores a batch of lines with times in units of precision; fault.Unavailable when it cannot, or what
	// reading lines returns.
	WriteInflux(ctx context.Context, from metric.Source, precision time.Duration, lines io.Reader) (metric.WriteResult, error)
	// Catalogue returns the metrics of a cluster, nil when there is no such cluster.
	Catalogue(cluster string) metric.Catalogue
}

// NewInflux returns the dialect of programs that write to InfluxDB, such as Telegraf's outputs.influxdb_v2 and
// outputs.influxdb. The rules of reach and permission are those of New.
func NewInflux(metrics InfluxMetrics, log *slog.Logger) *api.Dialect {
	d := &influx{metrics, log}
	return &api.Dialect{
		Name:        "influx",
		Title:       "InfluxDB",
		Version:     influxVersion,
		Description: "Samples in, as InfluxDB 2 and 1 take them. The token may stand behind the word Token.",
		Failure:     d.fail,
		Error:       reflect.TypeFor[influxFailure](),
		Routes: append([]api.Route{
			api.Row("POST", "/api/v2/write", api.Needs(identity.MetricsWrite),
				"Store samples in the line protocol of InfluxDB, where a line has several fields. Metrics that are not configured are dropped.", d.write).
				WithStatus(http.StatusNoContent).WithMaxBody(maxBatch).Consumes("text/plain"),
			api.Row("GET", "/ping", api.Public(), "Whether the program answers.", d.ping).WithStatus(http.StatusNoContent),
			api.Row("GET", "/health", api.Public(), "Whether the program answers, in JSON.", d.health),
			api.Row("GET", "/ready", api.Public(), "The same, in fewer words.", d.ready),
		}, d.oldRoutes()...),
	}
}

// influxVersion is what clients are told; some ask whether it begins with 2.
const influxVersion = "2.7"

type influx struct {
	metrics InfluxMetrics
	log     *slog.Logger
}

// influxFailure is the body of every error.
type influxFailure struct {
	Code    string `json:"code" doc:"The kind of failure." example:"invalid"`
	Message string `json:"message" doc:"What is wrong."`
	Error   string `json:"error,omitempty" doc:"The same again, where clients of InfluxDB 1 look for it."`
}

// influxParams are the parameters of a write. There is one organisation, and clusters are what buckets would be.
type influxParams struct {
	Bucket    string `query:"bucket" doc:"The cluster of lines that have no tag cluster." example:"alpha"`
	Precision string `query:"precision" default:"ns" doc:"Unit of the times: ns, us, ms or s."`
	Org       string `query:"org" doc:"Not needed."`
	OrgID     string `query:"orgID" doc:"Not needed."`
}

func (d *influx) write(ctx context.Context, r api.Request[influxParams, api.RawBody]) (api.None, error) {
	unit, err := precision(r.Params.Precision)
	if err != nil {
		return api.None{}, err
	}
	cluster, _, _ := strings.Cut(r.Params.Bucket, "/") // clients of 1.8 call a bucket database/retention-policy
	return api.None{}, d.store(ctx, r.Caller, cluster, unit, r.Body)
}

// store stores the lines of a body; the error says which were wrong.
func (d *influx) store(ctx context.Context, c identity.Caller, cluster string, unit time.Duration, body api.RawBody) error {
	result, err := d.metrics.WriteInflux(ctx, metric.Source{Cluster: cluster, Name: sender(c), Reaches: reach(c)}, unit, bodyReader{body.Reader})
	if err != nil {
		return afterSome(err, result)
	}
	if result.Rejected == 0 {
		return nil
	}
	if result.Taken == 0 {
		return refusal(result)
	}
	return fault.New(fault.Invalid, "partial write: %d samples were stored, %d lines were not: %s", result.Taken, result.Rejected, result.Reasons("line"))
}

// precision returns the unit of times.
func precision(name string) (time.Duration, error) {
	switch name {
	case "", "ns":
		return time.Nanosecond, nil
	case "us":
		return time.Microsecond, nil
	case "ms":
		return time.Millisecond, nil
	case "s":
		return time.Second, nil
	default:
		return 0, fault.New(fault.Invalid, "precision %q is not known: it is ns, us, ms or s", name)
	}
}

// pingParams are whatever a client sends; some ask for details.
type pingParams struct{ api.AnyQuery }

func (d *influx) ping(_ context.Context, _ api.Request[pingParams, api.None]) (influxPong, error) {
	return influxPong{}, nil
}

// influxPong says in the headers what InfluxDB says there.
type influxPong struct{}

// Respond writes the reply.
func (influxPong) Respond(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// influxHealth says that the program answers.
type influxHealth struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Status  string `json:"status" doc:"pass"`
	Version string `json:"version"`
}

func (d *influx) health(context.Context, api.Request[api.None, api.None]) (influxHealth, error) {
	return influxHealth{"influxdb", "ready for writes", "pass", influxVersion}, nil
}

// influxReady says so too.
type influxReady struct {
	Status string `json:"status" doc:"ready"`
}

func (d *influx) ready(context.Context, api.Request[api.None, api.None]) (influxReady, error) {
	return influxReady{"ready"}, nil
}

// fail writes an error and logs those that are not the client's doing.
func (d *influx) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	status := api.StatusOf(kind)
	body := influxFailure{Code: strings.ToLower(http.StatusText(status)), Message: fault.Message(err)}
	switch kind { //nolint:exhaustive // the others are called as their status is
	case fault.Internal, fault.Unavailable:
		d.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		body.Code = "unavailable"
		if kind == fault.Internal {
			body.Code = "internal error"
		}
	case fault.Invalid:
		body.Code = "invalid"
	case fault.TooLarge:
		body.Code = "request too large"
	case fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Token")
	}
	if where := path.Clean(r.URL.Path); where == oldWrite || where == oldQuery {
		body.Error = body.Message
	}
	_ = api.JSON(w, status, body) // three strings can always be encoded
}
