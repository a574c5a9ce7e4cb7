package metricserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// head follows what the head node says of its tokens: the signed list of those that were revoked, with the keys that
// verify the others. One key, that of the configuration, is enough to begin with; the next ones are learnt before they
// sign. What was learnt is kept on disk, so that neither a restart nor a head that is down undoes a revocation.
type head struct {
	url      string // of the list
	interval time.Duration
	anchor   string // id of the key in the configuration
	path     string // where the list is kept
	keys     *token.Keyring
	verifier *token.Verifier
	client   *http.Client
	clock    clock.Clock
	log      *slog.Logger

	list   atomic.Pointer[token.StatusList] // nil: none was ever had
	failed atomic.Uint64                    // how many times it could not be had
	silent bool                             // the last time it could not; for Run alone
}

const (
	// askTimeout is how long the head has to answer at most.
	askTimeout = 10 * time.Second
	// statusFile is where the list is kept, in the folder of the samples.
	statusFile = "head.json"
)

// newHead returns what follows the head; nil when none is configured.
func newHead(c Config, keys *token.Keyring, v *token.Verifier, clk clock.Clock, log *slog.Logger) *head {
	if c.HeadURL == "" {
		return nil
	}
	return &head{
		url: c.HeadURL + token.StatusPath, interval: c.StatusInterval, anchor: keys.ID(), path: filepath.Join(c.Dir, statusFile),
		keys: keys, verifier: v, clock: clk, log: log,
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it sends elsewhere; main.head-url has to be where the head itself is")
		}},
	}
}

// revoked reports whether the head has said that the token is revoked. Tokens without a place in the list, such as those
// of a site's own scripts, are good until they expire or their key is removed.
func (h *head) revoked(c token.Claims) bool {
	l := h.list.Load()
	return l != nil && c.StatusIndex > 0 && l.Revoked(c.StatusIndex)
}

// run asks the head again and again until ctx is done. Its failures are nobody's end: what is known stays in force.
func (h *head) run(ctx context.Context) error {
	for ctx.Err() == nil {
		h.report(ctx, h.ask(ctx))
		_ = clock.Sleep(ctx, h.clock, h.pause()) // the loop sees that ctx is done
	}
	return nil
}

// every returns how often the head is asked.
func (h *head) every() time.Duration {
	if h.interval > 0 {
		return h.interval
	}
	if l := h.list.Load(); l != nil && l.TTL > 0 {
		return l.TTL
	}
	return token.DefaultStatusTTL
}

// patience returns how long the head has to answer. When what lies between swallows what is sent, and then no longer does,
// no more than that and a short pause may pass until he is asked again.
func (h *head) patience() time.Duration { return min(askTimeout, max(h.every()/2, time.Second)) }

// pause returns how long to wait, up to a tenth less than the interval: so many stores do not ask in the same moment, and
// none later than promised. A head that was not heard is asked sooner: what it has to say may be overdue when it is back.
func (h *head) pause() time.Duration {
	d := h.every()
	if h.silent {
		d /= 4
	}
	return d - time.Duration(rand.Int64N(int64(d/10)+1)) //nolint:gosec // nobody gains from guessing it
}

// report says when the head falls silent and when it speaks again.
func (h *head) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil:
		h.failed.Add(1)
		if !h.silent {
			h.log.WarnContext(ctx, "the head's list of revoked tokens cannot be had; what is known stays in force, and tokens that are revoked from now on are still accepted",
				"url", h.url, "error", err, "have_one", h.list.Load() != nil)
		}
		h.silent = true
	case h.silent:
		h.log.InfoContext(ctx, "the head's list of revoked tokens is back", "url", h.url)
		h.silent = false
	}
}

// ask gets the list, believes it when it is signed with a key that is known, and keeps it.
func (h *head) ask(ctx context.Context) error {
	text, err := h.get(ctx)
	if err != nil {
		return err
	}
	l, err := h.verifier.VerifyStatusList(text)
	if err != nil {
		return fmt.Errorf("%w; the keys known here are %v", err, h.keys.IDs())
	}
	if last := h.list.Load(); last != nil && l.Issued.Before(last.Issued) {
		return fmt.Errorf("the list is of %s, older than the one of %s that is known", l.Issued.Format(time.RFC3339), last.Issued.Format(time.RFC3339))
	}
	h.follow(l)
	return h.keep(text)
}

func (h *head) follow(l *token.StatusList) {
	h.keys.Follow(l)
	h.list.Store(l)
}

func (h *head) get(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.patience())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ask the head: %w", err)
	}
	req.Header.Set("Accept", "application/statuslist+jwt")
	resp, err := h.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask the head: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask the head: it answers %s", resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, token.MaxStatusText+1))
	if err != nil {
		return "", fmt.Errorf("read the head's answer: %w", err)
	}
	return string(text), nil
}

// kept is the file in which the list is kept.
type kept struct {
	// Anchor is the key that was configured. With another one the file is not believed: the operator has changed his mind.
	Anchor string `json:"anchor"`
	List   string `json:"list"`
}

func (h *head) keep(list string) error {
	data, err := json.Marshal(kept{h.anchor, list})
	if err != nil {
		return fmt.Errorf("encode %s: %w", h.path, err)
	}
	part := h.path + ".part"
	if err := writeSynced(part, data); err != nil { // else a power cut might leave the name and nothing behind it
		return fmt.Errorf("keep the head's list: %w", err)
	}
	if err := os.Rename(part, h.path); err != nil {
		return fmt.Errorf("keep the head's list: %w", err)
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in the folder that the operator configured
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// restore takes up the list that was kept. One that is damaged is said to be and left alone; the head has another.
func (h *head) restore() {
	data, err := os.ReadFile(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var k kept
	var l *token.StatusList
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err == nil && k.Anchor != h.anchor {
		h.log.Info("another key is configured than before; what the head has said under the old one is forgotten", "file", h.path)
		return
	}
	if err == nil {
		l, err = token.RestoreStatusList(k.List)
	}
	if err != nil {
		h.log.Warn("the kept list of revoked tokens cannot be used", "file", h.path, "error", err)
		return
	}
	h.follow(l)
}

// Describe implements prometheus.Collector.
func (h *head) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(h, ch) }

// Collect implements prometheus.Collector.
func (h *head) Collect(ch chan<- prometheus.Metric) {
	send := func(name, help string, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("metricstore_head_"+name, help, nil, nil), kind, v)
	}
	send("failures_total", "How many times the head's list of revoked tokens could not be had.", prometheus.CounterValue, float64(h.failed.Load()))
	if l := h.list.Load(); l != nil {
		send("status_age_seconds", "How old the list of revoked tokens is that is in force.", prometheus.GaugeValue, h.clock.Now().Sub(l.Issued).Seconds())
	}
	send("keys", "How many keys verify tokens.", prometheus.GaugeValue, float64(len(h.keys.IDs())))
}
