package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// MetricUsage is what the series of a metric, or those of a host, take up in the metric store.
type MetricUsage struct {
	Cluster        string  `json:"cluster"`
	Name           string  `json:"name"`
	Series         int     `json:"series"`
	Slots          int64   `json:"slots"` // places for samples, gaps included
	MemoryBytes    int64   `json:"memory_bytes"`
	DiskBytes      int64   `json:"disk_bytes"`
	BytesPerSample float64 `json:"bytes_per_sample"`
	Fields         Fields  `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a record and keeps all its fields.
func (u *MetricUsage) UnmarshalJSON(data []byte) error {
	type plain MetricUsage
	return decodeRecord(data, (*plain)(u), &u.Fields)
}

// RejectedLine is a line that the metric store has not taken.
type RejectedLine struct {
	Time   string `json:"time"`
	Source string `json:"source"` // who sent it
	Line   int    `json:"line"`   // its number in the request
	Error  string `json:"error"`
	Fields Fields `json:"-"` // the whole record as sent
}

// UnmarshalJSON decodes a record and keeps all its fields.
func (l *RejectedLine) UnmarshalJSON(data []byte) error {
	type plain RejectedLine
	return decodeRecord(data, (*plain)(l), &l.Fields)
}

// MetricsTop is what the metric store holds, the largest first, and which lines it has rejected last.
type MetricsTop struct {
	Total    MetricUsage    `json:"total"`
	Metrics  []MetricUsage  `json:"metrics"`
	Hosts    []MetricUsage  `json:"hosts"`
	Rejected []RejectedLine `json:"rejected"`
}

// MetricsTop asks the metric store of a head, or a metric store on its own, what its series take up. cluster "" is all of
// them, and limit 0 leaves to the store how many rows there are; -1 is all. ErrDenied without the right.
func (c *Client) MetricsTop(ctx context.Context, cluster string, limit int) (top MetricsTop, err error) {
	q := url.Values{}
	if cluster != "" {
		q.Set("cluster", cluster)
	}
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	err = c.cockpit(ctx, request{method: http.MethodGet, path: "/metrics/top/", query: q}, &top)
	return top, err
}
