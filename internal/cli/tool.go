package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// tool is one run of one program.
type tool struct {
	name     string
	env      Env
	opts     options
	settings settings
	log      *runLog
	conn     *client.Client // nil until connected
	login    login          // how conn was made, for hints
	out      *errWriter
	started  bool // the command line was understood and its action began
}

// run parses the command line, acts, reports and returns the exit code.
func (t *tool) run(ctx context.Context, root *cobra.Command) int {
	t.out = &errWriter{w: t.env.Stdout}
	t.env.Stdout, t.env.Stderr = t.out, &errWriter{w: t.env.Stderr}
	prepare(t, root)
	err := root.ExecuteContext(ctx)
	if err != nil && !t.started {
		err = &usageError{cause: err}
	}
	if err == nil && t.out.err != nil {
		err = fmt.Errorf("write the output: %w", t.out.err)
	}
	if ctx.Err() != nil && err != nil {
		err = errInterrupted
	}
	code := exitCode(err)
	t.report(err)
	t.log.end(code, err)
	return code
}

// prepare gives a root command what all tools have in common.
func prepare(t *tool, root *cobra.Command) {
	root.SetArgs(t.env.Args)
	root.SetIn(t.env.Stdin)
	root.SetOut(t.env.Stdout)
	root.SetErr(t.env.Stderr)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpTemplate(root.HelpTemplate() + exitCodeHelp)
	t.opts.register(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) || cmd.Name() == "help" || underCompletion(cmd) {
			t.started = true
			return nil
		}
		return t.begin()
	}
	// A tool without an action, or with one that does not exist, is used wrongly.
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown action %q", args[0])
		}
		return nil
	}
	root.RunE = func(*cobra.Command, []string) error { return usagef("an action is missing") }
	_ = root.RegisterFlagCompletionFunc("ids", t.completeIDs) // it fails for unknown flags only
}

func underCompletion(cmd *cobra.Command) bool {
	return cmd.Name() == "completion" || cmd.HasParent() && cmd.Parent().Name() == "completion"
}

// begin reads the settings and starts the run's log.
func (t *tool) begin() error {
	if err := t.opts.check(); err != nil {
		return err
	}
	s, err := loadSettings(t.env, t.opts)
	if err != nil {
		return err
	}
	t.settings = s
	t.log, err = startLog(t.env, t.name, s)
	if err != nil && t.opts.verbose > 0 {
		t.tell("this run is not logged: %v\n", err)
	}
	t.started = true
	return nil
}

// say prints a message that -q silences.
func (t *tool) say(format string, args ...any) {
	if !t.opts.quiet {
		t.print(format, args...)
	}
}

// print writes a line of output. Its writer remembers failures.
func (t *tool) print(format string, args ...any) {
	_, _ = fmt.Fprintf(t.env.Stdout, format+"\n", args...)
}

// tell writes to the person at the terminal. When that fails nobody is left to tell.
func (t *tool) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(t.env.Stderr, format, args...)
}

// errWriter remembers the first failure of a writer, so that output lost to a full disk is not taken for success. It
// is safe for concurrent use: what acts on several nodes writes as it goes.
type errWriter struct {
	mu  sync.Mutex // guards all below
	w   io.Writer
	err error
}

// Write passes on to the writer.
func (e *errWriter) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := e.w.Write(p)
	if err != nil && e.err == nil {
		e.err = err
	}
	return n, err
}
