package metric_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// fieldLines is what nodeLines is, as Telegraf would send it: threads with two fields a line, and the cluster not named.
func fieldLines(host string, at int64) (lines []byte, samples int) {
	var b bytes.Buffer
	for id := range 216 {
		fmt.Fprintf(&b, "thread,cpu=cpu%d,host=%s flops=%.3f,ipc=%.3f %d\n", id, host, float64(id)*1.5, float64(id)*0.5, at*1e9)
	}
	for range 24 {
		fmt.Fprintf(&b, "system,host=%s load=%.2f %d\n", host, 3.25, at*1e9)
	}
	return b.Bytes(), 456
}

// BenchmarkWriteInflux takes the samples of a node in by the rules of InfluxDB, beside taking them in by ClusterCockpit's: the
// same lines, and several fields a line.
func BenchmarkWriteInflux(b *testing.B) {
	batch := nodeLines("n001", now.Unix())
	many, samples := fieldLines("n001", now.Unix())
	write := func(r metric.WriteResult, err error) {
		if err != nil || r.Taken != samples {
			b.Fatal(r, err)
		}
	}
	influx := func(unit time.Duration, lines []byte) func() {
		s, _ := newInfluxService(b, clock.NewManual(now))
		return func() {
			write(s.WriteInflux(b.Context(), metric.Source{Cluster: "alpha"}, unit, bytes.NewReader(lines)))
		}
	}
	s, _ := newInfluxService(b, clock.NewManual(now))
	lines := benchtest.Limit{Name: "lines", Run: func() { write(s.Write(b.Context(), "alpha", bytes.NewReader(batch))) }}
	b.Run("one field", func(b *testing.B) { benchtest.Against(b, samples, influx(time.Second, batch), lines) })
	b.Run("two fields", func(b *testing.B) { benchtest.Against(b, samples, influx(time.Nanosecond, many), lines) })
}
