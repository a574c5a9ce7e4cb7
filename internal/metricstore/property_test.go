package metricstore_test

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// machine is a store beside a map that should hold the same.
type machine struct {
	dir   string
	db    *metricstore.DB
	model map[metricstore.Key]map[int64]float64 // by minutes before now
	beat  int64                                 // minutes before now of what beats have not sent yet
	old   int64                                 // what is more minutes before now may be there or not
}

// Whatever the order of appends, frees, checkpoints, clean stops and deaths, a store holds what a map would hold.
func TestStoreEqualsAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{dir: t.TempDir(), model: map[metricstore.Key]map[int64]float64{}, beat: 700, old: 1 << 30}
		m.open(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"append":     m.append,
			"beats":      m.beats,
			"checkpoint": m.checkpoint,
			"seal":       m.seal,
			"busy seal":  m.sealMeanwhile,
			"merge":      m.merge,
			"free":       m.free,
			"retain":     m.retain,
			"stop":       func(rt *rapid.T) { m.reopen(rt, m.db.Close) },
			"die":        func(rt *rapid.T) { m.reopen(rt, m.db.Abandon) },
			"":           m.check,
		})
		if err := m.db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *machine) open(rt *rapid.T) {
	var err error
	shards := rapid.IntRange(1, 3).Draw(rt, "shards") // a folder outlives a change of their number
	m.db, err = metricstore.Open(m.dir, metricstore.Options{
		Clock: clock.NewManual(now), Shards: shards, Keep: func() func(cluster, host string) bool {
			return func(cluster, host string) bool { return cluster == "beta" && host == "n3" }
		},
	})
	if err != nil {
		rt.Fatal(err)
	}
	m.db.GatherFrom(2)
	if d := m.db.Recovered().Damage; len(d) > 0 {
		rt.Fatal(d)
	}
}

func (m *machine) reopen(rt *rapid.T, end func() error) {
	if err := end(); err != nil {
		rt.Fatal(err)
	}
	m.open(rt)
}

func (m *machine) append(rt *rapid.T) {
	a := m.db.Appender()
	defer a.Close()
	for range rapid.IntRange(1, 20).Draw(rt, "samples") {
		m.put(rt, a, drawKey(rt), rapid.Int64Range(0, 1300).Draw(rt, "minutes"))
	}
	if err := a.Commit(); err != nil {
		rt.Fatal(err)
	}
}

// beats has the devices of a host send samples in order, as they do when nothing is wrong; now and then one misses a beat.
func (m *machine) beats(rt *rapid.T) {
	a := m.db.Appender()
	defer a.Close()
	k := metricstore.Key{Cluster: "alpha", Host: "n1", Metric: "flops", Type: "hwthread"}
	for range min(rapid.Int64Range(1, 40).Draw(rt, "beats"), m.beat) {
		m.beat--
		for _, k.TypeID = range []string{"0", "1", "2"} {
			if rapid.IntRange(0, 9).Draw(rt, "missed") > 0 {
				m.put(rt, a, k, m.beat)
			}
		}
	}
	if err := a.Commit(); err != nil {
		rt.Fatal(err)
	}
}

func (m *machine) put(rt *rapid.T, a *metricstore.Appender, k metricstore.Key, minutes int64) {
	value := drawValue(rt)
	l := k.Labels()
	if err := a.Append(&l, 60, now.Unix()-60*minutes, value); err != nil {
		rt.Fatal(err)
	}
	if m.model[k] == nil {
		m.model[k] = map[int64]float64{}
	}
	m.model[k][minutes] = value
}

// meanwhile has something happen while the next checkpoint is written. It returns what ends that.
func (m *machine) meanwhile(rt *rapid.T) (end func()) {
	things := []func(*rapid.T){func(*rapid.T) {}, m.append, m.beats, m.free, func(rt *rapid.T) { m.free(rt); m.append(rt) }}
	m.db.Meanwhile(func() { things[rapid.IntRange(0, len(things)-1).Draw(rt, "meanwhile")](rt) })
	return func() { m.db.Meanwhile(nil) }
}

