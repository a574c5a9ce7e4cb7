package ingest

import (
	"context"
	"io"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// The interface of InfluxDB 1, which many scripts still use: the same lines, with a database where the bucket is. Of its
// queries only the one is answered with which clients begin.

const oldWrite, oldQuery = "/write", "/query"

// oldRoutes returns the rows of it.
func (d *influx) oldRoutes() []api.Route {
	return []api.Route{
		api.Row("POST", oldWrite, api.Needs(identity.MetricsWrite),
			"The same for clients of InfluxDB 1. The token may be the password of Basic.", d.writeOld).
			WithStatus(204).WithMaxBody(maxBatch).Consumes("text/plain"),
		api.Row("GET POST", oldQuery, api.Needs(identity.MetricsWrite),
			"Answer CREATE DATABASE, with which clients of InfluxDB 1 begin: the clusters that are configured are there. Nothing else is answered.", d.queryOld).
			WithMaxBody(maxStatement).Consumes("application/x-www-form-urlencoded"),
	}
}

// oldWriteParams are the parameters of a write. A retention policy means nothing here: the store has one retention.
type oldWriteParams struct {
	DB          string `query:"db" doc:"The cluster of lines that have no tag cluster." example:"alpha"`
	Precision   string `query:"precision" default:"ns" doc:"Unit of the times: ns, us, ms, s, m or h."`
	RP          string `query:"rp" doc:"Not needed."`
	Consistency string `query:"consistency" doc:"Not needed."`
}

func (d *influx) writeOld(ctx context.Context, r api.Request[oldWriteParams, api.RawBody]) (api.None, error) {
	unit, err := oldPrecision(r.Params.Precision)
	if err != nil {
		return api.None{}, err
	}
	return api.None{}, d.store(ctx, r.Caller, r.Params.DB, unit, r.Body)
}

// oldPrecision returns the unit of times, which has more names there.
func oldPrecision(name string) (time.Duration, error) {
	switch name {
	case "n":
		return time.Nanosecond, nil
	case "u", "µ":
		return time.Microsecond, nil
	case "m":
		return time.Minute, nil
	case "h":
		return time.Hour, nil
	}
	if unit, err := precision(name); err == nil {
		return unit, nil
	}
	return 0, fault.New(fault.Invalid, "precision %q is not known: it is ns, us, ms, s, m or h", name)
}

// maxStatement is the length of the longest query in bytes; those that are answered are short.
const maxStatement = 64 << 10

// oldQueryParams are the parameters of a query; clients send more, about how to answer.
type oldQueryParams struct {
	api.AnyQuery
	Q string `query:"q" doc:"The query; it may stand in a form as well." example:"CREATE DATABASE alpha"`
}

// oldResults is the answer to a query.
type oldResults struct {
	Results []oldResult `json:"results" doc:"One for the statement."`
}

// oldResult is the answer to one statement.
type oldResult struct {
	ID    int    `json:"statement_id"`
	Error string `json:"error,omitempty" doc:"Why there is no such database."`
}

func (d *influx) queryOld(_ context.Context, r api.Request[oldQueryParams, api.RawBody]) (oldResults, error) {
	query := r.Params.Q
	if form, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type")); query == "" && form == "application/x-www-form-urlencoded" {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return oldResults{}, api.BodyError(err)
		}
		values, err := url.ParseQuery(string(text))
		if err != nil {
			return oldResults{}, fault.Because(fault.Invalid, err, "the form cannot be read: %s", err)
		}
		query = values.Get("q")
	}
	name, ok := created(query)
	if !ok {
		return oldResults{}, fault.New(fault.Invalid, "of InfluxQL, only CREATE DATABASE is answered; samples are read in PromQL below /prometheus, or with ClusterCockpit's /api/query/")
	}
	result := oldResult{}
	if !r.InCluster(name) || d.metrics.Catalogue(name) == nil {
		result.Error = "a database is a cluster, and there is none called " + name + " that your token reaches; clusters are configured on the head"
	}
	return oldResults{[]oldResult{result}}, nil
}

// created returns the database that a statement creates; ok is false when it is another statement.
func created(query string) (name string, ok bool) {
	words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(query), ";"))
	if len(words) < 3 || !strings.EqualFold(words[0], "create") || !strings.EqualFold(words[1], "database") {
		return "", false
	}
	return strings.Trim(words[2], `"`), true
}
