package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeyError means that a host's key is not the one that is known, or that none is known.
type HostKeyError struct {
	Target  Target
	Key     ssh.PublicKey
	File    string   // list of known hosts
	Changed []string // where other keys of this host stand, as file:line; empty when none is known
}

// Error tells what is wrong and what to do.
func (e *HostKeyError) Error() string {
	print, kind := ssh.FingerprintSHA256(e.Key), e.Key.Type()
	if len(e.Changed) > 0 {
		return fmt.Sprintf("the host key of %s (%s) has changed: it shows %s (%s), but another key is known in %v. "+
			"Either the node was installed again or somebody sits in between. If you know why, remove the old line and try again",
			e.Target.Name, e.Target.address(), print, kind, e.Changed)
	}
	return fmt.Sprintf("the host key of %s (%s) is not known: it shows %s (%s). Compare it on the node with "+
		"'ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub' and add it to %s, for example by logging in once with ssh, or set "+
		"ssh_runner.accept_new = true to trust a node the first time it is seen",
		e.Target.Name, e.Target.address(), print, kind, e.File)
}

// hostKeys is the list of known host keys.
type hostKeys struct {
	file      string
	acceptNew bool

	mu    sync.Mutex // guards all below, and the writing of file
	check ssh.HostKeyCallback
}

func openHostKeys(file string, acceptNew bool) (*hostKeys, error) {
	h := &hostKeys{file: file, acceptNew: acceptNew}
	return h, h.reload()
}

// reload reads the list again. It must be called with mu held, or before h is shared.
func (h *hostKeys) reload() error {
	files := []string{h.file}
	if _, err := os.Stat(h.file); errors.Is(err, fs.ErrNotExist) {
		files = nil
	}
	check, err := knownhosts.New(files...)
	if err != nil {
		return fmt.Errorf("read the known host keys: %w", err)
	}
	h.check = check
	return nil
}

// verify decides about the key that a target shows. The list is searched under the node's name first, since addresses
// are handed out again, and then under its address.
func (h *hostKeys) verify(t Target, remote net.Addr, key ssh.PublicKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range t.hostNames() {
		err := h.check(name, remote, key)
		var unknown *knownhosts.KeyError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &unknown):
			return fmt.Errorf("the host key of %s is not accepted: %w", t.Name, err)
		case len(unknown.Want) > 0:
			e := &HostKeyError{Target: t, Key: key, File: h.file}
			for _, k := range unknown.Want {
				e.Changed = append(e.Changed, fmt.Sprintf("%s:%d", k.Filename, k.Line))
			}
			return e
		}
	}
	if !h.acceptNew {
		return &HostKeyError{Target: t, Key: key, File: h.file}
	}
	return h.add(t, key)
}

// add appends a key to the list. It must be called with mu held.
func (h *hostKeys) add(t Target, key ssh.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(h.file), 0o700); err != nil {
		return fmt.Errorf("note the host key of %s: %w", t.Name, err)
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note the host key of %s: %w", t.Name, err)
	}
	_, err = f.WriteString(knownhosts.Line(t.hostNames(), key) + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("note the host key of %s: %w", t.Name, err)
	}
	return h.reload()
}

// algorithms returns the kinds of key to ask a target for: those that are known of it, so that a host with several keys
// does not show one that the list lacks. It returns nil, meaning any, when no key is known.
func (h *hostKeys) algorithms(t Target) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range t.hostNames() {
		var known *knownhosts.KeyError
		if !errors.As(h.check(name, noAddr{}, noKey{}), &known) || len(known.Want) == 0 {
			continue
		}
		var list []string
		for _, k := range known.Want {
			kinds := []string{k.Key.Type()}
			if k.Key.Type() == ssh.KeyAlgoRSA {
				kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
			}
			for _, kind := range kinds {
				if !slices.Contains(list, kind) {
					list = append(list, kind)
				}
			}
		}
		return list
	}
	return nil
}

// hostNames are the names under which a target may stand in the list.
func (t Target) hostNames() []string {
	port := strconv.Itoa(t.Port)
	names := []string{net.JoinHostPort(t.Name, port)}
	if t.Addr != t.Name {
		names = append(names, net.JoinHostPort(t.Addr, port))
	}
	return names
}

// noKey is a key that no list contains: asking for it tells which keys the list does contain.
type noKey struct{}

// Type returns a kind that no key has.
func (noKey) Type() string { return "none" }

// Marshal returns nothing.
func (noKey) Marshal() []byte { return nil }

// Verify accepts nothing.
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("not a key") }

// noAddr is the address that goes with noKey.
type noAddr struct{}

// Network returns a network that exists.
func (noAddr) Network() string { return "tcp" }

// String returns an address that nobody has.
func (noAddr) String() string { return "0.0.0.0:0" }
