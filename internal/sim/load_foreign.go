package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PromAsks are the questions of Asks in PromQL, as far as it has them: forms for query_range with a point for each sample.
func (l Workload) PromAsks(to time.Time, hosts int, span time.Duration, times int) []Ask {
	var names []string
	for h := range min(hosts, l.Nodes) {
		names = append(names, l.Host(h))
	}
	of := func(metrics []string) string {
		return fmt.Sprintf(`{__name__=~"%s",hostname=~"%s"}`, strings.Join(metrics, "|"), strings.Join(names, "|"))
	}
	ask := func(kind, query string) Ask {
		form := url.Values{
			"query": {query}, "start": {strconv.FormatInt(to.Add(-span).Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)},
			"step":    {strconv.Itoa(int(l.Step.Seconds()))},
			"nocache": {"1"}, // some stores keep answers, and would be asked once only
		}
		return Ask{kind + "/" + strconv.Itoa(hosts) + "n/" + span.String(), []byte(form.Encode()), times}
	}
	threads := l.Metrics("hwthread")
	return []Ask{
		ask("node8", of(l.Metrics("node"))),
		ask("agg4", "sum by (__name__, hostname) ("+of(threads[:4])+")"),
		ask("raw1", of(threads[4:5])),
	}
}

// foreignStore is a store that takes what InfluxDB 2 takes and answers PromQL below /prometheus: VictoriaMetrics, and this
// project's own, which are measured by the same requests that way.
type foreignStore struct {
	base, token string
	http        *http.Client
}

// newForeignStore returns the store at an address, for so many requests at a time.
func newForeignStore(base, token string, connections int) foreignStore {
	return foreignStore{strings.TrimSuffix(base, "/"), token, &http.Client{
		Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: max(connections, 1)},
	}}
}

// WriteLines implements LineWriter.
func (s foreignStore) WriteLines(ctx context.Context, cluster string, lines []byte) error {
	q := url.Values{"bucket": {cluster}, "precision": {"s"}}
	_, err := s.post(ctx, "/api/v2/write?"+q.Encode(), "text/plain", lines)
	return err
}

// Query implements Querier.
func (s foreignStore) Query(ctx context.Context, body []byte) (int64, error) {
	return s.post(ctx, "/prometheus/api/v1/query_range", "application/x-www-form-urlencoded", body)
}

// post returns how many bytes the reply has.
func (s foreignStore) post(ctx context.Context, path, contentType string, body []byte) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept-Encoding", "identity") // what is measured is the store, not how well it compresses text
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	reply, err := s.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("ask the store: %w", err)
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(reply.Body, 500))
		return 0, fmt.Errorf("%s answers %s: %s", s.base, reply.Status, bytes.TrimSpace(text))
	}
	n, err := io.Copy(io.Discard, reply.Body)
	if err != nil {
		return n, fmt.Errorf("read the answer: %w", err)
	}
	return n, nil
}
