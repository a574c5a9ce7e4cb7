package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

func runCommand(env Env, o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Play the cluster until interrupted",
		Example: "  clustersim run --url http://localhost:8080 --token-file sim.token --backfill 6h --host\n" +
			"  clustersim run --token-file sim.token --backfill 24h --once",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", "http://localhost:8080", "address of the head node")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token: its text, or the JSON that cw-adminctl token writes (or CLUSTERSIM_TOKEN in the environment)")
	f.DurationVar(&o.backfill, "backfill", 0, "history to make first, as fast as the head takes it")
	f.BoolVar(&o.once, "once", false, "end after the history")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the simulation: the same seed plays the same jobs")
	return cmd
}

func (o *options) run(ctx context.Context, env Env) error {
	m, h, err := o.machines()
	if err != nil {
		return err
	}
	token, err := o.token(env.Getenv)
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{BaseURL: o.url, Credential: client.StaticToken(token), UserAgent: "clustersim", Timeout: 2 * time.Minute})
	if err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	d := Driver{Machine: m, Head: NewHead(c), Clock: clock.System{}, Log: log, Seed: o.seed, Backfill: o.backfill, Once: o.once, Progress: progress(env.Stderr)}
	tasks := []run.Task{d.Run}
	if o.host && !o.once {
		tasks = append(tasks, func(ctx context.Context) error { return h.Run(ctx, c, clock.System{}, log) })
	}
	return run.Tasks(ctx, tasks...)
}

// token comes from a file or from the environment, never from the command line, which everybody can read.
func (o *options) token(getenv func(string) string) (string, error) {
	if o.tokenFile == "" {
		if t := getenv("CLUSTERSIM_TOKEN"); t != "" {
			return t, nil
		}
		return "", usageError{errors.New("no token: name a file with --token-file; cc-backend -jwt NAME makes one")}
	}
	data, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	var file struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal(data, &file) == nil && file.Token != "" {
		return file.Token, nil
	}
	// cc-backend -jwt prints a sentence around the token, which is the word with two dots.
	for _, word := range bytes.Fields(data) {
		if bytes.Count(word, []byte(".")) == 2 {
			return string(word), nil
		}
	}
	return "", fmt.Errorf("%s holds no token", o.tokenFile)
}

// progress shows how far the history is: a moving line on a terminal, ten lines elsewhere.
func progress(w io.Writer) func(done, total time.Duration) {
	f, ok := w.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd()))
	shown := -1
	return func(done, total time.Duration) {
		percent := int(100 * done / max(total, 1))
		switch {
		case percent <= shown:
		case live:
			_, _ = fmt.Fprintf(w, "\rhistory: %d %%", percent)
			if percent >= 100 {
				_, _ = fmt.Fprintln(w)
			}
			shown = percent
		case percent >= shown+10 || shown < 0:
			_, _ = fmt.Fprintf(w, "history: %d %%\n", percent)
			shown = percent
		}
	}
}
