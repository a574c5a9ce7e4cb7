package metricstore_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// The variables with which scripts/bench-metricstore.sh --large measures large stores.
const (
	largePart   = "METRICSTORE_LARGE"        // which part
	largeDir    = "METRICSTORE_LARGE_DIR"    // folder of the large store, which parts hand on to each other
	largeSeries = "METRICSTORE_LARGE_SERIES" // of the large store; a million
	largeHours  = "METRICSTORE_LARGE_HOURS"  // of its history; 24
)

// The parts are one program each, so that one's memory is not counted with another's.
func TestLargeStores(t *testing.T) {
	part := os.Getenv(largePart)
	if part == "" {
		t.Skip("it takes an hour and some GB of disk; scripts/bench-metricstore.sh --large runs it")
	}
	l := large{t: t, dir: os.Getenv(largeDir), series: number(largeSeries, 1_000_000), hours: number(largeHours, 24)}
	run, known := map[string]func(){
		"cost": l.cost, "fill": l.fill, "open": l.open, "live": l.live, "small": l.small, "days": l.days,
	}[part]
	if !known {
		t.Fatalf("there is no part %q", part)
	}
	run()
}

func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

type large struct {
	t             *testing.T
	dir           string
	series, hours int
}

func (l large) row(what, format string, values ...any) {
	fmt.Printf("%-64s %s\n", what, fmt.Sprintf(format, values...))
}

// running opens a store and lets it run until stop is called.
func (l large) running(dir string) (db *metricstore.DB, stop func()) {
	l.t.Helper()
	db, err := metricstore.Open(dir, metricstore.Options{MaxFuture: 1 << 62})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.Run(ctx)
	}()
	return db, func() { cancel(); <-done }
}

// write writes so many minutes up to now and returns the CPU nanoseconds of a sample.
func (l large) write(db *metricstore.DB, g *herd, minutes int) float64 {
	l.t.Helper()
	at := time.Now().Unix()/60*60 - 60*int64(minutes)
	own := g.makingCosts()
	began := cpuTime()
	for m := range minutes {
		if err := g.write(db, at+60*int64(m+1)); err != nil {
			l.t.Fatal(err)
		}
	}
	return float64(cpuTime()-began)/float64(minutes*g.series()) - own
}

// cost measures what a sample costs with more and more series, and what a series takes up.
func (l large) cost() {
	for series, rounds := 10_000, 4; series <= l.series; series, rounds = series*10, rounds/2 {
		g := newHerd(series)
		before, least := liveHeap(), math.Inf(1)
		var idle, grown float64
		for range max(rounds, 1) {
			dir := l.t.TempDir()
			db, stop := l.running(dir)
			if err := g.write(db, time.Now().Unix()-86400*7); err != nil { // the series are known from here on
				l.t.Fatal(err)
			}
			least = min(least, l.write(db, g, 256))
			stop()
			grown = float64(liveHeap()-before) / float64(g.series())
			if err := db.Seal(); err != nil {
				l.t.Fatal(err)
			}
			idle = float64(liveHeap()-before) / float64(g.series())
			if err := db.Abandon(); err != nil {
				l.t.Fatal(err)
			}
			_ = os.RemoveAll(dir)
		}
		l.row(fmt.Sprintf("%d series: CPU ns a sample, written 256 minutes", g.series()), "%.0f", least)
		l.row("  live heap, bytes a series: 256 minutes written, all sealed", "%.0f, %.0f", grown, idle)
		debug.FreeOSMemory()
	}
}

// fill makes the large store.
func (l large) fill() {
	g := newHerd(l.series)
	db, stop := l.running(l.dir)
	began := time.Now()
	cost := l.write(db, g, 60*l.hours)
	took := time.Since(began)
	resident, private := memory()
	samples := float64(60 * l.hours * g.series())
	l.row(fmt.Sprintf("%d series, %d h written, million samples", g.series(), l.hours), "%.0f", samples/1e6)
	l.row("  seconds, CPU ns a sample", "%.0f, %.0f", took.Seconds(), cost)
	l.row("  resident MB, of these private", "%.0f, %.0f", float64(resident)/1e6, float64(private)/1e6)
	stop()
	began = time.Now()
	if err := db.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.row("  clean stop, seconds", "%.1f", time.Since(began).Seconds())
	l.row("  disk, bytes a sample", "%.2f", float64(diskUse(l.dir))/samples)
}

