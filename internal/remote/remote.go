// Package remote reaches nodes over SSH: it copies files to and from them and runs commands there.
//
// A Dialer holds what is the same for every node: the keys of the person at the keyboard and the list of known host
// keys. A host whose key is not known, or not the known one, is never talked to. Nothing here asks the head for
// anything, so that no permission on the head is involved: whoever may log in to a node by SSH may copy.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Target is a node and how to reach it.
type Target struct {
	Name string // as people call it, for messages and the list of known hosts
	Addr string // address or name to connect to; "" means Name
	User string // "" means root
	Port int    // 0 means 22
}

func (t Target) withDefaults() Target {
	if t.Addr == "" {
		t.Addr = t.Name
	}
	if t.User == "" {
		t.User = "root"
	}
	if t.Port == 0 {
		t.Port = 22
	}
	return t
}

func (t Target) address() string { return net.JoinHostPort(t.Addr, strconv.Itoa(t.Port)) }

// Config says with which keys to log in and which hosts to believe.
type Config struct {
	// AgentSocket is the path of an ssh-agent's socket, "" for none.
	AgentSocket string
	// Identities are files of private keys. Files that do not exist are skipped.
	Identities []string
	// Passphrase is asked for the passphrase of an encrypted key; nil skips such keys.
	Passphrase func(file string) ([]byte, error)
	// KnownHosts is the file of known host keys. A file that does not exist knows none.
	KnownHosts string
	// AcceptNew adds the key of a host that is not known yet to KnownHosts. A changed key is refused all the same.
	AcceptNew bool
	// Timeout limits the connection and login; 0 means 15 seconds.
	Timeout time.Duration
}

// Dialer logs in to nodes. It is safe for concurrent use. Close it after use.
type Dialer struct {
	auth    []ssh.AuthMethod
	hosts   *hostKeys
	timeout time.Duration
	agent   net.Conn // nil without an agent
	tried   []string // what was found to log in with, for messages

	mu         sync.Mutex // guards passphrase prompts: one question at a time
	passphrase func(string) ([]byte, error)
}

// New loads the keys. It is no error when there are none: the first login says so.
func New(ctx context.Context, c Config) (*Dialer, error) {
	hosts, err := openHostKeys(c.KnownHosts, c.AcceptNew)
	if err != nil {
		return nil, err
	}
	d := &Dialer{hosts: hosts, timeout: c.Timeout, passphrase: c.Passphrase}
	if d.timeout == 0 {
		d.timeout = 15 * time.Second
	}
	d.useAgent(ctx, c.AgentSocket)
	signers, err := d.loadIdentities(c.Identities)
	if err != nil {
		_ = d.Close() // the first error tells more
		return nil, err
	}
	if len(signers) > 0 {
		d.auth = append(d.auth, ssh.PublicKeys(signers...))
	}
	return d, nil
}

// Close gives the agent's connection back.
func (d *Dialer) Close() error {
	if d.agent == nil {
		return nil
	}
	return d.agent.Close()
}

// useAgent offers the agent's keys before those in files. An agent that does not answer is as good as none.
func (d *Dialer) useAgent(ctx context.Context, socket string) {
	if socket == "" {
		return
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socket)
	if err != nil {
		return
	}
	d.agent = conn
	d.auth = append(d.auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	d.tried = append(d.tried, "ssh-agent")
}

// loadIdentities reads private keys.
func (d *Dialer) loadIdentities(files []string) ([]ssh.Signer, error) {
	var signers []ssh.Signer
	for _, file := range files {
		pem, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read SSH key: %w", err)
		}
		signer, err := d.parseKey(file, pem)
		if err != nil {
			return nil, err
		}
		if signer != nil {
			signers = append(signers, signer)
			d.tried = append(d.tried, file)
		}
	}
	return signers, nil
}

// parseKey returns the key in pem, or nil for an encrypted one whose passphrase nobody can be asked for. The passphrase
// is not asked for before the node wants a signature.
func (d *Dialer) parseKey(file string, pem []byte) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &locked):
		return nil, fmt.Errorf("read SSH key %s: it is not a private key: %w", file, err)
	case d.passphrase == nil || locked.PublicKey == nil:
		return nil, nil //nolint:nilnil // no key and no error: it is skipped
	default:
		return &lockedKey{dialer: d, file: file, pem: pem, public: locked.PublicKey}, nil
	}
}
