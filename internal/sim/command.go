package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"
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
	root.AddCommand(configCommand(&o), runCommand(env, &o), loadCommand(env, &o))
	return root
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
