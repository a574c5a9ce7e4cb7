package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// BenchmarkLoginFlood measures what is left for others while 200 people at 200 addresses log in at once, with passwords
// that are wrong: how much memory the whole process takes above what it had before, how long a request with a token takes
// meanwhile, and how many of the 200 were told to come back later. One operation is one such flood.
func BenchmarkLoginFlood(b *testing.B) {
	const people = 200
	srv, token := benchServer(b)
	clients := make([]*http.Client, people)
	for i := range clients {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i), 1)}}
		clients[i] = &http.Client{Transport: &http.Transport{DialContext: from.DialContext}}
	}
	var clk clock.System
	var took []time.Duration
	var mu sync.Mutex // guards statuses
	statuses := map[int]int{}
	resetPeak(b)
	idle, rounds := memory(b, "VmRSS"), 0
	for b.Loop() {
		rounds++
		var flood sync.WaitGroup
		for i, client := range clients {
			flood.Go(func() {
				form := url.Values{"username": {fmt.Sprintf("u%d-%d", rounds, i)}, "password": {"wrong"}}.Encode()
				resp, err := client.Post(srv.URL+"/api/v1/login", "application/x-www-form-urlencoded", strings.NewReader(form))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				mu.Lock()
				statuses[resp.StatusCode]++
				mu.Unlock()
			})
		}
		over := make(chan struct{})
		go func() { flood.Wait(); close(over) }()
		for ended := false; !ended; {
			select {
			case <-over:
				ended = true
			case <-clk.After(2 * time.Millisecond):
			}
			r := request(b, http.MethodGet, srv.URL+"/api/v1/whoami", token, "")
			sent := clk.Now()
			resp, err := srv.Client().Do(r)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			took = append(took, clk.Now().Sub(sent))
		}
	}
	for code := range statuses {
		if code != http.StatusUnauthorized && code != http.StatusTooManyRequests {
			b.Errorf("%d logins were answered with %d", statuses[code], code)
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "other-p99-ms")
	b.ReportMetric(float64(memory(b, "VmHWM")-idle)/(1<<20), "MiB-above-idle")
	b.ReportMetric(float64(statuses[http.StatusTooManyRequests])/float64(rounds), "told-to-wait")
}

// memory returns what /proc says of this process, in bytes.
func memory(b *testing.B, what string) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	m := regexp.MustCompile(what + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		b.Fatalf("no %s", what)
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n << 10
}

// resetPeak makes VmHWM begin anew.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip(err)
	}
}