func (m *machine) checkpoint(rt *rapid.T) {
	defer m.meanwhile(rt)()
	if err := m.db.Checkpoint(); err != nil {
		rt.Fatal(err)
	}
}

// retain forgets, of what is old, what lies in chunks and segments without anything younger.
func (m *machine) retain(rt *rapid.T) {
	minutes := rapid.Int64Range(300, 1300).Draw(rt, "minutes")
	m.old = min(m.old, minutes)
	m.db.Retain(now.Add(-time.Duration(minutes) * time.Minute))
}

// sealMeanwhile is seal, but samples come and go at the same time.
func (m *machine) sealMeanwhile(rt *rapid.T) {
	defer m.meanwhile(rt)()
	if err := m.db.Seal(); err != nil {
		rt.Fatal(err)
	}
}

// seal moves all samples into a segment.
func (m *machine) seal(rt *rapid.T) {
	if err := m.db.Seal(); err != nil {
		rt.Fatal(err)
	}
	if st := m.db.Stats(); st.Bytes != 0 {
		rt.Fatalf("sealed, and %d bytes are left in memory", st.Bytes)
	}
}

// merge makes small segments until there are enough of them to be merged.
func (m *machine) merge(rt *rapid.T) {
	if rapid.IntRange(0, 4).Draw(rt, "merge") > 0 {
		return // it takes many files
	}
	for range rapid.IntRange(5, 9).Draw(rt, "seals") {
		m.append(rt)
		m.seal(rt)
	}
	before := m.db.Stats().Segments
	n, err := m.db.Compact()
	if after := m.db.Stats().Segments; err != nil || (n > 0) != (after < before) || before-after >= int64(max(n, 1)) {
		rt.Fatalf("%d segments became %d by merging %d: %v", before, after, n, err)
	}
}

func (m *machine) free(rt *rapid.T) {
	k := drawKey(rt)
	minutes := rapid.Int64Range(0, 1300).Draw(rt, "minutes")
	path := k.Path()
	path = path[:rapid.IntRange(1, len(path)).Draw(rt, "depth")]
	if _, err := m.db.Free(path, now.Add(-time.Duration(minutes)*time.Minute)); err != nil {
		rt.Fatal(err)
	}
	for have, samples := range m.model {
		below := have.Path()
		if len(below) < len(path) || fmt.Sprint(below[:len(path)]) != fmt.Sprint(path) {
			continue
		}
		for at := range samples {
			if at > minutes {
				delete(samples, at)
			}
		}
	}
}

func (m *machine) check(rt *rapid.T) {
	m.compare(rt)
	for _, cluster := range []string{"alpha", "beta"} {
		for _, host := range []string{"n1", "n2", "n3"} {
			from := now.Unix() - 60*rapid.Int64Range(0, 1400).Draw(rt, "from")
			w := metricstore.Window{Cluster: cluster, Host: host, Metric: "flops", From: from, To: from + 60*rapid.Int64Range(0, 1400).Draw(rt, "width")}
			m.compareAggregate(rt, w)
		}
	}
}

// compareAggregate asks for devices taken together, and takes them together by hand.
func (m *machine) compareAggregate(rt *rapid.T, w metricstore.Window) {
	var got metricstore.Aggregate
	if !m.db.ReadAggregate(&got, w) {
		return
	}
	sums := metricstore.Aggregate{SumsOnly: true, Min: []float64{1}}
	if !m.db.ReadAggregate(&sums, w) || fmt.Sprint(sums.First, sums.Sum, sums.Count) != fmt.Sprint(got.First, got.Sum, got.Count) || len(sums.Min)+len(sums.Max) > 0 {
		rt.Fatalf("%+v: sums alone are %+v, not those of %+v", w, sums, got)
	}
	type slot struct {
		least, greatest float64
		values          []float64 // in the order of the devices
	}
	want := map[int64]slot{}
	for _, s := range m.db.Read(nil, w, nil) {
		for i, v := range s.Values {
			if math.IsNaN(v) {
				continue
			}
			at := s.First + int64(i)*s.Step
			have := want[at]
			if len(have.values) == 0 {
				have.least, have.greatest = v, v
			}
			want[at] = slot{min(have.least, v), max(have.greatest, v), append(have.values, v)}
		}
	}
	for i, n := range got.Count {
		at := got.First + int64(i)*got.Step
		expected := want[at]
		if n != float64(len(expected.values)) || n > 0 && (!isSum(got.Sum[i], expected.values) || fmt.Sprint(got.Min[i], got.Max[i]) != fmt.Sprint(expected.least, expected.greatest)) {
			rt.Fatalf("%+v at %d: %v %v %v %v, not %+v", w, at, got.Sum[i], got.Min[i], got.Max[i], n, expected)
		}
		delete(want, at)
	}
	if len(want) > 0 {
		rt.Fatalf("%+v: %v is missing in %+v", w, want, got)
	}
}

