package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// acked is something that the head has acknowledged.
type acked struct {
	entry
	at     time.Time
	secret string // the text of a token, the cookie of a session, the password of a user
}

// client makes users, tokens, sessions and jobs at a head, revokes and stops some, and writes samples, and keeps what was
// acknowledged, in order.
type client struct {
	url   string
	token string
	via   http.RoundTripper
	start int64 // time of slot 0
	jobs  int64 // when all of them have started
	wall  clock.System

	mu       sync.Mutex
	done     []acked
	batches  []time.Time // when the sample batches were acknowledged; zero: it is not known whether they were
	refusals []string    // replies with 5xx
	failure  string      // the last of any kind
}

const (
	cluster  = "alpha"
	slotStep = 30 // seconds between two samples, as clustersim configures it
	slots    = 5000
	hosts    = 4
)

// newHead sets a head up in dir, which is not started, with an administrator and a cluster.
func newHead(tb testing.TB, bin, dir string) *program.Head {
	tb.Helper()
	h := program.New(tb, bin, dir, "boss:admin,api,role.FullAdmin:the password of boss")
	h.Run("", "clustersim", "config", "./var/job-archive", "--cluster", cluster, "--nodes", strconv.Itoa(hosts))
	h.Configure(`"directory": "./var/checkpoints"`, `"directory": "./var/checkpoints", "max-wal-size": 131072`,
		`"kind": "file"`, `"kind": "file", "grace": "100ms"`)
	return h
}

func newClient(tb testing.TB, h *program.Head) *client {
	tb.Helper()
	c := &client{url: h.URL, via: &http.Transport{DisableCompression: true}}
	now := c.wall.Now().Unix()
	c.start = (now/slotStep - slots) * slotStep
	c.jobs = c.start // so that there are samples of them
	c.token = regexp.MustCompile(`eyJ\S+`).FindString(h.Run("", "cc-backend", "-jwt", "boss"))
	return c
}

// call sends a request as the administrator. A reply of 5xx must not tell where on the disk something failed.
func (c *client) call(ctx context.Context, method, path, body string) (int, string, error) {
	header := program.Bearer(c.token)
	header.Set("Content-Type", "application/json")
	reply, err := program.Request{Method: method, Path: path, Body: body, Header: header}.Send(ctx, c.via, c.url)
	status, text := reply.Status, reply.Body
	if err == nil && status >= 300 {
		c.mu.Lock()
		c.failure = path + ": " + strconv.Itoa(status) + " " + text
		c.mu.Unlock()
	}
	if err == nil && status >= http.StatusInternalServerError {
		c.mu.Lock()
		c.refusals = append(c.refusals, strconv.Itoa(status)+" "+text)
		c.mu.Unlock()
	}
	return status, text, err
}

// did keeps what was acknowledged.
func (c *client) did(kind, id, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, acked{entry{kind: kind, id: id}, c.wall.Now(), secret})
}

