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
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/run"
)

// Env is the program's surroundings.
type Env struct {
	Args           []string
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// options are shared by the commands.
type options struct {
	cluster   string
	nodes     int
	step      time.Duration
	seed      uint64
	host      bool
	url       string
	tokenFile string
	backfill  time.Duration
	once      bool
}

// Main is the program clustersim. It returns the exit code: 0 ok, 1 failed, 2 usage.
func Main(ctx context.Context, env Env) int {
	root := command(env)
	root.SetArgs(env.Args)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(env.Stderr, "ERROR: %s\nclustersim --help shows the options\n", err)
		return 2
	default:
		_, _ = fmt.Fprintf(env.Stderr, "ERROR: %s\n", err)
		return 1
	}
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func command(env Env) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:           "clustersim",
		Short:         "A simulated cluster that sends samples and jobs to a head node",
		Long:          "clustersim plays a cluster of any size against a head node, through the public interfaces and with a token,\nas real collectors and schedulers do. Exit codes: 0 ok, 1 failed, 2 usage.",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := root.PersistentFlags()
	f.StringVar(&o.cluster, "cluster", "sim", "name of the simulated cluster")
	f.IntVar(&o.nodes, "nodes", 16, "how many nodes it has")
	f.DurationVar(&o.step, "step", 30*time.Second, "time between two samples")
	f.BoolVar(&o.host, "host", false, "this machine too, as the only node of the cluster \""+HostCluster+"\"")
	root.AddCommand(configCommand(&o), runCommand(env, &o))
	return root
}

func configCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "config ARCHIVE",
		Short:   "Write the cluster.json of the simulated clusters into a job archive",
		Example: "  clustersim config ./var/job-archive --nodes 16 --host",
		Args:    exactly("ARCHIVE, the root of the job archive"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, h, err := o.machines()
			if err != nil {
				return err
			}
			clusters := []cluster.Cluster{m.Cluster()}
			if o.host {
				c, err := h.Cluster()
				if err != nil {
					return err
				}
				clusters = append(clusters, c)
			}
			for _, c := range clusters {
				if err := cluster.WriteDir(args[0], &c); err != nil {
					return err
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s/%s/cluster.json\n", args[0], c.Name)
			}
			return nil
		},
	}
}

func exactly(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("one argument is needed: %s", what)}
		}
		return nil
	}
}

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

// hostStep is the time between two samples of this machine: short, so that its plots move while somebody looks.
const hostStep = 10 * time.Second

func (o *options) machines() (Machine, Host, error) {
	if o.nodes < 2 || o.nodes > 20000 {
		return Machine{}, Host{}, usageError{fmt.Errorf("--nodes is %d; it must be from 2 to 20000", o.nodes)}
	}
	if o.step < time.Second || o.step%time.Second != 0 {
		return Machine{}, Host{}, usageError{fmt.Errorf("--step is %s; it must be whole seconds", o.step)}
	}
	name, err := os.Hostname()
	if err != nil {
		return Machine{}, Host{}, fmt.Errorf("find out this machine's name: %w", err)
	}
	who := "root"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	return NewMachine(o.cluster, o.nodes, o.step), Host{Name: name, User: who, Proc: os.DirFS("/proc"), Step: min(o.step, hostStep)}, nil
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
