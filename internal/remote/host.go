package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// Host is a node that we are logged in to.
type Host struct {
	target Target
	ssh    *ssh.Client
	stop   func() bool // ends the watch over the context
}

// Dial logs in to a node. The connection ends with ctx or by Close. A host key that is not accepted gives a
// *HostKeyError.
func (d *Dialer) Dial(ctx context.Context, t Target) (*Host, error) {
	t = t.withDefaults()
	if len(d.auth) == 0 {
		return nil, fmt.Errorf("log in to %s: there is no SSH key: no ssh-agent answers and no key file was found", t.Name)
	}
	conn, err := (&net.Dialer{Timeout: d.timeout}).DialContext(ctx, "tcp", t.address())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // unblocks whoever reads or writes
	client, err := d.handshake(conn, t)
	if err != nil {
		stop()
		_ = conn.Close() // the first error tells more
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, d.explain(t, err)
	}
	return &Host{target: t, ssh: client, stop: stop}, nil
}

// handshake logs in on a fresh connection. ssh.ClientConfig.Timeout would not cover it.
func (d *Dialer) handshake(conn net.Conn, t Target) (*ssh.Client, error) {
	var refused error
	config := &ssh.ClientConfig{
		User:              t.User,
		Auth:              d.auth,
		HostKeyAlgorithms: d.hosts.algorithms(t),
		HostKeyCallback: func(_ string, remote net.Addr, key ssh.PublicKey) error {
			refused = d.hosts.verify(t, remote, key)
			return refused
		},
	}
	c, channels, requests, err := ssh.NewClientConn(conn, t.address(), config)
	if refused != nil {
		return nil, refused // without the wrapping of the handshake
	}
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

// explain turns the terse errors of a login into what a person can act on.
func (d *Dialer) explain(t Target, err error) error {
	var key *HostKeyError
	if errors.As(err, &key) {
		return err
	}
	if strings.Contains(err.Error(), "unable to authenticate") {
		return fmt.Errorf("log in to %s as %s: none of the keys is accepted (tried %s)", t.Name, t.User, strings.Join(d.tried, ", "))
	}
	return fmt.Errorf("log in to %s as %s: %w", t.Name, t.User, err)
}

// Close ends the connection.
func (h *Host) Close() error {
	h.stop()
	if err := h.ssh.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("disconnect from %s: %w", h.target.Name, err)
	}
	return nil
}

// Run runs a command on the node and returns its exit status.
func (h *Host) Run(command string, stdin io.Reader, stdout, stderr io.Writer) (status int, err error) {
	session, err := h.ssh.NewSession()
	if err != nil {
		return 0, fmt.Errorf("open a session on %s: %w", h.target.Name, err)
	}
	defer func() { _ = session.Close() }() // it is closed already when the command has ended
	session.Stdin, session.Stdout, session.Stderr = stdin, stdout, stderr
	err = session.Run(command)
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return exit.ExitStatus(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("run a command on %s: %w", h.target.Name, err)
	}
	return 0, nil
}

// files opens the node's file service.
func (h *Host) files() (*sftp.Client, error) {
	c, err := sftp.NewClient(h.ssh, sftp.UseConcurrentWrites(true))
	if err != nil {
		return nil, fmt.Errorf("open the file service of %s: %w", h.target.Name, err)
	}
	return c, nil
}
