// Package porttest finds ports for the programs that tests start, stop and start again.
//
// A port that the kernel picks (":0") comes from the range of outgoing connections: between its release and the
// program's start, and again while the program restarts, any connection of any other test may get it. Ports from here
// lie below that range, and no two tests of a machine hold the same one.
package porttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
)

const (
	lowest = 10_000
	tries  = 1_000
)

var errNone = errors.New("no port is free")

// Addr is an address 127.0.0.1:PORT that is the test's until it ends.
func Addr(tb testing.TB) string {
	tb.Helper()
	port, release, err := Reserve()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(release)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Reserve gives a port that nothing listens on and that no other caller gets, in this process or another, until it is
// released or the process ends.
func Reserve() (port int, release func(), err error) {
	first := firstOutgoing()
	for range tries {
		port := lowest + rand.IntN(first-lowest) //nolint:gosec // no secret, only spread
		if release, ok := claim(port); ok {
			return port, release, nil
		}
	}
	return 0, nil, fmt.Errorf("ports %d to %d: %w", lowest, first-1, errNone)
}

// claim holds a name of Linux's abstract sockets for the port: the kernel gives it to one process at a time and takes
// it back when that process ends, however it does.
func claim(port int) (release func(), ok bool) {
	name, err := net.Listen("unix", "@bridgehead-test-port-"+strconv.Itoa(port)) //nolint:noctx // a claim, not a server
	if err != nil {
		return nil, false
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // tried and let go
	if err != nil {
		_ = name.Close() // something else has the port: another one is tried
		return nil, false
	}
	_ = l.Close() // the program that is to be started needs it
	return func() { _ = name.Close() }, true
}

// firstOutgoing is the first port that the kernel uses for outgoing connections.
func firstOutgoing() int {
	first := 32_768 // Linux's own default
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var last int
		if n, _ := fmt.Sscan(string(text), &first, &last); n == 0 || first <= lowest+tries {
			return 32_768
		}
	}
	return first
}
