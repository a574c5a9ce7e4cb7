package cli

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/remote"
)

// onHosts logs in to each selected node and acts there.
func (t *tool) onHosts(ctx context.Context, act func(ctx context.Context, h *remote.Host, n target, many bool) error) error {
	c, targets, err := t.nodes(ctx)
	if err != nil {
		return err
	}
	dialer, err := t.dialer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dialer.Close() }() // only the agent's connection
	fanout, err := t.settings.integer(keyFanout, 64)
	if err != nil {
		return err
	}
	return each(ctx, targets, fanout, func(ctx context.Context, _ int, n target) error {
		to, err := t.sshTarget(ctx, c, n)
		if err != nil {
			return err
		}
		h, err := dialer.Dial(ctx, to)
		if err != nil {
			return err
		}
		n.label = to.Name
		err = act(ctx, h, n, len(targets) > 1)
		return errors.Join(err, h.Close())
	})
}

func (t *tool) dialer(ctx context.Context) (*remote.Dialer, error) {
	accept, err := t.settings.boolean(keyAcceptNew, false)
	if err != nil {
		return nil, err
	}
	c := remote.Config{AgentSocket: t.env.Getenv("SSH_AUTH_SOCK"), AcceptNew: accept, KnownHosts: expandHome(t.env, t.settings.get(keyHosts))}
	if c.KnownHosts == "" {
		c.KnownHosts = filepath.Join(t.env.Home, ".ssh", "known_hosts")
	}
	for _, file := range words(t.settings.get(keyIdentity)) {
		c.Identities = append(c.Identities, expandHome(t.env, file))
	}
	if len(c.Identities) == 0 {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			c.Identities = append(c.Identities, filepath.Join(t.env.Home, ".ssh", name))
		}
	}
	c.Passphrase = func(file string) ([]byte, error) {
		p, err := t.env.Ask(ctx, "Passphrase for "+file+": ")
		return []byte(p), err
	}
	return remote.New(ctx, c)
}

// sshTarget finds out how to reach a node. Somebody who may not read reserved attributes gets the usual user and port.
func (t *tool) sshTarget(ctx context.Context, c *client.Client, n target) (remote.Target, error) {
	node, err := c.GetNode(ctx, n.id)
	if err != nil {
		return remote.Target{}, err
	}
	attributes, err := c.Attributes(ctx, n.id)
	if err != nil && !errors.Is(err, client.ErrDenied) {
		return remote.Target{}, err
	}
	port := attributes["_ssh_port"]
	if port == "" {
		port = t.settings.get(keySSHPort)
	}
	to := remote.Target{Name: node.Name, Addr: node.IP, User: attributes["_remote_user"]}
	if to.Name == "" {
		to.Name = node.UID
	}
	if port != "" {
		if to.Port, err = strconv.Atoi(port); err != nil || to.Port < 1 || to.Port > 65535 {
			return remote.Target{}, usagef("the SSH port of %s is a number up to 65535, not %q", to.Name, port)
		}
	}
	return to, nil
}
