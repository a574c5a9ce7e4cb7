package promql_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// now is the time in the tests: a full minute.
var now = time.Unix(1_795_463_820, 0)

// callers lets in whoever names a permission in the header X-Test-May, or how far he is limited: alpha is the one
// cluster, n1 the one node.
type callers struct{}

func (callers) Authenticate(r *http.Request, _ http.Header) (identity.Caller, error) {
	name := r.Header.Get("X-Test-May")
	p, ok := identity.ParsePermission(name)
	switch {
	case name == "everything":
		return identity.Caller{Permissions: identity.All()}, nil
	case name == "alpha":
		return identity.Caller{Permissions: identity.All(), Clusters: []string{"alpha"}}, nil
	case name == "n1":
		nodes, err := identity.ParseNodeSet("n1")
		limit := identity.NodeLimit{Permissions: identity.SetOf(identity.MetricsRead), Nodes: nodes}
		return identity.Caller{Permissions: identity.All(), Limits: []identity.NodeLimit{limit}}, err
	case ok:
		return identity.Caller{Permissions: identity.SetOf(p)}, nil
	default:
		return identity.Caller{}, fault.New(fault.Unauthenticated, "who are you")
	}
}

// world is the door in front of a real store with two clusters.
type world struct {
	door      http.Handler
	db        *metricstore.DB
	service   *metric.Service
	catalogue metric.Catalogue
}

func newWorld(tb testing.TB, change ...func(*promql.Config)) *world {
	tb.Helper()
	clk := clock.NewManual(now)
	db, err := metricstore.Open(tb.TempDir(), metricstore.Options{Clock: clk, Retention: 48 * time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	catalogue := metric.Catalogue{
		"cpu_load": {Frequency: time.Minute}, "flops_any": {Frequency: time.Minute, Aggregation: metric.AggregateSum},
		"ib_bytes": {Frequency: 10 * time.Second}, "slow": {Frequency: 10 * time.Minute, Aggregation: metric.AggregateAvg},
	}
	service := metric.NewService(metric.ServiceConfig{Engine: db, Clock: clk, Catalogue: func(name string) (metric.Catalogue, bool) {
		return catalogue, name == "alpha" || name == "beta"
	}})
	c := promql.Config{Metrics: service, Clock: clk, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	d := promql.New(c)
	if err := d.Check(); err != nil {
		tb.Fatal(err)
	}
	return &world{d.Mux(api.Guard{Auth: callers{}}), db, service, catalogue}
}

// send sends a body as Prometheus does.
func (w *world) send(tb testing.TB, who, url string, body []byte, header ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), "POST", url, bytes.NewReader(body))
	r.Header.Set("X-Test-May", who)
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	reply := httptest.NewRecorder()
	w.door.ServeHTTP(reply, r)
	return reply
}

// held returns what the store has of a cluster, as "host/device metric=last value @seconds before now".
func (w *world) held(cluster string) []string {
	var list []string
	for _, host := range w.service.Hosts(cluster) {
		for _, name := range []string{"cpu_load", "flops_any", "ib_bytes"} {
			for _, r := range w.db.Read(nil, metricstore.Window{Cluster: cluster, Host: host, Metric: name, To: now.Unix() + 60}, nil) {
				last := len(r.Values) - 1
				list = append(list, fmt.Sprintf("%s %s=%g @%d", strings.Join(r.Key.Path()[1:], "/"), name, r.Values[last], now.Unix()-r.First-int64(last)*r.Step))
			}
		}
	}
	slices.Sort(list)
	return list
}

// sample is a value with its time in milliseconds.
type sample struct {
	at    int64
	value float64
}

// encodeSeries encodes a series by hand. The samples come first when swapped is true, which the format allows.
func encodeSeries(labels map[string]string, swapped bool, samples ...sample) []byte {
	var head, tail []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		l := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
		l = protowire.AppendString(protowire.AppendTag(l, 2, protowire.BytesType), labels[name])
		head = protowire.AppendBytes(protowire.AppendTag(head, 1, protowire.BytesType), l)
	}
	for _, s := range samples {
		m := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(s.value))
		m = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), uint64(s.at))
		tail = protowire.AppendBytes(protowire.AppendTag(tail, 2, protowire.BytesType), m)
	}
	if swapped {
		head, tail = tail, head
	}
	return append(head, tail...)
}

func encode(series ...[]byte) []byte {
	var b []byte
	for _, s := range series {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), s)
	}
	return b
}

// inZstd compresses as vmagent does.
func inZstd(body []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // there are no options
	}
	return z.EncodeAll(body, nil)
}

const writeURL = "/prometheus/api/v1/write"

