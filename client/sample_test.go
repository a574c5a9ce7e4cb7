package client_test

import (
	"bytes"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// FuzzSamplesArriveAsTheyWereSent reads what the client writes with the parser that the head uses.
func FuzzSamplesArriveAsTheyWereSent(f *testing.F) {
	f.Add("cpu_load", "alpha", "n1", "3", 1.5)
	f.Add("flops any", "a,b", "n=1", "00000000:49:00.0", -0.25)
	f.Add("mem", "", "n 1", "", 1e300)
	var body bytes.Buffer
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body.Reset()
		_, _ = body.ReadFrom(r.Body)
	}))
	f.Cleanup(s.Close)
	c, err := client.New(client.Config{BaseURL: s.URL})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, cluster, host, device string, value float64) {
		for _, text := range []string{name, cluster, host, device} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, `/\`) ||
				strings.Contains(text, "..") || len(text) > 200 {
				return
			}
		}
		if name == "" || host == "" || math.IsNaN(value) || strings.TrimSpace(name) != name {
			return
		}
		kind := ""
		if device != "" {
			kind = "accelerator"
		}
		sent := client.Sample{Metric: name, Cluster: cluster, Host: host, Type: kind, TypeID: device, Time: time.Unix(1722624103, 0), Value: value}
		if err := c.WriteSamples(t.Context(), "", []client.Sample{sent}); err != nil {
			t.Fatal(err)
		}
		line, rest, ok := bytes.Cut(body.Bytes(), []byte("\n"))
		if !ok || len(rest) > 0 {
			t.Fatalf("not one line: %q", body.String())
		}
		var p metric.Parser
		var got metric.Line
		if err := p.Parse(line, &got); err != nil {
			if strings.Contains(err.Error(), "finite") || strings.Contains(err.Error(), "number") {
				return // an infinite value
			}
			t.Fatalf("%q: %v", line, err)
		}
		if string(got.Metric) != name || string(got.Cluster) != cluster || string(got.Host) != host || string(got.TypeID) != device ||
			got.Value != value || got.Time != 1722624103 {
			t.Errorf("%q arrived as %+v", line, got)
		}
	})
}
