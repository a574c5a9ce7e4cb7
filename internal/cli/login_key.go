package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// maxAgentKeys is how many of an agent's keys are tried. The head takes every one that does not fit for a failed login.
const maxAgentKeys = 4

// sshKeys returns what gives the keys to log in with: those of the agent, or the one in a file.
func (t *tool) sshKeys(where string) func(context.Context) ([]ssh.Signer, error) {
	return func(ctx context.Context) ([]ssh.Signer, error) {
		if where == "agent" {
			return t.agentKeys(ctx)
		}
		key, err := t.keyFile(ctx, expandHome(t.env, where))
		if err != nil {
			return nil, err
		}
		return []ssh.Signer{key}, nil
	}
}

func (t *tool) agentKeys(ctx context.Context) ([]ssh.Signer, error) {
	socket := t.env.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, &loginError{reason: "no ssh-agent is running (SSH_AUTH_SOCK is not set)"}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, &loginError{reason: fmt.Sprintf("the ssh-agent at %s does not answer: %v", socket, err)}
	}
	keys, err := agent.NewClient(conn).Signers() // they sign through the connection, which lasts as long as this program
	if err != nil {
		return nil, fmt.Errorf("ask the ssh-agent for its keys: %w", err)
	}
	if len(keys) == 0 {
		return nil, &loginError{reason: "the ssh-agent has no keys; ssh-add gives it one"}
	}
	return keys[:min(len(keys), maxAgentKeys)], nil
}

// keyFile reads a private key, and asks for its passphrase if it has one.
func (t *tool) keyFile(ctx context.Context, path string) (ssh.Signer, error) {
	pem, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("read SSH key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(pem)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, fmt.Errorf("read SSH key %s: it is not a private key: %w", path, err)
		}
		return key, nil
	}
	passphrase, err := t.env.Ask(ctx, "Passphrase for "+path+": ")
	if err != nil {
		return nil, &loginError{reason: fmt.Sprintf("the passphrase of %s is needed: %v", path, err)}
	}
	if key, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(passphrase)); err != nil {
		return nil, fmt.Errorf("read SSH key %s: the passphrase does not fit", path)
	}
	return key, nil
}
