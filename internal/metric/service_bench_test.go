package metric_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// nodeLines is what a node with 72 threads sends each minute: 456 lines.
func nodeLines(host string, at int64) []byte {
	var b bytes.Buffer
	for m := range 6 {
		for id := range 72 {
			name := []string{"flops_any", "ipc", "flops_any", "ipc", "flops_any", "ipc"}[m]
			fmt.Fprintf(&b, "%s,cluster=alpha,hostname=%s,type=hwthread,type-id=%d value=%.3f %d\n", name, host, 72*m+id, float64(id)*1.5, at)
		}
	}
	for range 24 {
		fmt.Fprintf(&b, "cpu_load,cluster=alpha,hostname=%s value=%.2f %d\n", host, 3.25, at)
	}
	return b.Bytes()
}

// BenchmarkWriteLines takes the lines of a node in, with log and memory, beside finding and reading their numbers.
func BenchmarkWriteLines(b *testing.B) {
	s, _ := newService(b)
	batch := nodeLines("n001", now.Unix())
	lines := bytes.Count(batch, []byte("\n"))
	benchtest.Against(b, lines, func() {
		if r, err := s.Write(b.Context(), "alpha", bytes.NewReader(batch)); err != nil || r.Taken != lines {
			b.Fatal(r, err)
		}
	}, benchtest.Limit{Name: "numbers", Run: func() { numbersOf(batch) }})
}

func BenchmarkQuery(b *testing.B) {
	s, _ := newService(b)
	var lines strings.Builder
	for m := range 1440 {
		for id := range 72 {
			fmt.Fprintf(&lines, "flops_any,hostname=n01,type=hwthread,type-id=%d value=%d %d\n", id, m+id, minutesAgo(m).Unix())
		}
		fmt.Fprintf(&lines, "cpu_load,hostname=n01 value=%d %d\n", m, minutesAgo(m).Unix())
	}
	if _, err := s.Write(b.Context(), "alpha", strings.NewReader(lines.String())); err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]metric.Query{
		"node": {Metric: "cpu_load", Host: "n01"}, "aggregated from 72 threads": {Metric: "flops_any", Host: "n01"},
		"median of 72 threads":   {Metric: "flops_any", Host: "n01", Aggregation: "median"},
		"greatest of 72 threads": {Metric: "flops_any", Host: "n01", Aggregation: "max"},
		"72 threads":             {Metric: "flops_any", Host: "n01", Type: "hwthread"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := metric.Request{Cluster: "alpha", From: minutesAgo(1440), To: now, Queries: []metric.Query{q}}
			for b.Loop() {
				a, err := s.Query(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				a.Release()
			}
		})
	}
}
