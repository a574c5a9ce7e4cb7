package metricserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// backend is the cc-backend of main.backend-url. It knows where jobs run: samples of those hosts are kept beyond the
// retention (contract clustercockpit 5.7). The metric store asks it each time it forgets samples.
type backend struct {
	url    string // of the list
	token  string // "" asks without one
	client *http.Client
	clock  clock.Clock
	log    *slog.Logger
}

// maxUsedNodes is how many bytes the list of hosts has at most.
const maxUsedNodes = 16 << 20

// newBackend returns what asks the backend; nil when none is configured.
func newBackend(c Config, clk clock.Clock, log *slog.Logger) *backend {
	if c.BackendURL == "" {
		return nil
	}
	return &backend{
		url: c.BackendURL + "/api/jobs/used_nodes", token: c.BackendToken, clock: clk, log: log,
		client: &http.Client{Timeout: askTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it sends elsewhere; main.backend-url has to be where cc-backend itself is")
		}},
	}
}

// keep returns of which hosts old samples are kept: of none without a backend. When it does not say, nothing is forgotten
// for now.
func (b *backend) keep() func(cluster, host string) bool {
	if b == nil {
		return func(string, string) bool { return false }
	}
	used, err := b.ask(context.Background())
	if err != nil {
		b.log.Warn("cc-backend does not say where jobs run, so no samples are forgotten now", "url", b.url, "error", err)
		return keepAll
	}
	return func(cluster, host string) bool { return used[cluster][host] }
}

// keepAfterFirst is keep for a store that is about to be opened: the start does not wait for the backend, and forgets
// nothing. The store asks within the next hour.
func (b *backend) keepAfterFirst() func() func(cluster, host string) bool {
	first := b != nil
	return func() func(cluster, host string) bool {
		if first {
			first = false
			return keepAll
		}
		return b.keep()
	}
}

func keepAll(string, string) bool { return true }

// ask returns the hosts of each cluster on which jobs run.
func (b *backend) ask(ctx context.Context) (map[string]map[string]bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"?ts="+strconv.FormatInt(b.clock.Now().Unix(), 10), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if b.token != "" {
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("it answers %s: the environment variable BACKEND_TOKEN has to hold a token with the role api", resp.Status)
	default:
		return nil, fmt.Errorf("it answers %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxUsedNodes+1))
	if err != nil {
		return nil, fmt.Errorf("read its answer: %w", err)
	}
	return parseUsedNodes(data)
}

// parseUsedNodes reads hosts by cluster, below usedNodes as cc-backend has them, or bare as its own metric store expects
// them (contract clustercockpit 3.7).
func parseUsedNodes(data []byte) (map[string]map[string]bool, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("its answer is not a list of hosts: %w", err)
	}
	var hosts map[string][]string
	into := data
	if enveloped, ok := members["usedNodes"]; ok {
		into = enveloped
	}
	if err := json.Unmarshal(into, &hosts); err != nil {
		return nil, fmt.Errorf("its answer is not a list of hosts: %w", err)
	}
	used := make(map[string]map[string]bool, len(hosts))
	for cluster, names := range hosts {
		used[cluster] = make(map[string]bool, len(names))
		for _, name := range names {
			used[cluster][name] = true
		}
	}
	return used, nil
}
