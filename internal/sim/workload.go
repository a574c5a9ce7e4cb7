package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Workload is what with which metric stores are measured: every node has 456 series, as a machine with two sockets and
// 72 hardware threads has them, and values walk at random with none to four decimals.
type Workload struct {
	Cluster string
	Nodes   int
	Step    time.Duration
	Seed    uint64
}

// What a node of the workload has.
const (
	loadThreads       = 72
	loadSockets       = 2
	loadThreadMetrics = 6
	loadSocketMetrics = 8
	loadNodeMetrics   = 8
	// WorkloadSeries is how many series a node has.
	WorkloadSeries = loadThreads*loadThreadMetrics + loadSockets*loadSocketMetrics + loadNodeMetrics
)

// Metrics returns the names of the metrics of one scope: "hwthread", "socket" or "node".
func (l Workload) Metrics(scope string) []string {
	n := map[string]int{"hwthread": loadThreadMetrics, "socket": loadSocketMetrics, "node": loadNodeMetrics}[scope]
	names := make([]string, n)
	for i := range names {
		names[i] = scope + "_metric" + strconv.Itoa(i)
	}
	return names
}

// Host returns the name of a node.
func (l Workload) Host(node int) string { return fmt.Sprintf("load%04d", node) }

// loadSeries is one series: how its lines begin, and where its value stands.
type loadSeries struct {
	head     string
	value    float64
	decimals int
}

// loadNode makes the lines of one node.
type loadNode struct {
	series []loadSeries
	random *rand.Rand
}

func (l Workload) node(n int) *loadNode {
	node := &loadNode{random: rand.New(rand.NewPCG(l.Seed, uint64(n)))} //nolint:gosec // numbers of nodes, and no secrets
	add := func(metric, scope string, ids int) {
		for id := range ids {
			head := metric + ",cluster=" + l.Cluster + ",hostname=" + l.Host(n) + ",type=" + scope
			if scope != "node" {
				head += ",type-id=" + strconv.Itoa(id)
			}
			node.series = append(node.series, loadSeries{head + " value=", 50 + 50*node.random.Float64(), len(node.series) % 5})
		}
	}
	for _, scope := range []string{"hwthread", "socket", "node"} {
		for _, m := range l.Metrics(scope) {
			add(m, scope, map[string]int{"hwthread": loadThreads, "socket": loadSockets, "node": 1}[scope])
		}
	}
	return node
}

// appendLines appends the next sample of every series, of time t.
func (n *loadNode) appendLines(dst []byte, t time.Time) []byte {
	at := strconv.AppendInt(append(make([]byte, 0, 24), ' '), t.Unix(), 10)
	at = append(at, '\n')
	for i := range n.series {
		s := &n.series[i]
		s.value = math.Abs(s.value + 2*n.random.Float64() - 1)
		dst = append(dst, s.head...)
		dst = strconv.AppendFloat(dst, s.value, 'f', s.decimals, 64)
		dst = append(dst, at...)
	}
	return dst
}

// StoreConfig returns the section metrics of a configuration of cc-metric-store for the workload.
func (l Workload) StoreConfig() map[string]any {
	metrics := map[string]any{}
	for scope, how := range map[string]any{"hwthread": "sum", "socket": "avg", "node": nil} {
		for _, m := range l.Metrics(scope) {
			metrics[m] = map[string]any{"frequency": int(l.Step.Seconds()), "aggregation": how}
		}
	}
	return metrics
}
