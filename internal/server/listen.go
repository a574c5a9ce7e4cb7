package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/netlimit"
)

// listener is an address with the HTTP server that answers on it.
type listener struct {
	net.Listener
	http *http.Server
}

// listen opens all addresses before anything is served, so that a port in use is found at once.
func (s *Server) listen(ctx context.Context) (all []listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
		}
	}()
	proxies, err := parsePrefixes(s.config.Main.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("main.trusted-proxies: %w", err)
	}
	limit := netlimit.New(netlimit.Limits{
		PerAddress: s.config.Main.ConnectionsPerAddress, Total: netlimit.Connections(), Exempt: proxies, Log: s.log,
	})
	for _, addr := range []string{s.config.Main.Addr, s.config.Main.AlsoAddr} {
		if addr == "" {
			continue
		}
		l, err := s.listenTCP(ctx, addr, limit)
		if err != nil {
			return all, err
		}
		all = append(all, l)
		s.log.Info("listening", "address", l.Addr().String())
	}
	if path := s.config.Main.AuthSocket; path != "" && path != "none" {
		l, err := s.listenSocket(ctx, path)
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	return all, nil
}

func (s *Server) listenTCP(ctx context.Context, addr string, limit *netlimit.Limiter) (listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return listener{}, fmt.Errorf("the address %s is in use by another program; stop it, or change main.addr", addr)
	}
	if err != nil {
		return listener{}, fmt.Errorf("listen on %s: %w; main.addr is an address of this machine and a port, as in localhost:8080", addr, err)
	}
	srv := netlimit.Server(s.handler, s.log)
	ln = limit.Listen(ln)
	if cert := s.config.Main.HTTPSCertFile; cert != "" && addr == s.config.Main.Addr {
		pair, err := tls.LoadX509KeyPair(cert, s.config.Main.HTTPSKeyFile)
		if err != nil {
			return listener{}, errors.Join(fmt.Errorf("load TLS certificate: %w", err), ln.Close())
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	return listener{ln, srv}, nil
}

// listenSocket opens the local socket. Whoever can connect is who the operating system says he is; everybody may try.
func (s *Server) listenSocket(ctx context.Context, path string) (listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // everybody may reach the socket; the user is checked
		return listener{}, fmt.Errorf("make folder of the local socket: %w", err)
	}
	// A socket that nobody answers on is left over from a crash.
	if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path); err == nil {
		return listener{}, errors.Join(fmt.Errorf("another server answers on the local socket %s; stop it, or change main.auth-socket", path), conn.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return listener{}, fmt.Errorf("remove old local socket: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return listener{}, fmt.Errorf("open local socket: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // as above
		return listener{}, errors.Join(fmt.Errorf("open local socket: %w", err), ln.Close())
	}
	srv := netlimit.Server(s.handler, s.log)
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		name, err := peerName(c)
		if err != nil {
			s.log.Warn("the user at the local socket is not known", "error", err)
			return ctx
		}
		return access.WithPeer(ctx, name)
	}
	return listener{ln, srv}, nil
}

// peerName asks the kernel who is at the other end.
func peerName(c net.Conn) (string, error) {
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return "", fmt.Errorf("%T is no local socket", c)
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return "", fmt.Errorf("read peer: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return "", fmt.Errorf("read peer: %w", err)
	}
	if credErr != nil {
		return "", fmt.Errorf("read peer: %w", credErr)
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(cred.Uid), 10))
	if err != nil {
		return "", fmt.Errorf("name of user id %d: %w", cred.Uid, err)
	}
	return u.Username, nil
}

// grace is how long running requests may take after the end has been asked for.
const grace = 20 * time.Second

// serve answers requests until ctx ends, and lets those that run finish.
func (l listener) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- l.http.Serve(l.Listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := l.http.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("shut down %s: %w", l.Addr(), err), l.http.Close())
	}
	return nil
}
