package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Sample is one measurement.
type Sample struct {
	Metric  string
	Cluster string // "" leaves it to the cluster that WriteSamples is given
	Host    string
	Type    string // "" means node
	TypeID  string // device of that type
	Time    time.Time
	Value   float64
}

// WriteSamples sends samples to the head's metric store. Once it returns nil the head has taken them. cluster is for
// samples that name none.
func (c *Client) WriteSamples(ctx context.Context, cluster string, samples []Sample) error {
	var lines bytes.Buffer
	for _, s := range samples {
		s.appendLine(&lines)
	}
	return c.WriteLines(ctx, cluster, lines.Bytes())
}

// WriteLines sends samples that are already in the line protocol.
func (c *Client) WriteLines(ctx context.Context, cluster string, lines []byte) error {
	q := url.Values{}
	if cluster != "" {
		q.Set("cluster", cluster)
	}
	return c.cockpit(ctx, request{method: http.MethodPost, path: "/write/", query: q, body: bytes.NewReader(lines)}, nil)
}

// appendLine writes the sample as one line of the line protocol.
func (s Sample) appendLine(b *bytes.Buffer) {
	tag := func(name, value string) {
		if value != "" {
			b.WriteByte(',')
			b.WriteString(name)
			b.WriteByte('=')
			b.WriteString(escape(value))
		}
	}
	b.WriteString(escape(s.Metric))
	tag("cluster", s.Cluster)
	tag("hostname", s.Host)
	kind := s.Type
	if kind == "" {
		kind = "node"
	}
	tag("type", kind)
	tag("type-id", s.TypeID)
	b.WriteString(" value=")
	b.WriteString(strconv.FormatFloat(s.Value, 'g', -1, 64))
	b.WriteByte(' ')
	b.WriteString(strconv.FormatInt(s.Time.Unix(), 10))
	b.WriteByte('\n')
}

// escape protects what the line protocol would read as a separator. A line cannot hold a line break.
func escape(s string) string {
	if !strings.ContainsAny(s, ", =\n") {
		return s
	}
	return strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`, "\n", `\ `).Replace(s)
}

// QuerySamples sends a query of the metric store (contract clustercockpit 3.11) as it is, and returns the answer as it is.
func (c *Client) QuerySamples(ctx context.Context, body []byte) ([]byte, error) {
	r := request{method: http.MethodPost, path: "/api/query/", body: json.RawMessage(body)}
	reply, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if reply.code != http.StatusOK {
		return nil, reply.failure(r, fmt.Sprintf("%s answers %s", c.Address(), reply.status()))
	}
	return reply.body, nil
}
