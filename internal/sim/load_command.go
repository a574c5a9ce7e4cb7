package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// loadOptions are the options of clustersim load.
type loadOptions struct {
	*options
	span        time.Duration
	to          int64
	connections int
	nodesEach   int
	pid         int
	hosts       int
	times       int
	speak       string
	asJSON      bool
}

func loadCommand(env Env, o *options) *cobra.Command {
	l := &loadOptions{options: o}
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Measure a metric store: write history as fast as it takes it, and ask it",
		Long: fmt.Sprintf("load writes %d series a node (72 hardware threads, two sockets), with values that walk at random, and asks for them again.\n"+
			"It reads only the figures of the process that --pid names. The load goes to the address that --url names, and nowhere else.", WorkloadSeries),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("say what to do: clustersim load fill, ask or config")}
		},
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.url, "url", "http://localhost:8080", "address of the head node or the metric store")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token (or CLUSTERSIM_TOKEN in the environment)")
	f.DurationVar(&l.span, "span", 24*time.Hour, "how much history")
	f.Int64Var(&l.to, "to", 0, "where it ends, in Unix seconds; 0 is now")
	f.IntVar(&l.pid, "pid", 0, "process of the store, to report what it used")
	f.StringVar(&l.speak, "speak", speakCockpit, "cockpit: ClusterCockpit's interface; influx: that of InfluxDB 2 to write, and PromQL to ask")
	f.BoolVar(&l.asJSON, "json", false, "print JSON")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the values")
	cmd.AddCommand(loadFill(env, l), loadAsk(env, l), loadConfig(l))
	return cmd
}

func (l *loadOptions) workload() Workload {
	return Workload{Cluster: l.cluster, Nodes: l.nodes, Step: l.step, Seed: l.seed}
}

// end returns where the history ends, on a full step.
func (l *loadOptions) end(clk clock.Clock) time.Time {
	at := time.Unix(l.to, 0)
	if l.to == 0 {
		at = clk.Now()
	}
	return at.Truncate(l.step)
}

// What --speak says.
const (
	speakCockpit = "cockpit"
	speakInflux  = "influx"
)

// store is what is measured.
type store interface {
	LineWriter
	Querier
}

// cockpitStore is a store with ClusterCockpit's interface.
type cockpitStore struct {
	*client.Client
	querier
}

// store returns the store that the options name.
func (l *loadOptions) store(env Env) (store, error) {
	if l.speak != speakCockpit && l.speak != speakInflux {
		return nil, usageError{fmt.Errorf("--speak %s: it is %s or %s", l.speak, speakCockpit, speakInflux)}
	}
	if _, _, err := l.machines(); err != nil { // it checks the options that all commands share
		return nil, err
	}
	if l.span < l.step {
		return nil, usageError{fmt.Errorf("--span is %s; it must be at least --step, which is %s", l.span, l.step)}
	}
	token, err := l.token(env.Getenv)
	if err != nil {
		return nil, err
	}
	if l.speak == speakInflux {
		return newForeignStore(l.url, token, l.connections), nil
	}
	c, err := client.New(client.Config{BaseURL: l.url, Credential: client.StaticToken(token), UserAgent: "clustersim", Timeout: 2 * time.Minute})
	if err != nil {
		return nil, usageError{err}
	}
	return cockpitStore{c, querier{c}}, nil
}

func loadFill(env Env, l *loadOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "fill", Args: cobra.NoArgs,
		Short:   "Write history",
		Example: "  clustersim load fill --nodes 64 --step 60s --span 24h --token-file store.token --pid $(pgrep cc-metric-store)",
	}
	f := cmd.Flags()
	f.IntVar(&l.connections, "connections", 4, "requests at the same time")
	f.IntVar(&l.nodesEach, "nodes-each", 1, "how many nodes' lines go into one request")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := l.store(env)
		if err != nil {
			return err
		}
		return l.fill(cmd.Context(), env, c)
	}
	return cmd
}

// filledReport is what fill prints.
type filledReport struct {
	Samples       int64   `json:"samples"`
	Seconds       float64 `json:"seconds"`
	PerSecond     float64 `json:"samples_per_second"`
	RequestP50    float64 `json:"request_p50_ms"`
	RequestP99    float64 `json:"request_p99_ms"`
	CPUPerMillion float64 `json:"server_cpu_seconds_per_million,omitempty"`
	Private       float64 `json:"private_bytes_per_sample,omitempty"`
	Resident      float64 `json:"resident_bytes_per_sample,omitempty"`
	To            int64   `json:"to"`
}