// isSum reports whether got is, bit for bit, what adding the values up gives, or what it gives on paper.
func isSum(got float64, values []float64) bool {
	sum, exact := 0.0, new(big.Rat)
	for _, v := range values {
		sum += v
		if digits, ok := new(big.Rat).SetString(strconv.FormatFloat(v, 'f', -1, 64)); ok {
			exact.Add(exact, digits)
		}
	}
	onPaper, _ := exact.Float64()
	return fmt.Sprint(got) == fmt.Sprint(sum) || math.Float64bits(got) == math.Float64bits(onPaper)
}

func (m *machine) compare(rt *rapid.T) {
	total := 0
	for k, samples := range m.model {
		old := m.old
		if k.Cluster == "beta" && k.Host == "n3" { // it is kept
			old = math.MaxInt64
		}
		w := metricstore.Window{Cluster: k.Cluster, Host: k.Host, Metric: k.Metric, From: 0, To: now.Unix() + 60}
		got := m.db.Read(nil, w, func(have *metricstore.Key) bool { return *have == k })
		n := 0
		for _, s := range got {
			for i, v := range s.Values {
				if math.IsNaN(v) {
					continue
				}
				minutes := (now.Unix() - s.First - int64(i)*60) / 60
				if minutes > old {
					continue
				}
				n++
				if expected, ok := samples[minutes]; !ok || math.Float64bits(expected) != math.Float64bits(v) {
					rt.Fatalf("%+v, %d minutes ago: %v, not %v (%v)", k, minutes, v, expected, ok)
				}
			}
		}
		wanted := 0
		for minutes := range samples {
			if minutes <= old {
				wanted++
			}
		}
		if n != wanted {
			rt.Fatalf("%+v: %d samples, not %d", k, n, wanted)
		}
		total += n
	}
	if st := m.db.Stats(); st.Bytes/2+st.Sealed < int64(total) || st.Unreadable != 0 {
		rt.Fatalf("%d samples in %+v", total, st)
	}
}

// drawValue draws values that memory holds in two, four and eight bytes.
func drawValue(rt *rapid.T) float64 {
	switch decimals := rapid.IntRange(-1, 4).Draw(rt, "decimals"); decimals {
	case -1:
		return rapid.Float64().Draw(rt, "value")
	case 0:
		return float64(rapid.IntRange(-20_000, 20_000).Draw(rt, "whole"))
	default:
		return float64(rapid.IntRange(-1_000_000, 1_000_000).Draw(rt, "digits")) / math.Pow10(decimals)
	}
}

func drawKey(rt *rapid.T) metricstore.Key {
	k := metricstore.Key{
		Cluster: rapid.SampledFrom([]string{"alpha", "beta"}).Draw(rt, "cluster"),
		Host:    rapid.SampledFrom([]string{"n1", "n2", "n3"}).Draw(rt, "host"),
		Metric:  rapid.SampledFrom([]string{"cpu_load", "flops"}).Draw(rt, "metric"),
	}
	if k.Metric == "flops" {
		k.Type, k.TypeID = "hwthread", rapid.SampledFrom([]string{"0", "1"}).Draw(rt, "id")
	}
	return k
}
