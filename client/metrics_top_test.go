package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestMetricsTopKeepsWhatTheStoreSays(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/metrics/top/" || r.URL.RawQuery != "cluster=alpha&limit=-1" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"status":"Unauthorized","error":"unauthorized"}`))
			return
		}
		_, _ = w.Write([]byte(`{"total":{"series":2},"metrics":[{"name":"cpu_load","series":2,"bytes_per_sample":1.5,"new":"member"}],"hosts":[],"rejected":[{"line":7,"error":"bad"}]}`))
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	top, err := c.MetricsTop(t.Context(), "alpha", -1)
	if err != nil || top.Total.Series != 2 || len(top.Metrics) != 1 || top.Metrics[0].BytesPerSample != 1.5 || top.Metrics[0].Fields["new"] != "member" || top.Rejected[0].Line != 7 {
		t.Errorf("%+v, %v", top, err)
	}
	var refused *client.Error
	if _, err := c.MetricsTop(t.Context(), "", 0); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
}