func (l *loadOptions) fill(ctx context.Context, env Env, to LineWriter) error {
	clk := clock.System{}
	end := l.end(clk)
	steps := int(l.span / l.step)
	before, err := l.process()
	if err != nil {
		return err
	}
	fill := Fill{
		Workload: l.workload(), From: end.Add(-time.Duration(steps) * l.step), Steps: steps,
		Connections: max(l.connections, 1), NodesEach: l.nodesEach, Clock: clk,
	}
	show := progress(env.Stderr)
	fill.Progress = func(done, of int) { show(time.Duration(done), time.Duration(of)) }
	filled, err := fill.Run(ctx, to)
	if err != nil {
		return err
	}
	after, err := l.process()
	if err != nil {
		return err
	}
	n := float64(filled.Samples)
	return l.print(env.Stdout, filledReport{
		Samples: filled.Samples, Seconds: filled.Took.Seconds(), PerSecond: n / filled.Took.Seconds(),
		RequestP50: millis(Quantile(filled.Requests, 0.5)), RequestP99: millis(Quantile(filled.Requests, 0.99)),
		CPUPerMillion: (after.CPU - before.CPU).Seconds() / n * 1e6,
		Private:       float64(after.Private) / n, Resident: float64(after.Resident) / n, To: end.Unix(),
	})
}

// process reads the figures of the process that is measured; those of none are zero.
func (l *loadOptions) process() (Process, error) {
	if l.pid == 0 {
		return Process{}, nil
	}
	return ReadProcess(l.pid)
}

func loadAsk(env Env, l *loadOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "ask", Args: cobra.NoArgs,
		Short:   "Ask for what fill has written",
		Example: "  clustersim load ask --nodes 64 --step 60s --hosts 16 --span 24h --to 1795478400 --token-file store.token",
	}
	cmd.Flags().IntVar(&l.hosts, "hosts", 16, "about how many nodes")
	cmd.Flags().IntVar(&l.times, "times", 15, "how often each question is asked")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := l.store(env)
		if err != nil {
			return err
		}
		asks := l.workload().Asks
		if l.speak == speakInflux {
			asks = l.workload().PromAsks
		}
		for _, a := range asks(l.end(clock.System{}), min(l.hosts, l.nodes), l.span, l.times) {
			if err := l.ask(cmd.Context(), env, c, a); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// askedReport is what ask prints, for each question.
type askedReport struct {
	Question string  `json:"question"`
	Bytes    int64   `json:"bytes"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	CPU      float64 `json:"server_cpu_ms,omitempty"`
}

func (l *loadOptions) ask(ctx context.Context, env Env, of Querier, a Ask) error {
	before, err := l.process()
	if err != nil {
		return err
	}
	asked, err := a.Run(ctx, clock.System{}, of)
	if err != nil {
		return err
	}
	after, err := l.process()
	if err != nil {
		return err
	}
	return l.print(env.Stdout, askedReport{
		Question: a.Name, Bytes: asked.Bytes, P50: millis(Quantile(asked.Took, 0.5)), P99: millis(Quantile(asked.Took, 0.99)),
		CPU: millis(after.CPU-before.CPU) / float64(max(a.Times, 1)),
	})
}

// querier makes a Querier of a client.
type querier struct{ c *client.Client }

// Query implements Querier.
func (q querier) Query(ctx context.Context, body []byte) (int64, error) {
	answer, err := q.c.QuerySamples(ctx, body)
	return int64(len(answer)), err
}

func loadConfig(l *loadOptions) *cobra.Command {
	return &cobra.Command{
		Use: "config", Args: cobra.NoArgs,
		Short:   "Print the section metrics of a configuration of cc-metric-store",
		Example: "  clustersim load config --step 60s",
		RunE: func(cmd *cobra.Command, _ []string) error {
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(l.workload().StoreConfig())
		},
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// print writes a report as JSON, or as names and figures for people.
func (l *loadOptions) print(out io.Writer, report any) error {
	data, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if l.asJSON {
		_, err = fmt.Fprintf(out, "%s\n", data)
		return err
	}
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // as they were written: a time is no power of ten
	if err := dec.Decode(&fields); err != nil {
		return fmt.Errorf("decode report: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, err := fmt.Fprintf(out, "%-32s %v\n", name, fields[name]); err != nil {
			return err
		}
	}
	return nil
}
