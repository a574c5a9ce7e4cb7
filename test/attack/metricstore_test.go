package attack_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

// TestForgedTokensOpenNoMetricStore presents the same tokens to a metric store that has nothing but the public key. It
// knows no accounts, so that tokens pass which are wrong about those alone.
func TestForgedTokensOpenNoMetricStore(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	h.withVictim(t)
	addr := porttest.Addr(t)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- metricserver.Run(ctx, metricserver.Config{
			Addr: addr, PublicKey: h.Secrets.PublicKey, Dir: t.TempDir(), Retention: time.Hour, Metrics: metric.Catalogue{"load": {Frequency: time.Minute}},
		}, clock.NewManual(start), slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	ask := func(raw string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/api/write/?cluster=alpha", strings.NewReader("load,hostname=n1 value=1 "+at(0)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+raw)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close() // only the status counts
		return resp.StatusCode
	}
	good := h.sign(plain, foreign())
	if !h.soon(func() bool { return ask(good) == http.StatusOK }) {
		t.Fatalf("a good token: %d", ask(good))
	}
	knowsNot := map[string]bool{"sub": true}        // whether there is such a user
	foreignForm := map[string]bool{"missing": true} // of exp: the token of ClusterCockpit's documentation has none
	n := 0
	for row, tokens := range forgeries(t, h, "http://127.0.0.1:1") {
		for what, raw := range tokens {
			n++
			if got := ask(raw); got != http.StatusUnauthorized && got != http.StatusRequestHeaderFieldsTooLarge && !knowsNot[row] && (row != "exp" || !foreignForm[what]) {
				t.Errorf("%s, %s: %d", row, what, got)
			}
		}
	}
	t.Logf("%d forged tokens", n)
	for what, headers := range map[string]string{"good and bad": good + "\r\nAuthorization: Bearer x", "twice": good + "\r\nAuthorization: Bearer " + good} {
		request := "GET /api/healthcheck?cluster=alpha HTTP/1.1\r\nHost: store\r\nConnection: close\r\nAuthorization: Bearer " + headers + "\r\n\r\n"
		if got := exchange(t, addr, request); got != http.StatusUnauthorized {
			t.Errorf("two headers, %s: %d", what, got)
		}
	}
	if got := ask(good); got != http.StatusOK {
		t.Errorf("a good token, afterwards: %d", got)
	}
}
