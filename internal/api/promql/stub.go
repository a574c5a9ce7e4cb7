package promql

import (
	"context"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// Rules, alerts and exemplars are asked for by Grafana on the side; an answer that says that there are none spares its users
// an error message.
type noRules struct {
	Groups []string `json:"groups" doc:"Always empty."`
}

type noAlerts struct {
	Alerts []string `json:"alerts" doc:"Always empty."`
}

// none answers with what says that there is nothing, whatever the question is.
func none[R any](nothing R) api.Handler[anyParams, api.None, R] {
	return func(context.Context, api.Request[anyParams, api.None]) (R, error) { return nothing, nil }
}

func (d *dialect) exemplars(_ context.Context, r api.Request[anyParams, api.RawBody]) ([]string, error) {
	_, err := paramsOf(r.HTTP, r.Body)
	return []string{}, err
}

// anyParams are whatever a client sends.
type anyParams struct{ api.AnyQuery }

// well says that the program answers.
func well(context.Context, api.Request[anyParams, api.None]) (api.Text, error) {
	return "Bridgehead answers.\n", nil
}

// formatParams are those of an expression that is to be written well.
type formatParams struct {
	api.AnyQuery
	Query string `query:"query" doc:"The expression." example:"sum by(hostname)(cpu_load)"`
}

func (d *dialect) format(_ context.Context, r api.Request[formatParams, api.RawBody]) (string, error) {
	p, err := paramsOf(r.HTTP, r.Body)
	if err != nil {
		return "", err
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(p.Get("query"))
	if err != nil {
		return "", fault.Because(fault.Invalid, err, "the expression cannot be read: %s", err)
	}
	return expr.Pretty(0), nil
}