func TestLabelsNameTheSeries(t *testing.T) {
	t.Parallel()
	at := sample{now.UnixMilli() + 400, 1.5}
	for name, tt := range map[string]struct {
		labels map[string]string
		want   string
	}{
		"hostname":              {map[string]string{"hostname": "n1"}, "n1 cpu_load=1.5 @0"},
		"host":                  {map[string]string{"host": "n1"}, "n1 cpu_load=1.5 @0"},
		"instance":              {map[string]string{"instance": "n1:9100"}, "n1 cpu_load=1.5 @0"},
		"an instance, no port":  {map[string]string{"instance": "n1"}, "n1 cpu_load=1.5 @0"},
		"an address":            {map[string]string{"instance": "[2001:db8::1]:9100"}, "2001:db8::1 cpu_load=1.5 @0"},
		"an address, no port":   {map[string]string{"instance": "2001:db8::1"}, "2001:db8::1 cpu_load=1.5 @0"},
		"hostname comes first":  {map[string]string{"hostname": "n1", "host": "x", "instance": "y:1"}, "n1 cpu_load=1.5 @0"},
		"a device":              {map[string]string{"hostname": "n1", "type": "hwthread", "type_id": "3"}, "n1/hwthread3 cpu_load=1.5 @0"},
		"a device, as we write": {map[string]string{"hostname": "n1", "type": "hwthread", "type-id": "3"}, "n1/hwthread3 cpu_load=1.5 @0"},
		"a part of a device":    {map[string]string{"hostname": "n1", "type": "socket", "type_id": "0", "stype": "numa", "stype_id": "1"}, "n1/socket0/numa1 cpu_load=1.5 @0"},
		"the host, said twice":  {map[string]string{"hostname": "n1", "type": "node", "type_id": "0"}, "n1 cpu_load=1.5 @0"},
		"others do not matter":  {map[string]string{"hostname": "n1", "job": "node", "rack": "r1", "empty": ""}, "n1 cpu_load=1.5 @0"},
	} {
		for _, swapped := range []bool{false, true} {
			w := newWorld(t)
			labels := maps.Clone(tt.labels)
			labels["__name__"], labels["cluster"] = "cpu_load", "alpha"
			reply := w.send(t, "MetricsWrite", writeURL, snappy.Encode(nil, encode(encodeSeries(labels, swapped, at))))
			if reply.Code != http.StatusNoContent || reply.Body.Len() > 0 {
				t.Errorf("%s: %d %s", name, reply.Code, reply.Body)
			}
			if diff := cmp.Diff([]string{tt.want}, w.held("alpha")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestRemoteWriteAnswersAsSendersExpect(t *testing.T) {
	t.Parallel()
	at := sample{now.UnixMilli(), 1}
	load := map[string]string{"__name__": "cpu_load", "cluster": "alpha", "hostname": "n1"}
	with := func(more ...string) map[string]string {
		m := maps.Clone(load)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	good := snappy.Encode(nil, encode(encodeSeries(load, false, at)))
	many := snappy.Encode(nil, encode(encodeSeries(load, false, at), encodeSeries(with("cluster", "beta"), false, at), encodeSeries(with("hostname", ""), false, at)))
	for name, tt := range map[string]struct {
		who, url string
		body     []byte
		header   []string
		status   int
		says     string
	}{
		"good":                   {"everything", writeURL, good, nil, 204, ""},
		"nothing":                {"everything", writeURL, snappy.Encode(nil, nil), nil, 204, ""},
		"a named message":        {"everything", writeURL, good, []string{"Content-Type", "application/x-protobuf;proto=prometheus.WriteRequest"}, 204, ""},
		"the cluster in the URL": {"everything", writeURL + "?cluster=alpha", snappy.Encode(nil, encode(encodeSeries(with("cluster", ""), false, at))), nil, 204, ""},
		"metrics nobody has":     {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(with("__name__", "x"), false, at))), nil, 204, ""},
		"the end of a series":    {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(load, false, sample{now.UnixMilli(), math.NaN()}))), nil, 204, ""},
		"another form":           {"everything", writeURL, good, []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, 415, "remote write 1.0"},
		"not compressed":         {"everything", writeURL, []byte(`{"broken`), nil, 400, "not compressed with snappy"},
		"compressed otherwise":   {"everything", writeURL, good, []string{"Content-Encoding", "zstd"}, 400, "not compressed with zstd"},
		"by vmagent":             {"everything", writeURL, inZstd(encode(encodeSeries(load, false, at))), []string{"Content-Encoding", "zstd", "X-VictoriaMetrics-Remote-Write-Version", "1"}, 204, ""},
		"too large in zstd":      {"everything", writeURL, inZstd(make([]byte, 65<<20)), []string{"Content-Encoding", "zstd"}, 413, "more than 67108864 bytes"},
		"by nobody we know":      {"everything", writeURL, good, []string{"Content-Encoding", "br"}, 400, `"br\" is not supported`},
		"cut off":                {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(load, false, at))[:20]), nil, 400, "no prometheus.WriteRequest"},
		"too large inside":       {"everything", writeURL, snappy.Encode(nil, make([]byte, 65<<20)), nil, 413, "more than 67108864 bytes"},
		"too old":                {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(load, false, sample{1000, 1}))), nil, 400, "before the store's retention"},
		"no cluster":             {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(with("cluster", ""), false, at))), nil, 400, "no cluster is named"},
		"some samples are wrong": {"everything", writeURL, many, nil, 400, "2 samples were stored, 1 were not: sample 3: tag hostname is missing"},
		"another cluster":        {"alpha", writeURL, many, nil, 400, "1 samples were stored, 2 were not: sample 2: your token does not reach the cluster"},
		"two of one":             {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(with("disk", "a"), false, at), encodeSeries(with("disk", "b"), false, at))), nil, 400, "1 samples were stored, 1 were not: sample 2: host n1: metric cpu_load comes from another source"},
		"a label twice":          {"everything", writeURL, snappy.Encode(nil, encode(encodeSeries(with("type", "core", "type_id", "1", "type-id", "2"), false, at), encodeSeries(load, false, at))), nil, 400, "1 samples were stored, 1 were not: sample 1: label type"},
		"nobody":                 {"", writeURL, good, nil, 401, "who are you"},
		"a reader":               {"MetricsRead", writeURL, good, nil, 403, "MetricsWrite"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			reply := w.send(t, tt.who, tt.url, tt.body, tt.header...)
			if reply.Code != tt.status || !strings.Contains(reply.Body.String(), tt.says) {
				t.Errorf("%d %s", reply.Code, reply.Body)
			}
			if reply.Code >= 400 && !strings.HasPrefix(reply.Body.String(), `{"status":"error","errorType":"`) {
				t.Errorf("%s", reply.Body)
			}
		})
	}
}
