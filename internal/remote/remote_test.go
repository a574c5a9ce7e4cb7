package remote_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/bridgehead-hpc/bridgehead/internal/remote"
	"github.com/bridgehead-hpc/bridgehead/internal/remote/remotetest"
)

func target(s *remotetest.Server) remote.Target {
	return remote.Target{Name: "n0", Addr: "127.0.0.1", User: s.User, Port: s.Port}
}

func dialer(t *testing.T, c remote.Config) *remote.Dialer {
	t.Helper()
	d, err := remote.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func login(t *testing.T, s *remotetest.Server) *remote.Host {
	t.Helper()
	d := dialer(t, remote.Config{Identities: []string{s.Identity}, KnownHosts: s.KnownHosts})
	h, err := d.Dial(t.Context(), target(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func writeFile(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func assertFile(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != content {
		t.Errorf("%s holds %q, want %q", path, got, content)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != mode {
		t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), mode)
	}
}

func TestPushSeveralKeepsModeAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	h := login(t, s)
	here, there := t.TempDir(), t.TempDir()
	a, b := filepath.Join(here, "a.token"), filepath.Join(here, "b.sh")
	writeFile(t, a, "secret", 0o600)
	writeFile(t, b, "#!/bin/sh", 0o755)
	writeFile(t, filepath.Join(there, "a.token"), "an older and longer one", 0o644)

	if err := h.Push(t.Context(), []string{a, b}, there+"/", nil); err != nil {
		t.Fatal(err)
	}

	assertFile(t, filepath.Join(there, "a.token"), "secret", 0o600)
	assertFile(t, filepath.Join(there, "b.sh"), "#!/bin/sh", 0o755)
	if list, _ := os.ReadDir(there); len(list) != 2 {
		t.Errorf("left behind: %v", list)
	}
}

func TestPushWritesThroughALink(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	dir := t.TempDir()
	src, real, link := filepath.Join(dir, "src"), filepath.Join(dir, "real"), filepath.Join(dir, "link")
	writeFile(t, src, "new", 0o640)
	writeFile(t, real, "old", 0o600)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := h.Push(t.Context(), []string{src}, link, nil); err != nil {
		t.Fatal(err)
	}
	assertFile(t, real, "new", 0o640)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
}

func TestPushRefusals(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	writeFile(t, file, "x", 0o600)
	cases := []struct {
		name    string
		sources []string
		dst     string
		want    string
	}{
		{"missing directory", []string{file}, dir + "/nowhere/", "there is no directory " + dir + "/nowhere/ on n0; make it first"},
		{"missing parent", []string{file}, dir + "/nowhere/file", "there is no directory " + dir + "/nowhere on n0"},
		{"several into a file", []string{file, file}, file, file + " on n0 is not a directory"},
		{"several into nothing", []string{file, file}, dir + "/new", "there is no directory " + dir + "/new on n0"},
		{"missing source", []string{dir + "/gone"}, dir, "read " + dir + "/gone: no such file"},
		{"directory", []string{dir}, dir, "is a directory; only files are copied"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := h.Push(t.Context(), c.sources, c.dst, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestPullKeepsModeAndTellsProgress(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	dir, here := t.TempDir(), t.TempDir()
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	writeFile(t, filepath.Join(dir, "big"), big, 0o640)
	var last, total int64
	calls := 0
	err := h.Pull(t.Context(), []string{filepath.Join(dir, "big")}, here+"/", func(_ string, done, all int64) {
		calls++
		last, total = done, all
	})
	if err != nil {
		t.Fatal(err)
	}
	assertFile(t, filepath.Join(here, "big"), big, 0o640)
	if last != int64(len(big)) || total != last || calls < 2 {
		t.Errorf("progress ended at %d of %d after %d calls", last, total, calls)
	}
}

func TestPullRefusals(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	dir := t.TempDir()
	cases := map[string]struct {
		src, dst, want string
	}{
		"missing file":      {dir + "/gone", dir, "copy " + dir + "/gone on n0"},
		"directory":         {dir, dir, "it is a directory"},
		"missing directory": {dir + "/gone", dir + "/new/", "there is no directory " + dir + "/new/ here"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := h.Pull(t.Context(), []string{c.src}, c.dst, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if list, _ := os.ReadDir(dir); len(list) != 0 {
				t.Errorf("left behind: %v", list)
			}
		})
	}
}

func TestCancelledCopyLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	dir, there := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(dir, "f"), strings.Repeat("x", 4<<20), 0o600)
	writeFile(t, filepath.Join(there, "f"), "old", 0o600)
	ctx, cancel := context.WithCancel(t.Context())
	err := h.Push(ctx, []string{filepath.Join(dir, "f")}, there, func(string, int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want cancelled", err)
	}
	assertFile(t, filepath.Join(there, "f"), "old", 0o600)
	if list, _ := os.ReadDir(there); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}

func TestRunReturnsOutputAndStatus(t *testing.T) {
	t.Parallel()
	h := login(t, remotetest.Start(t))
	var out, errOut bytes.Buffer
	status, err := h.Run("cat; echo oops >&2; exit 3", strings.NewReader("hello"), &out, &errOut)
	if err != nil || status != 3 || out.String() != "hello" || errOut.String() != "oops\n" {
		t.Errorf("status %d, output %q, %q, error %v", status, out.String(), errOut.String(), err)
	}
}

func TestUnknownHostIsRefusedWithFingerprint(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	file := filepath.Join(t.TempDir(), "none", "known_hosts")
	d := dialer(t, remote.Config{Identities: []string{s.Identity}, KnownHosts: file})
	_, err := d.Dial(t.Context(), target(s))
	var key *remote.HostKeyError
	if !errors.As(err, &key) || len(key.Changed) != 0 {
		t.Fatalf("got %v, want an unknown host key", err)
	}
	if !strings.Contains(err.Error(), ssh.FingerprintSHA256(s.HostKey)) || !strings.Contains(err.Error(), "ssh_runner.accept_new") {
		t.Errorf("the message shows neither fingerprint nor way out: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the key was noted")
	}
}

func TestAcceptNewNotesTheKeyOnceAndRefusesAChange(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	file := filepath.Join(t.TempDir(), ".ssh", "known_hosts")
	c := remote.Config{Identities: []string{s.Identity}, KnownHosts: file, AcceptNew: true}
	for range 2 {
		h, err := dialer(t, c).Dial(t.Context(), target(s))
		if err != nil {
			t.Fatal(err)
		}
		_ = h.Close()
	}
	data, err := os.ReadFile(file)
	if err != nil || bytes.Count(data, []byte("\n")) != 1 {
		t.Fatalf("the list of known hosts holds %q (%v), want one line", data, err)
	}

	other := remotetest.WriteKey(t, filepath.Join(t.TempDir(), "other"), "")
	writeFile(t, file, knownhosts.Line([]string{"n0:" + portOf(s)}, other)+"\n", 0o600)
	_, err = dialer(t, c).Dial(t.Context(), target(s))
	var key *remote.HostKeyError
	if !errors.As(err, &key) || len(key.Changed) != 1 || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("got %v, want a changed host key", err)
	}
}

func portOf(s *remotetest.Server) string { return strings.TrimPrefix(s.Addr, "127.0.0.1:") }

func TestHostKnownByAnotherKindOfKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	file := filepath.Join(t.TempDir(), "known_hosts")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, knownhosts.Line([]string{s.Addr}, other)+"\n", 0o600)
	d := dialer(t, remote.Config{Identities: []string{s.Identity}, KnownHosts: file, AcceptNew: true})
	if h, err := d.Dial(t.Context(), target(s)); err == nil {
		_ = h.Close()
		t.Error("a host that is known by another key was believed")
	}
}

func TestLoginFailures(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	dir := t.TempDir()
	stranger, broken := filepath.Join(dir, "stranger"), filepath.Join(dir, "broken")
	remotetest.WriteKey(t, stranger, "")
	writeFile(t, broken, "not a key", 0o600)

	d := dialer(t, remote.Config{Identities: []string{stranger}, KnownHosts: s.KnownHosts})
	if _, err := d.Dial(t.Context(), target(s)); err == nil || !strings.Contains(err.Error(), "none of the keys is accepted (tried "+stranger+")") {
		t.Errorf("a stranger's key: %v", err)
	}
	d = dialer(t, remote.Config{Identities: []string{dir + "/gone"}, KnownHosts: s.KnownHosts, AgentSocket: dir + "/no-agent"})
	if _, err := d.Dial(t.Context(), target(s)); err == nil || !strings.Contains(err.Error(), "there is no SSH key") {
		t.Errorf("no key: %v", err)
	}
	if _, err := remote.New(t.Context(), remote.Config{Identities: []string{broken}}); err == nil || !strings.Contains(err.Error(), "it is not a private key") {
		t.Errorf("a broken key: %v", err)
	}
	d = dialer(t, remote.Config{Identities: []string{s.Identity}, KnownHosts: s.KnownHosts})
	if _, err := d.Dial(t.Context(), remote.Target{Name: "n0", Addr: "127.0.0.1", Port: 1}); err == nil || !strings.Contains(err.Error(), "connect to n0") {
		t.Errorf("a closed port: %v", err)
	}
}

func TestEncryptedKeyAsksOnce(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	dir := t.TempDir()
	locked := filepath.Join(dir, "locked")
	public := remotetest.WriteKey(t, locked, "open sesame")
	authorized := filepath.Join(filepath.Dir(s.Identity), "authorized_keys")
	writeFile(t, authorized, string(ssh.MarshalAuthorizedKey(public)), 0o600)

	asked := 0
	c := remote.Config{Identities: []string{locked}, KnownHosts: s.KnownHosts, Passphrase: func(string) ([]byte, error) {
		asked++
		return []byte("open sesame"), nil
	}}
	d := dialer(t, c)
	for range 2 {
		h, err := d.Dial(t.Context(), target(s))
		if err != nil {
			t.Fatal(err)
		}
		_ = h.Close()
	}
	if asked != 1 {
		t.Errorf("the passphrase was asked for %d times", asked)
	}
	c.Passphrase = func(string) ([]byte, error) { return []byte("wrong"), nil }
	if _, err := dialer(t, c).Dial(t.Context(), target(s)); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("a wrong passphrase: %v", err)
	}
}

func TestAgentKeyIsUsed(t *testing.T) {
	t.Parallel()
	s := remotetest.Start(t)
	pem, err := os.ReadFile(s.Identity)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	keyring := agent.NewKeyring()
	if err := keyring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keyring, conn) }()
		}
	}()

	d := dialer(t, remote.Config{AgentSocket: socket, KnownHosts: s.KnownHosts})
	h, err := d.Dial(t.Context(), target(s))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
