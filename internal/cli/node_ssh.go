package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/internal/remote"
)

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
