package netlimit

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestWhoDoesNotReadIsLeft: a handler that writes to somebody who does not read comes to an end. Who reads, and thinks
// between two requests for longer than that, is served.
func TestWhoDoesNotReadIsLeft(t *testing.T) {
	t.Parallel()
	const patience = 200 * time.Millisecond
	ended := make(chan error, 8)
	srv := httptest.NewServer(stalls(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		for i := 0; err == nil && (r.URL.Path == "/endless" || i < 4); i++ {
			_, err = io.WriteString(w, strings.Repeat("x", 100_000))
		}
		ended <- err
	}), patience))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("no error")
	}

	patient, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer patient.Close()
	in := bufio.NewReader(patient)
	for range 3 {
		if _, err := io.WriteString(patient, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close() // it has been read
		if err != nil || n != 400_000 {
			t.Errorf("%d bytes, %v", n, err)
		}
		<-time.After(patience + patience/2)
	}
}