// step does thing n of every kind. The result says how many of them were acknowledged.
func (c *client) step(ctx context.Context, n int) (acknowledged, failed int) {
	name, id := "u"+strconv.Itoa(n), strconv.Itoa(n)
	ok := func(status int, err error) bool {
		if err != nil || status >= 300 {
			failed++
			return false
		}
		acknowledged++
		return true
	}
	user := fmt.Sprintf(`{"username": %q, "role": "api"}`, name)
	password := ""
	if n%16 == 0 { // to hash a password takes its time
		password = "the password of " + name
		user = fmt.Sprintf(`{"username": %q, "role": "user", "password": %q}`, name, password)
	}
	if status, _, err := c.call(ctx, http.MethodPost, "/api/users/", user); ok(status, err) {
		c.did("user", name, password)
	}
	status, text, err := c.call(ctx, http.MethodPost, "/api/v1/admin/"+name+"/token", `{"name": "of a test"}`)
	if ok(status, err) {
		var reply struct {
			Data struct {
				Text string `json:"access_token"`
				ID   string `json:"jti"`
			} `json:"data"`
		}
		_ = json.Unmarshal([]byte(text), &reply) // an empty id is found missing
		c.did("token", reply.Data.ID, reply.Data.Text)
		if n%2 == 1 {
			if status, _, err := c.call(ctx, http.MethodDelete, "/api/v1/token/"+reply.Data.ID, ""); ok(status, err) {
				c.did("revoke", reply.Data.ID, reply.Data.Text)
			}
		}
	}
	if password != "" {
		if cookie, err := c.login(ctx, name, password); ok(0, err) {
			c.did("login", name, cookie)
		}
	}
	body := fmt.Sprintf(`{"jobId": %s, "cluster": %q, "user": %q, "project": "p", "numNodes": 1, "startTime": %d, "resources": [{"hostname": "n1"}]}`, id, cluster, name, c.jobs)
	if status, _, err := c.call(ctx, http.MethodPost, "/api/jobs/start_job/", body); ok(status, err) {
		c.did("job", id, "")
		body := fmt.Sprintf(`{"jobId": %s, "cluster": %q, "startTime": %d, "stopTime": %d}`, id, cluster, c.jobs, c.jobs+10*slotStep)
		if n%2 == 1 {
			if status, _, err := c.call(ctx, http.MethodPost, "/api/jobs/stop_job/", body); ok(status, err) {
				c.did("stop", id, "")
			}
		}
	}
	return acknowledged, failed
}

func (c *client) login(ctx context.Context, name, password string) (cookie string, err error) {
	r := program.Request{
		Method: http.MethodPost, Path: "/login", Body: "username=" + name + "&password=" + strings.ReplaceAll(password, " ", "+"),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}
	reply, err := r.Send(ctx, c.via, c.url)
	if err != nil {
		return "", err
	}
	cookie, _, _ = strings.Cut(reply.Header.Get("Set-Cookie"), ";")
	if reply.Status != http.StatusFound || cookie == "" {
		return "", fmt.Errorf("login of %s: %d %s", name, reply.Status, reply.Body)
	}
	return cookie, nil
}

// sampleOf is what batch n writes for a host.
func sampleOf(n, host int) float64 { return float64(n) + float64(host)/10 }

// write writes the next batch of samples, one a host, into the next slot.
func (c *client) write(ctx context.Context) error {
	c.mu.Lock()
	n := len(c.batches)
	c.batches = append(c.batches, time.Time{})
	c.mu.Unlock()
	var lines strings.Builder
	for h := range hosts {
		fmt.Fprintf(&lines, "cpu_load,hostname=n%d value=%v %d\n", h, sampleOf(n, h), c.start+int64(n%slots)*slotStep)
	}
	status, text, err := c.call(ctx, http.MethodPost, "/api/write/?cluster="+cluster, lines.String())
	if err != nil || status != http.StatusOK || text != "" {
		return fmt.Errorf("%d %s, %w", status, text, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches[n] = c.wall.Now()
	return nil
}

// run works until ctx is done: records in one loop, samples in another.
func (c *client) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			c.step(ctx, n)
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = c.write(ctx) // it is noted as one of which nothing is known
			_ = clock.Sleep(ctx, c.wall, 5*time.Millisecond)
		}
	})
	wg.Wait()
}

// knowledge is what had been acknowledged at some time.
type knowledge struct {
	at      time.Time
	done    []acked
	batches []time.Time
}

func (c *client) known() knowledge {
	c.mu.Lock()
	defer c.mu.Unlock()
	return knowledge{at: c.wall.Now(), done: append([]acked{}, c.done...), batches: append([]time.Time{}, c.batches...)}
}

// entries are the records that the database has to hold.
func (k knowledge) entries() (list []entry) {
	for _, a := range k.done {
		list = append(list, a.entry)
	}
	return list
}
