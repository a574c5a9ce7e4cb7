package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/bus/bustest"
)

// listening listens until stop is called, which returns what has arrived and what Listen returned.
func listening(t *testing.T, conn *bus.Conn, s bus.Subscription, each func()) (stop func() (got []string, lost int64, err error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var got []string
	var lost int64
	done := make(chan error, 1)
	go func() {
		done <- conn.Listen(ctx, s, func(a bus.Arrivals) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range a.Messages {
				got = append(got, string(m))
			}
			lost += a.Lost
			if each != nil {
				each()
			}
		})
	}()
	return func() ([]string, int64, error) {
		cancel()
		err := <-done
		mu.Lock()
		defer mu.Unlock()
		return got, lost, err
	}
}

// talk returns a client that publishes.
func talk(t *testing.T, s *server.Server, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(s.ClientURL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func publish(t *testing.T, nc *nats.Conn, subject string, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if err := nc.Publish(subject, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// heard waits until so many clients listen.
func heard(t *testing.T, s *server.Server, n int) {
	t.Helper()
	eventually(t, func() error {
		conns, err := s.Connz(&server.ConnzOptions{Subscriptions: true})
		if err != nil {
			return err
		}
		got := 0
		for _, c := range conns.Conns {
			got += len(c.Subs)
		}
		if got < n {
			return fmt.Errorf("%d subscriptions", got)
		}
		return nil
	})
}

func TestWhatHasArrivedIsHandledBeforeListeningEnds(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{})
	stop := listening(t, connect(t, bus.Config{URL: s.ClientURL()}), bus.Subscription{Subject: "alpha.>"}, nil)
	heard(t, s, 1)
	var want []string
	for i := range 5000 {
		want = append(want, strconv.Itoa(i))
	}
	nc := talk(t, s)
	publish(t, nc, "alpha.metrics", want...)
	publish(t, nc, "beta.metrics", "not for us")
	got, lost, err := stop()
	if err != nil || lost != 0 || !slices.Equal(got, want) {
		t.Errorf("%d messages, %d lost, %v", len(got), lost, err)
	}
}

func TestAQueueGroupSharesTheMessages(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{})
	var stops []func() ([]string, int64, error)
	for range 2 {
		stops = append(stops, listening(t, connect(t, bus.Config{URL: s.ClientURL()}), bus.Subscription{Subject: "m", Queue: "stores"}, nil))
	}
	stops = append(stops, listening(t, connect(t, bus.Config{URL: s.ClientURL()}), bus.Subscription{Subject: "m"}, nil))
	heard(t, s, 3)
	publish(t, talk(t, s), "m", strings.Split(strings.Repeat("x", 200), "")...)
	var n []int
	for _, stop := range stops {
		got, _, err := stop()
		if err != nil {
			t.Error(err)
		}
		n = append(n, len(got))
	}
	if n[0]+n[1] != 200 || n[0] == 0 || n[1] == 0 || n[2] != 200 {
		t.Errorf("%v messages", n)
	}
}

func TestListenersComeBackWithTheServer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var mu sync.Mutex
	logger := slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log}, nil))
	first := bustest.Start(t, server.Options{Username: "head", Password: "correct-horse"})
	port := portOf(t, first)
	conn := connect(t, bus.Config{URL: first.ClientURL(), Username: "head", Password: "correct-horse", Log: logger})
	stop := listening(t, conn, bus.Subscription{Subject: "m"}, nil)
	heard(t, first, 1)
	publish(t, talk(t, first, nats.UserInfo("head", "correct-horse")), "m", "before")
	first.Shutdown()
	first.WaitForShutdown()
	second := bustest.Start(t, server.Options{Port: port, Username: "head", Password: "correct-horse"})
	heard(t, second, 1)
	publish(t, talk(t, second, nats.UserInfo("head", "correct-horse")), "m", "after")
	got, _, err := stop()
	if err != nil || !slices.Equal(got, []string{"before", "after"}) {
		t.Errorf("%q, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(log.String(), "is lost") || !strings.Contains(log.String(), "again") || strings.Contains(log.String(), "correct-horse") {
		t.Errorf("log: %s", &log)
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestMessagesBeyondTheBoundAreLostAndCounted(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{})
	busy, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stop := listening(t, connect(t, bus.Config{URL: s.ClientURL()}), bus.Subscription{Subject: "m"}, func() {
		once.Do(func() {
			close(busy)
			<-free
		})
	})
	heard(t, s, 1)
	nc := talk(t, s)
	publish(t, nc, "m", "first")
	<-busy
	big := strings.Repeat("x", 900_000)
	const sent = 100 // 90 MB, more than may wait
	for range sent {
		publish(t, nc, "m", big)
	}
	close(free)
	var all int64
	eventually(t, func() error { // the last one tells of what was lost before it
		publish(t, nc, "m", "last")
		return nil
	})
	got, lost, err := stop()
	for _, m := range got {
		if m == big {
			all++
		}
	}
	if err != nil || lost == 0 || all+lost < sent {
		t.Errorf("%d arrived, %d lost, %v", all, lost, err)
	}
}

func TestSubscriptionsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []bus.Subscription{{Subject: ""}, {Subject: "a..b"}, {Subject: "a.>.b"}, {Subject: "a b"}, {Subject: "a*"}, {Subject: "a", Queue: "b c"}} {
		if s.Check() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	for _, s := range []bus.Subscription{{Subject: "a"}, {Subject: "*.metrics"}, {Subject: "a.>", Queue: "stores"}, {Subject: ">"}} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
	conn := connect(t, bus.Config{URL: "nats://127.0.0.1:1"})
	if err := conn.Listen(t.Context(), bus.Subscription{}, nil); err == nil {
		t.Error("a subject that is none is listened to")
	}
	conn.Close()
	if err := conn.Listen(t.Context(), bus.Subscription{Subject: "a"}, nil); err == nil {
		t.Error("a closed connection is listened to")
	}
}
