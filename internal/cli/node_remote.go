package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/remote"
)

// copyJob is one scp: where from, where to, and in which direction.
type copyJob struct {
	sources []string
	dst     string
	push    bool
}

// parseCopy reads SRC... DST. r: marks what is on the node: either the destination or all sources.
func parseCopy(args []string) (copyJob, error) {
	if len(args) < 2 {
		return copyJob{}, usagef("scp needs at least one source and a destination")
	}
	var j copyJob
	last := len(args) - 1
	j.dst, j.push = strings.CutPrefix(args[last], "r:")
	for _, a := range args[:last] {
		src, isRemote := strings.CutPrefix(a, "r:")
		switch {
		case isRemote && j.push:
			return copyJob{}, usagef("both %s and %s are on the node; one side is here", a, args[last])
		case !isRemote && !j.push:
			return copyJob{}, usagef("neither %s nor %s is on the node; r: marks the side that is", a, args[last])
		case src == "":
			return copyJob{}, usagef("%q names no file", a)
		}
		j.sources = append(j.sources, src)
	}
	return j, nil
}

func nodeScp(t *tool) *cobra.Command {
	return &cobra.Command{
		Use:   "scp SRC ... DST",
		Short: "Copy files to nodes or from them; r: marks the node's side",
		Long: `Copy files to nodes or from them, over SSH from this machine, with your own SSH keys.

r: marks the node's side. Several sources go into one directory, which must exist. Files keep their permission bits
and appear complete or not at all. With several nodes, files that come from them go into one folder for each node.

A node's address is its field ip, else its name; the user is its attribute _remote_user, else root; the port is its
attribute _ssh_port, else the setting ssh_runner.port, else 22. Keys come from the ssh-agent and from ~/.ssh
(ssh_runner.identity names others). Host keys are checked against ~/.ssh/known_hosts (ssh_runner.known_hosts);
ssh_runner.accept_new = true adds those of nodes that are not in it yet.`,
		Example: `  cw-nodectl -i n0 scp prodeng.token manager.token r:/root/mytokens/
  cw-nodectl -i n[0-3] scp r:/etc/os-release ./collected/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			job, err := parseCopy(args)
			if err != nil {
				return err
			}
			for i, src := range job.sources {
				if job.push {
					job.sources[i] = expandHome(t.env, src)
				}
			}
			return t.onHosts(cmd.Context(), func(ctx context.Context, h *remote.Host, n target, many bool) error {
				return t.copy(ctx, h, job, n, many)
			})
		},
	}
}

func (t *tool) copy(ctx context.Context, h *remote.Host, j copyJob, n target, many bool) error {
	p := t.progress(n.label, many)
	files := "1 file"
	if len(j.sources) != 1 {
		files = strconv.Itoa(len(j.sources)) + " files"
	}
	if j.push {
		if err := h.Push(ctx, j.sources, j.dst, p); err != nil {
			return err
		}
		t.say("%s copied to %s", files, n.label)
		return nil
	}
	dst := expandHome(t.env, j.dst)
	if many { // the files have the same names on every node
		dst = filepath.Join(dst, n.label)
		if err := os.MkdirAll(dst, 0o750); err != nil {
			return fmt.Errorf("make a folder for %s: %w", n.label, err)
		}
	}
	if err := h.Pull(ctx, j.sources, dst, p); err != nil {
		return err
	}
	t.say("%s copied from %s", files, n.label)
	return nil
}

// progress shows how far a large file is, when a person watches one node.
func (t *tool) progress(node string, many bool) remote.Progress {
	const large = 4 << 20
	if !t.env.Terminal || many || t.opts.quiet {
		return nil
	}
	shown := int64(-1)
	return func(name string, done, total int64) {
		if total < large {
			return
		}
		percent := done * 100 / total
		if percent == shown {
			return
		}
		shown = percent
		t.tell("\r%s: %s %3d%% of %s", node, printable(name), percent, size(float64(total)))
		if done >= total {
			t.tell("\n")
		}
	}
}

func nodeSSH(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "ssh COMMAND ...", Args: cobra.MinimumNArgs(1),
		Short: "Run a command on nodes over SSH from this machine",
		Long: `Run a command on nodes over SSH from this machine, with your own SSH keys (see scp). With several nodes each line
of output begins with the node's name. The exit code is 0 when the command succeeded on all nodes.`,
		Example: "  cw-nodectl -i n0 ssh uptime\n  cw-nodectl -i n[0-3] ssh 'rpm -q slurm'",
		RunE: func(cmd *cobra.Command, args []string) error {
			command := strings.Join(args, " ")
			var out sync.Mutex // guards Stdout and Stderr
			return t.onHosts(cmd.Context(), func(_ context.Context, h *remote.Host, n target, many bool) error {
				prefix := ""
				if many {
					prefix = n.label + ": "
				}
				stdout, stderr := &prefixer{w: t.env.Stdout, mu: &out, prefix: prefix}, &prefixer{w: t.env.Stderr, mu: &out, prefix: prefix}
				status, err := h.Run(command, nil, stdout, stderr)
				if err := errors.Join(err, stdout.flush(), stderr.flush()); err != nil {
					return err
				}
				if status != 0 {
					return fmt.Errorf("the command ended with status %d", status)
				}
				return nil
			})
		},
	}
	cmd.Flags().SetInterspersed(false) // options behind COMMAND are the command's
	return cmd
}

// onHosts logs in to each selected node and acts there.
func (t *tool) onHosts(ctx context.Context, act func(ctx context.Context, h *remote.Host, n target, many bool) error) error {
	c, err := t.connect()
	if err != nil {
		return err
	}
	targets, err := t.nodes(ctx, c, "")
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

// prefixer puts a prefix before each line, and keeps lines of different writers apart. Without a prefix it passes on.
type prefixer struct {
	w      io.Writer
	mu     *sync.Mutex // shared by all writers
	prefix string
	rest   []byte // a line that is not complete yet
}

// Write passes complete lines on.
func (p *prefixer) Write(b []byte) (int, error) {
	if p.prefix == "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.w.Write(b)
	}
	p.rest = append(p.rest, b...)
	for {
		line, rest, ok := bytes.Cut(p.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		if err := p.line(line); err != nil {
			return 0, err
		}
		p.rest = rest
	}
}

func (p *prefixer) line(line []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := fmt.Fprintf(p.w, "%s%s\n", p.prefix, line)
	return err
}

// flush passes on what is left of a last line without an end.
func (p *prefixer) flush() error {
	if len(p.rest) == 0 {
		return nil
	}
	return p.line(p.rest)
}
