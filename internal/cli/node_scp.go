package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

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