// open opens the large store and asks it.
func (l large) open() {
	began, cpu := time.Now(), cpuTime()
	db, err := metricstore.Open(l.dir, metricstore.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	took, used := time.Since(began), cpuTime()-cpu
	resident, private := memory()
	found, st := db.Recovered(), db.Stats()
	l.row(fmt.Sprintf("%d series opened, %.0f million samples from the log", st.Series, float64(found.Log)/1e6), "")
	l.row("  seconds, CPU seconds", "%.2f, %.2f", took.Seconds(), used.Seconds())
	l.row("  resident MB, of these private", "%.0f, %.0f", float64(resident)/1e6, float64(private)/1e6)
	l.jobs(db, int(st.Hosts), l.hours)
	resident, private = memory()
	l.row("  resident MB after these, of these private", "%.0f, %.0f", float64(resident)/1e6, float64(private)/1e6)
	if err := db.Abandon(); err != nil {
		l.t.Fatal(err)
	}
}

// live writes 100,000 samples a second to the large store for a minute and dies.
func (l large) live() {
	const perSecond = 100_000
	db, _ := l.running(l.dir)
	g := newHerd(l.series)
	own := g.makingCosts()
	at := time.Now().Unix() / 60 * 60
	began, cpu, written := time.Now(), cpuTime(), 0
	for minute := int64(1); time.Since(began) < time.Minute; minute++ {
		for n := range g.hosts {
			if err := g.node(db, n, at+60*minute); err != nil {
				l.t.Fatal(err)
			}
			written += len(g.kinds)
			time.Sleep(time.Until(began.Add(time.Duration(written) * time.Second / perSecond)))
		}
	}
	used := cpuTime() - cpu - time.Duration(own*float64(written))
	took := time.Since(began)
	l.row(fmt.Sprintf("%.0f samples a second to %d series: cores", float64(written)/took.Seconds(), g.series()), "%.3f", used.Seconds()/took.Seconds())
	resident, private := memory()
	l.row("  resident MB, of these private", "%.0f, %.0f", float64(resident)/1e6, float64(private)/1e6)
	os.Exit(0) // nothing is closed, as when it is killed
}

// small asks a small store what open asks a large one.
func (l large) small() { l.history(22, l.hours) }

// days asks stores with one day and with fourteen.
func (l large) days() {
	l.history(16, 24)
	l.history(16, 14*24)
}

// history makes a store of some nodes and asks it.
func (l large) history(nodes, hours int) {
	db, stop := l.running(l.t.TempDir())
	defer func() { _ = db.Abandon() }()
	defer stop()
	g := newHerd(456 * nodes)
	l.write(db, g, 60*hours)
	if err := db.Checkpoint(); err != nil {
		l.t.Fatal(err)
	}
	l.row(fmt.Sprintf("%d series, %d h, %d segments", g.series(), hours, db.Stats().Segments), "")
	l.jobs(db, g.hosts, hours)
}

// jobs asks for what jobs on eight nodes used in two hours: eight metrics of the nodes, or of all their threads one. Of the
// same nodes every time, as a page does that is looked at; and of others every time, which nobody has asked for before.
func (l large) jobs(db *metricstore.DB, hosts, hours int) {
	const rounds = 200
	for _, ago := range []int{0, min(hours, 24) / 2} {
		to := time.Now().Unix() - int64(ago)*3600
		for who, stride := range map[string]int{"the same": 0, "other": 13} {
			var node, thread []float64
			for round := range rounds {
				began := time.Now()
				for n := range 8 {
					for m := range 8 {
						l.ask(db, (round*stride+n)%hosts, "node_metric"+strconv.Itoa(m), to, 1)
					}
				}
				node = append(node, float64(time.Since(began).Microseconds()))
				began = time.Now()
				for n := range 8 {
					l.ask(db, (round*stride+n)%hosts, "hwthread_metric0", to, 72)
				}
				thread = append(thread, float64(time.Since(began).Microseconds()))
			}
			slices.Sort(node)
			slices.Sort(thread)
			l.row(fmt.Sprintf("  2 h, %2d h ago, %s 8 nodes: us for 8 metrics; 72 threads", ago, who), "%.0f; %.0f", node[rounds/2], thread[rounds/2])
		}
	}
}

func (l large) ask(db *metricstore.DB, host int, metric string, to int64, series int) {
	got := db.Read(nil, metricstore.Window{Cluster: herdCluster, Host: hostName(host), Metric: metric, From: to - 7200, To: to}, nil)
	if len(got) != series || len(got[0].Values) < 50 {
		l.t.Fatalf("%d series of %s", len(got), metric)
	}
}

// liveHeap returns the bytes that are in use.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what pools held is only gone after the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func diskUse(dir string) (bytes int64) {
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// herd is many nodes that write one sample of each of their series every minute, as clustersim's do: 72 threads, two
// sockets, values that walk at random with none to four decimals.
type herd struct {
	hosts  int
	values []float64
	random *rand.Rand
	kinds  []herdKind
	head   []byte
	host   []byte
}

// herdKind is what all nodes have one series of.
type herdKind struct {
	pre, post []byte // what stands in a line before and behind the name of the node
	labels    metricstore.Labels
	scale     float64
}

const herdCluster = "load"

// newHerd makes nodes until they have at least so many series.
func newHerd(series int) *herd {
	g := &herd{random: rand.New(rand.NewPCG(1, 2))}
	add := func(metric, scope string, ids int) {
		for id := range ids {
			post := ",type=" + scope
			k := metricstore.Key{Cluster: herdCluster, Host: "any", Metric: metric}
			if scope != "node" {
				k.Type, k.TypeID = scope, strconv.Itoa(id)
				post += ",type-id=" + k.TypeID
			}
			g.kinds = append(g.kinds, herdKind{
				[]byte(metric + ",cluster=" + herdCluster + ",hostname="), []byte(post), k.Labels(), math.Pow10(len(g.kinds) % 5),
			})
		}
	}
	for _, s := range []struct {
		scope        string
		metrics, ids int
	}{{"hwthread", 6, 72}, {"socket", 8, 2}, {"node", 8, 1}} {
		for m := range s.metrics {
			add(s.scope+"_metric"+strconv.Itoa(m), s.scope, s.ids)
		}
	}
	g.hosts = (series + len(g.kinds) - 1) / len(g.kinds)
	g.values = make([]float64, g.hosts*len(g.kinds))
	for i := range g.values {
		g.values[i] = 50 + 50*g.random.Float64()
	}
	return g
}

func (g *herd) series() int { return len(g.values) }

// makingCosts returns how many CPU nanoseconds it takes to make a sample.
func (g *herd) makingCosts() float64 {
	began, rounds := cpuTime(), 1+2_000_000/g.series()
	for range rounds {
		_ = g.write(nil, 0) // it cannot fail
	}
	return float64(cpuTime()-began) / float64(rounds*g.series())
}

func hostName(n int) string { return fmt.Sprintf("load%04d", n) }

// write writes one sample of every series, a node at a time. A nil db takes nothing, which is what making samples costs.
func (g *herd) write(db *metricstore.DB, at int64) error {
	for n := range g.hosts {
		if err := g.node(db, n, at); err != nil {
			return err
		}
	}
	return nil
}

func (g *herd) node(db *metricstore.DB, n int, at int64) error {
	g.host = append(g.host[:0], "load"...)
	for digit := 1000; digit > 0; digit /= 10 {
		g.host = append(g.host, byte('0'+n/digit%10))
	}
	values := g.values[n*len(g.kinds):][:len(g.kinds)]
	var a *metricstore.Appender
	if db != nil {
		a = db.Appender()
		defer a.Close()
	}
	for i := range g.kinds {
		k := &g.kinds[i]
		values[i] = math.Abs(values[i] + 2*g.random.Float64() - 1)
		v := math.Round(values[i]*k.scale) / k.scale
		g.head = append(append(append(g.head[:0], k.pre...), g.host...), k.post...)
		if db == nil {
			continue
		}
		if a.Follow(k.labels.Cluster, g.head) != nil {
			if err := a.AppendFollowed(at, v); err != nil {
				return err
			}
			continue
		}
		k.labels.Host = g.host
		if err := a.Append(&k.labels, 60, at, v); err != nil {
			return err
		}
		a.Remember(g.head, metricstore.Memo{})
	}
	if db == nil {
		return nil
	}
	return a.Commit()
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory returns what the kernel counts of this process, in bytes: all of it, and without mapped files.
func memory() (resident, private int64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			resident = n << 10
		case "RssAnon:":
			private = n << 10
		}
	}
	return resident, private
}
