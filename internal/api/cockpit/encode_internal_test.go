package cockpit

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestSamplesHaveAtMostThreeDecimals(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -1: "-1", 1.5: "1.5", 0.25: "0.25", 0.125: "0.125", 0.0625: "0.063", 0.05: "0.05",
		0.005: "0.005", -0.0004: "0", 0.0004: "0", 0.9996: "1", 10.1: "10.1", -3.14159: "-3.142", 1e9: "1000000000", 999999999999.5: "999999999999.5",
		1e21: "1000000000000000000000", -1e18: "-1000000000000000000", math.NaN(): "null", math.Inf(1): "null", math.Inf(-1): "null",
	} {
		if got := string(appendSample(nil, v)); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
}

func TestSampleIsTheNearestThousandth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e11, 1e11).Draw(t, "v")
		got, err := strconv.ParseFloat(string(appendSample(nil, v)), 64)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-v) > 0.0005+math.Abs(v)*1e-15 {
			t.Errorf("%v is written %v", v, got)
		}
	})
}

// measured returns data of a job on that many hosts, with that many samples a series.
func measured(hosts, points int) job.Data {
	md := job.MetricData{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Step: time.Minute, Bands: &job.Bands{}}
	for h := range hosts {
		s := job.Series{Hostname: "node" + strconv.Itoa(h), Statistics: metric.Statistics{Min: 1, Avg: 2.0 / 3, Max: math.NaN()}}
		if h%2 == 1 {
			s.ID = `odd "device" <é>`
		}
		for i := range points {
			s.Data = append(s.Data, math.Sin(float64(i))*1000)
		}
		s.Data[0] = math.NaN()
		md.Series = append(md.Series, s)
		md.Bands.Min, md.Bands.Max, md.Bands.Mean, md.Bands.Median = s.Data, s.Data, s.Data, s.Data
	}
	bare := md
	bare.Bands, bare.Series = nil, md.Series[:1]
	return job.Data{"flops_any": {metric.ScopeNode: md, metric.ScopeCore: md}, "cpu_load": {metric.ScopeNode: bare}, "none": {metric.ScopeNode: {}}}
}

// TestRepliesWithSamplesAreWhatEncodingJSONWrites holds the encoder to the structs that the document shows.
func TestRepliesWithSamplesAreWhatEncodingJSONWrites(t *testing.T) {
	data := measured(3, 5)
	type plainData jobWithData
	type plainMetrics jobWithMetrics
	type plainReply metricsReply
	meta := toJob(job.Job{JobID: 1, User: "<bob>"})
	tests := []struct {
		name    string
		respond func(http.ResponseWriter, *http.Request) error
		want    any
	}{
		{"job with data", jobWithData{meta, toData(data)}.Respond, plainData{meta, toData(data)}},
		{"job without data", jobWithData{Meta: meta}.Respond, plainData{Meta: meta}},
		{"job with no metrics", jobWithData{meta, toData(nil)}.Respond, plainData{meta, toData(nil)}},
		{"job with chosen metrics", jobWithMetrics{meta, named(data)}.Respond, plainMetrics{meta, named(data)}},
		{"metrics", metricsReply{Data: &jobMetrics{named(data)}}.Respond, plainReply{Data: &jobMetrics{named(data)}}},
		{"no metrics", metricsReply{Data: &jobMetrics{named(nil)}}.Respond, plainReply{Data: &jobMetrics{named(nil)}}},
		{"error", metricsReply{Error: &metricsError{"<no>"}}.Respond, plainReply{Error: &metricsError{"<no>"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := tt.respond(w, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(t, tt.want), w.Body.String()); diff != "" {
				t.Errorf("differs from encoding/json (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplyThatCannotBeEncodedIsAnErrorBeforeTheFirstByte(t *testing.T) {
	w := httptest.NewRecorder()
	e := encoder{}
	if err := e.raw("{").value(make(chan int)).raw("}").send(w); err == nil || w.Body.Len() > 0 {
		t.Errorf("got %v and %q", err, w.Body)
	}
}

func TestCoarseScopesComeFirst(t *testing.T) {
	var got []string
	for _, m := range named(measured(1, 1)) {
		got = append(got, m.Name+" "+m.Scope)
	}
	if diff := cmp.Diff([]string{"cpu_load node", "flops_any node", "flops_any core", "none node"}, got); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkEncode writes a page of a job on 64 hosts by our encoder and, for comparison, by encoding/json.
func BenchmarkEncode(b *testing.B) {
	reply := jobWithData{Data: toData(measured(64, 1440))}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			if err := reply.Respond(w, nil); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(w.Body.Len()))
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		type plain jobWithData
		b.ReportAllocs()
		for b.Loop() {
			text, err := json.Marshal(plain(reply))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
		}
	})
}

func plain(t *testing.T, v any) string {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
