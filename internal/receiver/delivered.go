package receiver

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// gone reports whether the other side has closed the connection, or has said that nobody is there. Writing would not tell:
// the first write after that succeeds, and what it wrote is lost.
func gone(conn net.Conn) bool {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return true
	}
	var n int
	var failed error
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, failed = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	if err != nil {
		return true
	}
	if failed == nil {
		return n == 0 // the end; a log server sends nothing
	}
	return !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.EINTR)
}

// errUndelivered means that the other side did not take what was sent in time.
var errUndelivered = errors.New("the log server does not take what is sent")

// delivered waits until the other side's kernel has everything that was written to a TCP connection.
func delivered(conn net.Conn, clk clock.Clock) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	const step = 10 * time.Millisecond
	for waited := time.Duration(0); waited < sendTimeout; waited += step {
		var left int
		var failed error
		if err := raw.Control(func(fd uintptr) { left, failed = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil {
			return err
		}
		switch {
		case failed != nil:
			return failed
		case left == 0 && gone(conn):
			return errors.New("the log server has closed the connection")
		case left == 0:
			return nil
		}
		<-clk.After(step)
	}
	return errUndelivered
}
