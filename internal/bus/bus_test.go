package bus_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/bus/bustest"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

func connect(t *testing.T, c bus.Config) *bus.Conn {
	t.Helper()
	conn, err := bus.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// subscribe returns what is published to a subject, as a client of its own sees it.
func subscribe(t *testing.T, url, subject string, options ...nats.Option) *nats.Subscription {
	t.Helper()
	nc := bustest.Connect(t, url, options...)
	sub, err := nc.SubscribeSync(subject)
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// portOf returns the server's port, for another one to take its place.
func portOf(t *testing.T, s *server.Server) int {
	t.Helper()
	u, err := url.Parse(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func numbered(from, n int) []bus.Message {
	var all []bus.Message
	for i := range n {
		all = append(all, bus.Message{ID: fmt.Sprint("id", from+i), Data: fmt.Append(nil, from+i)})
	}
	return all
}

// eventually calls do until it succeeds.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	var wall clock.System
	var err error
	for deadline := wall.Now().Add(20 * time.Second); wall.Now().Before(deadline); <-wall.After(20 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func TestPublishedMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{})
	sub := subscribe(t, s.ClientURL(), "x.y")
	conn := connect(t, bus.Config{URL: s.ClientURL()})
	eventually(t, func() error { return conn.Publish(t.Context(), "x.y", nil) })
	if err := conn.Publish(t.Context(), "x.y", numbered(0, 100)); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		m, err := sub.NextMsg(5 * time.Second)
		if err != nil || string(m.Data) != strconv.Itoa(i) || m.Header.Get(nats.MsgIdHdr) != fmt.Sprint("id", i) {
			t.Fatalf("message %d: %+v, %v", i, m, err)
		}
	}
}

func TestServerThatIsAwayIsAnErrorUntilItIsBack(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{})
	conn := connect(t, bus.Config{URL: s.ClientURL()})
	eventually(t, func() error { return conn.Publish(t.Context(), "x", numbered(0, 1)) })
	number := portOf(t, s)
	s.Shutdown()
	s.WaitForShutdown()
	if err := conn.Publish(t.Context(), "x", numbered(1, 1)); err == nil {
		t.Error("published to nobody")
	}
	eventually(t, func() error {
		if err := conn.Publish(t.Context(), "x", numbered(1, 1)); !errors.Is(err, bus.ErrAway) {
			return fmt.Errorf("want ErrAway, got %w", err)
		}
		return nil
	})
	back := bustest.Start(t, server.Options{Port: number})
	sub := subscribe(t, back.ClientURL(), "x")
	eventually(t, func() error { return conn.Publish(t.Context(), "x", numbered(1, 1)) })
	if m, err := sub.NextMsg(5 * time.Second); err != nil || string(m.Data) != "1" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestServerMayStartLater(t *testing.T) {
	t.Parallel()
	first := bustest.Start(t, server.Options{})
	address := first.ClientURL()
	port := portOf(t, first)
	first.Shutdown()
	first.WaitForShutdown()
	conn := connect(t, bus.Config{URL: address})
	if err := conn.Publish(t.Context(), "x", numbered(0, 1)); !errors.Is(err, bus.ErrAway) {
		t.Errorf("got %v", err)
	}
	bustest.Start(t, server.Options{Port: port})
	eventually(t, func() error { return conn.Publish(t.Context(), "x", numbered(0, 1)) })
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{Username: "bridgehead", Password: "hush"})
	good := connect(t, bus.Config{URL: s.ClientURL(), Username: "bridgehead", Password: "hush"})
	eventually(t, func() error { return good.Publish(t.Context(), "x", numbered(0, 1)) })
	bad := connect(t, bus.Config{URL: s.ClientURL(), Username: "bridgehead", Password: "guess"})
	eventually(t, func() error {
		err := bad.Publish(t.Context(), "x", numbered(0, 1))
		if !errors.Is(err, bus.ErrAway) || !strings.Contains(err.Error(), "Authorization") {
			return fmt.Errorf("want the reason, got %w", err)
		}
		if strings.Contains(err.Error(), "guess") {
			t.Error("the error repeats the password")
		}
		return nil
	})
	withToken := bustest.Start(t, server.Options{Authorization: "token"})
	conn := connect(t, bus.Config{URL: withToken.ClientURL(), Token: "token"})
	eventually(t, func() error { return conn.Publish(t.Context(), "x", numbered(0, 1)) })
}

func TestStreamKeepsWhatWasStoredOnce(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, server.Options{JetStream: true, StoreDir: t.TempDir()})
	conn := connect(t, bus.Config{URL: s.ClientURL()})
	eventually(t, func() error { return conn.Publish(t.Context(), "x", nil) })
	if err := conn.Store(t.Context(), "kept.audit", numbered(0, 1)); err == nil {
		t.Error("stored without a stream")
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "KEPT", Subjects: []string{"kept.>"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, the stream knows them by their ids
		if err := conn.Store(t.Context(), "kept.audit", numbered(0, 300)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := js.StreamInfo("KEPT")
	if err != nil || info.State.Msgs != 300 {
		t.Errorf("%+v, %v", info, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := conn.Store(ctx, "kept.audit", numbered(300, 300)); err == nil {
		t.Error("stored although it was cancelled")
	}
}

func TestAddressesAndSubjects(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"nats://bus1:4222": true, "tls://bus1:4222": true, "nats://a:1,nats://b:2": true, "nats://a:1, nats://b:2": true,
		"": false, "bus1": false, "nats://user:hush@bus1": false, "nats://a:1,b": false,
	} {
		err := bus.Config{URL: address}.Check()
		if (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the error repeats the password: %v", err)
		}
		if _, err := bus.Connect(bus.Config{URL: address}); !ok && err == nil {
			t.Errorf("connected to %q", address)
		}
	}
	for subject, ok := range map[string]bool{"a": true, "bridgehead.audit": true, "": false, "a.": false, "a..b": false, "a.*": false, "a.>": false, "a b": false} {
		if err := bus.CheckSubject(subject); (err == nil) != ok {
			t.Errorf("%q: %v", subject, err)
		}
	}
}
