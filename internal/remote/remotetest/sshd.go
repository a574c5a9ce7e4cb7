// Package remotetest runs a real OpenSSH server for tests.
package remotetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Server is an OpenSSH server on a loopback port that lets the current user in with one key.
type Server struct {
	Addr       string // host and port
	Port       int
	User       string // who may log in
	Identity   string // file with the private key that is let in
	KnownHosts string // file that knows the server's key
	HostKey    ssh.PublicKey
}

// Start runs a server until the test ends. The test is skipped where OpenSSH is not installed.
func Start(tb testing.TB) *Server {
	tb.Helper()
	sshd := find(tb)
	me, err := user.Current()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	s := &Server{User: me.Username, Identity: filepath.Join(dir, "id_ed25519"), KnownHosts: filepath.Join(dir, "known_hosts")}
	hostKeyFile := filepath.Join(dir, "host_ed25519")
	s.HostKey = WriteKey(tb, hostKeyFile, "")
	authorized := filepath.Join(dir, "authorized_keys")
	write(tb, authorized, string(ssh.MarshalAuthorizedKey(WriteKey(tb, s.Identity, ""))))
	config := filepath.Join(dir, "sshd_config")
	write(tb, config, fmt.Sprintf("HostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"+
		"KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\nPidFile none\n"+
		"MaxStartups 100\nLogLevel ERROR\n", hostKeyFile, authorized))
	s.listen(tb, sshd, config)
	write(tb, s.KnownHosts, knownhosts.Line([]string{s.Addr}, s.HostKey)+"\n")
	return s
}

// find returns the server's program. Started by root it insists on a folder that the service manager makes elsewhere.
func find(tb testing.TB) string {
	tb.Helper()
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		tb.Skipf("OpenSSH's server is not installed (%v); on Debian: apt-get install openssh-server", err)
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // the mode that sshd wants; it holds nothing
			tb.Skipf("OpenSSH's server needs /run/sshd: %v", err)
		}
	}
	return sshd
}

// WriteKey makes a key pair, writes the private key to a file and returns the public one. A passphrase encrypts it.
func WriteKey(tb testing.TB, file, passphrase string) ssh.PublicKey {
	tb.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(passphrase))
	}
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, file, string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func write(tb testing.TB, file, content string) {
	tb.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// listen accepts connections and starts one server process for each, as inetd would: the port is ours from the start,
// so there is nothing to wait for.
func (s *Server) listen(tb testing.TB, sshd, config string) {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatalf("listening on %v, which is no TCP address", l.Addr())
	}
	s.Addr, s.Port = l.Addr().String(), tcp.Port
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { serve(ctx, conn, sshd, config) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close() // the test is over
		cancel()
		connections.Wait()
	})
}

func serve(ctx context.Context, conn net.Conn, sshd, config string) {
	defer func() { _ = conn.Close() }() // the process has its own copy
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	f, err := tcp.File()
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()                                // the process has its own copy
	cmd := exec.CommandContext(ctx, sshd, "-i", "-e", "-f", config) //nolint:gosec // both are paths of ours
	cmd.Stdin, cmd.Stdout = f, f
	_ = cmd.Run() // a refused login ends it with an error, as it should
}
