package promql

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// FuzzRemoteWrite holds our reading of requests against that of Prometheus.
func FuzzRemoteWrite(f *testing.F) {
	request := prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{
				Labels:    []prompb.Label{{Name: "__name__", Value: "cpu_load"}, {Name: "cluster", Value: "alpha"}, {Name: "instance", Value: "n1:9100"}, {Name: "job", Value: "node"}},
				Samples:   []prompb.Sample{{Value: 1.5, Timestamp: 1_795_463_820_000}, {Value: math.NaN(), Timestamp: 1_795_463_880_000}, {Value: math.Inf(-1), Timestamp: -1}},
				Exemplars: []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace", Value: "x"}}, Value: 1}},
			},
			{
				Labels:     []prompb.Label{{Name: "__name__", Value: "h"}, {Name: "hostname", Value: "n2"}, {Name: "type", Value: "socket"}, {Name: "type_id", Value: "1"}, {Name: "stype", Value: "x"}, {Name: "stype-id", Value: "2"}},
				Histograms: []prompb.Histogram{prompb.FromIntHistogram(1, &histogram.Histogram{Count: 1, Sum: 1})},
			},
			{Samples: []prompb.Sample{{}}},
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "cpu_load", Help: "load"}},
	}
	body, err := request.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(someRequest()))
	f.Fuzz(func(t *testing.T, body []byte) {
		var theirs prompb.WriteRequest
		if theirs.Unmarshal(body) != nil {
			return
		}
		var want, got []string
		for _, s := range theirs.Timeseries {
			if len(s.Labels) > maxLabels {
				return
			}
			labels := map[string]string{}
			for _, l := range s.Labels {
				if l.Value != "" {
					labels[l.Name] = l.Value
				}
			}
			for _, sample := range s.Samples {
				if !math.IsNaN(sample.Value) {
					want = append(want, fmt.Sprint(labels["__name__"], labels["cluster"], labels["type"], labels["stype"], sample.Value, seconds(sample.Timestamp)))
				}
			}
		}
		canonical, err := rewritten(&theirs).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		read := func(body []byte) error {
			got = nil
			return writeRequest(body).each(func(s *metric.Foreign) bool {
				got = append(got, fmt.Sprint(string(s.Metric), string(s.Cluster), string(s.Type), string(s.SubType), s.Value, s.Time))
				return true
			})
		}
		if err := read(canonical); err != nil {
			t.Fatalf("Prometheus writes it, and we cannot read it: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if read(body) != nil { // we are stricter with groups, which nobody writes
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// rewritten returns a request without what its reader did not understand.
func rewritten(r *prompb.WriteRequest) *prompb.WriteRequest {
	var clean prompb.WriteRequest
	for _, s := range r.Timeseries {
		var c prompb.TimeSeries
		for _, l := range s.Labels {
			c.Labels = append(c.Labels, prompb.Label{Name: l.Name, Value: l.Value})
		}
		for _, sample := range s.Samples {
			c.Samples = append(c.Samples, prompb.Sample{Value: sample.Value, Timestamp: sample.Timestamp})
		}
		clean.Timeseries = append(clean.Timeseries, c)
	}
	return &clean
}

func TestARealRequestIsReadAsItIsMeant(t *testing.T) {
	t.Parallel()
	request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels: []prompb.Label{
			{Name: "__name__", Value: "cpu_load"},
			{Name: "cluster", Value: "alpha"},
			{Name: "hostname", Value: "n1"},
			{Name: "stype", Value: "numa"},
			{Name: "stype_id", Value: "1"},
			{Name: "type", Value: "socket"},
			{Name: "type_id", Value: "0"},
		},
		Samples: []prompb.Sample{{Value: 0.1, Timestamp: 1_795_463_820_999}, {Value: 2, Timestamp: 1_795_463_881_000}},
	}}}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for s := range writeRequest(body).samples {
		got = append(got, fmt.Sprintf("%s %s %s %s%s %s%s %v %d %d", s.Cluster, s.Host, s.Metric, s.Type, s.TypeID, s.SubType, s.SubTypeID, s.Value, s.Time, s.Origin))
	}
	want := []string{"alpha n1 cpu_load socket0 numa1 0.1 1795463820 0", "alpha n1 cpu_load socket0 numa1 2 1795463881 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
