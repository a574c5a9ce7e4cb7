package metricstore_test

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// now is the time in the tests: a full minute.
var now = time.Unix(1_795_463_640, 0)

// point is a sample for the tests: steps of one minute, counted back from now.
type point struct {
	key     metricstore.Key
	minutes int64
	value   float64
}

func load(host string) metricstore.Key {
	return metricstore.Key{Cluster: "alpha", Host: host, Metric: "cpu_load"}
}

func thread(host, id string) metricstore.Key {
	return metricstore.Key{Cluster: "alpha", Host: host, Metric: "flops_any", Type: "hwthread", TypeID: id}
}

func open(tb testing.TB, dir string, opt metricstore.Options) *metricstore.DB {
	tb.Helper()
	if opt.Clock == nil {
		opt.Clock = clock.NewManual(now)
	}
	db, err := metricstore.Open(dir, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Abandon() })
	return db
}

func write(tb testing.TB, db *metricstore.DB, points ...point) {
	tb.Helper()
	a := db.Appender()
	defer a.Close()
	for _, p := range points {
		l := p.key.Labels()
		if err := a.Append(&l, 60, now.Unix()-60*p.minutes, p.value); err != nil {
			tb.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		tb.Fatal(err)
	}
}

// all returns what the series has, oldest first, from a day before now to an hour after.
func all(db *metricstore.DB, k metricstore.Key) []float64 {
	w := metricstore.Window{Cluster: k.Cluster, Host: k.Host, Metric: k.Metric, From: now.Unix() - 86400, To: now.Unix() + 3600}
	for _, s := range db.Read(nil, w, func(have *metricstore.Key) bool { return *have == k }) {
		return s.Values
	}
	return nil
}

func want(tb testing.TB, got []float64, want ...float64) {
	tb.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(sameBits)); diff != "" {
		tb.Errorf("samples (-want +got):\n%s", diff)
	}
}

func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

func TestSamplesComeBackBitForBit(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	odd := []float64{math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64, 0.1 + 0.2, math.Inf(1)}
	for i, v := range odd {
		write(t, db, point{load("n01"), int64(len(odd) - i), v})
	}
	want(t, all(db, load("n01")), odd...)
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	want(t, all(db, load("n01")), odd...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, all(open(t, dir, metricstore.Options{}), load("n01")), odd...)
}

func TestSamplesFallIntoTheNearestSlotOfTheFirstOne(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	a := db.Appender()
	defer a.Close()
	l := load("n01").Labels()
	base := now.Unix() - 3600 + 30 // between two minutes: rounding to full minutes would lose every other sample
	for i, jitter := range []int64{0, -1, 1, -29, 29} {
		if err := a.Append(&l, 60, base+int64(i)*60+jitter, float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, all(db, load("n01")), 0, 1, 2, 3, 4)
}

func TestLastWriterOfASlotWins(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	write(t, db, point{load("n01"), 2, 1}, point{load("n01"), 2, 2})
	want(t, all(db, load("n01")), 2)
}

func TestLateSamplesFindTheirPlace(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	write(t, db, point{load("n01"), 1, 1}, point{load("n01"), 1200, 1200}, point{load("n01"), 600, 600})
	got := all(db, load("n01"))
	if len(got) != 1200 || got[0] != 1200 || got[600] != 600 || got[1199] != 1 || !math.IsNaN(got[1]) {
		t.Errorf("got %d samples, %v ... %v ... %v", len(got), got[0], got[600], got[len(got)-1])
	}
}

func TestReadReturnsDevicesInTheOrderOfTheirNumbers(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	for _, id := range []string{"10", "2", "0", "1"} {
		write(t, db, point{thread("n01", id), 1, 1})
	}
	var ids []string
	for _, s := range db.Read(nil, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "flops_any", From: 0, To: now.Unix()}, nil) {
		ids = append(ids, s.Key.TypeID)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "10"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestReadKeepsToTheWindow(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	for m := range int64(10) {
		write(t, db, point{load("n01"), m, float64(m)})
	}
	w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: now.Unix() - 300, To: now.Unix() - 120}
	got := db.Read(nil, w, nil)
	if len(got) != 1 || got[0].First != now.Unix()-300 {
		t.Fatalf("got %+v", got)
	}
	want(t, got[0].Values, 5, 4, 3)
	for _, w := range []metricstore.Window{
		{Cluster: "alpha", Host: "n02", Metric: "cpu_load", From: 0, To: now.Unix()},
		{Cluster: "alpha", Host: "n01", Metric: "nosuch", From: 0, To: now.Unix()},
		{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: math.MinInt64, To: 0},
		{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: now.Unix() + 60, To: math.MaxInt64},
	} {
		if got := db.Read(nil, w, nil); len(got) > 0 {
			t.Errorf("%+v: got %v", w, got)
		}
	}
}

func TestReadUsesBuffersAgain(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	for m := range int64(100) {
		write(t, db, point{load("n01"), m, float64(m)})
	}
	w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: 0, To: now.Unix() + 60}
	buf := db.Read(nil, w, nil)
	if n := testing.AllocsPerRun(10, func() { buf = db.Read(buf[:0], w, nil) }); n > 2 { // the name of the host, and not the samples
		t.Errorf("%v allocations a read", n)
	}
}

func TestSamplesOutsideTheLimitsAreRefused(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{Retention: time.Hour, MaxFuture: time.Minute, MaxHosts: 1, MaxSeriesPerHost: 2})
	a := db.Appender()
	defer a.Close()
	long := make([]byte, 256)
	for i := range long {
		long[i] = 'x'
	}
	other := load("n02")
	for _, c := range []struct {
		key  metricstore.Key
		step int64
		at   int64
		v    float64
		want error
	}{
		{load("n01"), 60, 0, 1, nil},
		{load("n01"), 60, -3601, 1, metricstore.ErrTooOld},
		{load("n01"), 60, 61, 1, metricstore.ErrTooNew},
		{load("n01"), 60, 0, math.NaN(), metricstore.ErrNotANumber},
		{load("n01"), 0, 0, 1, metricstore.ErrStep},
		{load("n01"), 1 << 31, 0, 1, metricstore.ErrStep},
		{metricstore.Key{Cluster: "alpha", Metric: "m"}, 60, 0, 1, metricstore.ErrName},
		{load(string(long)), 60, 0, 1, metricstore.ErrName},
		{other, 60, 0, 1, metricstore.ErrTooManyHosts},
		{thread("n01", "0"), 60, 0, 1, nil},
		{thread("n01", "1"), 60, 0, 1, metricstore.ErrTooManySeries},
	} {
		l := c.key.Labels()
		if err := a.Append(&l, c.step, now.Unix()+c.at, c.v); err != c.want { //nolint:errorlint // the value itself is promised
			t.Errorf("%+v: got %v", c, err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	if st := db.Stats(); st.Samples != 2 || st.Refused != 9 || st.Series != 2 || st.Hosts != 1 || st.Bytes == 0 || st.LogBytes == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestNamesAreNotMistakenForOthers(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	a := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "m", Type: "ab", TypeID: "c"}
	b := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "m", Type: "a", TypeID: "bc"}
	write(t, db, point{a, 1, 1}, point{b, 1, 2})
	want(t, all(db, a), 1)
	want(t, all(db, b), 2)
}

func TestFreeForgetsForGood(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	for _, k := range []metricstore.Key{load("n01"), load("n02"), thread("n01", "0")} {
		write(t, db, point{k, 3, 3}, point{k, 2, 2}, point{k, 1, 1})
	}
	if _, err := db.Free(nil, now); err != metricstore.ErrPath { //nolint:errorlint // the value itself is promised
		t.Errorf("no path: %v", err)
	}
	n, err := db.Free([]string{"alpha", "n01"}, now.Add(-2*time.Minute))
	if err != nil || n != 0 {
		t.Errorf("part of a chunk: %d, %v", n, err)
	}
	n, err = db.Free([]string{"alpha", "n01", "hwthread0"}, now)
	if err != nil || n != 1 {
		t.Errorf("a whole chunk: %d, %v", n, err)
	}
	check := func(db *metricstore.DB) {
		t.Helper()
		want(t, all(db, load("n01")), 2, 1)
		want(t, all(db, load("n02")), 3, 2, 1)
		want(t, all(db, thread("n01", "0")))
	}
	check(db)
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	check(open(t, dir, metricstore.Options{}))
}

func TestRetentionDropsWhatIsOld(t *testing.T) {
	dir := t.TempDir()
	clk := clock.NewManual(now)
	keep := func() func(_, host string) bool { return func(_, host string) bool { return host == "n02" } }
	opt := metricstore.Options{Clock: clk, Retention: 24 * time.Hour, Keep: keep}
	db := open(t, dir, opt)
	write(t, db, point{load("n01"), 600, 1}, point{load("n02"), 600, 1}, point{load("n03"), 0, 1})
	clk.Advance(20 * time.Hour)
	if n := db.Retain(clk.Now().Add(-24 * time.Hour)); n != 1 {
		t.Errorf("%d chunks dropped", n)
	}
	if diff := cmp.Diff([]string{"n02", "n03"}, db.Hosts("alpha")); diff != "" {
		t.Error(diff)
	}
	if st := db.Stats(); st.Series != 2 || st.Hosts != 2 {
		t.Errorf("stats %+v", st)
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, opt)
	if diff := cmp.Diff([]string{"n02", "n03"}, db.Hosts("alpha")); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
}

func TestSeriesThatRanDryBeginAnew(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	a := db.Appender()
	defer a.Close()
	l := load("n01").Labels()
	for _, p := range []struct{ at, value int64 }{{-600, 1}, {-300, 2}} {
		if err := a.Append(&l, 60, now.Unix()+p.at, float64(p.value)); err != nil {
			t.Fatal(err)
		}
		db.Retain(now.Add(-time.Second * 1000)) // between Append and Commit the series has no samples
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	want(t, all(db, load("n01")), 1, math.NaN(), math.NaN(), math.NaN(), math.NaN(), 2)
	db.Retain(now)
	write(t, db, point{load("n01"), 0, 3})
	want(t, all(db, load("n01")), 3)
	if st := db.Stats(); st.Series != 1 || st.Hosts != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestInspectShowsWhatIsHeld(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	write(t, db, point{load("n01"), 2, 1}, point{load("n01"), 1, 1}, point{thread("n01", "0"), 1, 1}, point{load("n02"), 1, 1})
	got := map[string][]metricstore.Extent{}
	db.Inspect([]string{"alpha", "n01"}, func(k metricstore.Key, held []metricstore.Extent) {
		got[k.Metric+k.Type+k.TypeID] = append([]metricstore.Extent{}, held...)
	})
	if diff := cmp.Diff(map[string][]metricstore.Extent{
		"cpu_load":           {{From: now.Unix() - 120, To: now.Unix(), Slots: 2}},
		"flops_anyhwthread0": {{From: now.Unix() - 60, To: now.Unix(), Slots: 1}},
	}, got); diff != "" {
		t.Error(diff)
	}
	if newest, step, ok := db.Latest("alpha", "n01", "cpu_load"); newest != now.Unix()-60 || step != 60 || !ok {
		t.Errorf("latest %d %d %v", newest, step, ok)
	}
	if _, _, ok := db.Latest("alpha", "n09", "cpu_load"); ok {
		t.Error("a host without samples has a latest one")
	}
}

func TestFolderIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	if _, err := metricstore.Open(dir, metricstore.Options{}); err == nil {
		t.Fatal("opened twice")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, metricstore.Options{})
}

func TestClosedStoreRefusesWrites(t *testing.T) {
	db := open(t, t.TempDir(), metricstore.Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	a := db.Appender()
	defer a.Close()
	l := load("n01").Labels()
	if err := a.Append(&l, 60, now.Unix(), 1); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err == nil {
		t.Error("committed to a closed store")
	}
}

func TestFailedWritesAreNotAcknowledgedAndLeaveNoTrace(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 1})
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // root may write anyway; a folder in the segment's place stops him too
		if err := os.Mkdir(filepath.Join(dir, "wal-0000000000000001-00.bhw"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a := db.Appender()
	defer a.Close()
	l := load("n01").Labels()
	if err := a.Append(&l, 60, now.Unix(), 1); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err == nil {
		t.Fatal("acknowledged")
	}
	want(t, all(db, load("n01")))
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(dir, "wal-0000000000000001-00.bhw"))
	write(t, db, point{load("n01"), 1, 2})
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	want(t, all(db, load("n01")), 2)
	if r := db.Recovered(); len(r.Damage) > 0 || r.TornBytes > 0 {
		t.Errorf("recovery %+v", r)
	}
}

// Writers, readers, frees and checkpoints at the same time: everything acknowledged is there, and a restart finds what
// memory had, also where two writers have fought for a slot.
func TestManyAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 2, Retention: 48 * time.Hour})
	const writers, rounds = 4, 60
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for m := range int64(rounds) {
				write(t, db, point{thread("n01", strconv.Itoa(w)), m, float64(m)}, point{load("n02"), m, float64(w)})
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if err := db.Checkpoint(); err != nil {
				t.Error(err)
			}
			if err := db.Sync(); err != nil {
				t.Error(err)
			}
			db.Retain(now.Add(-48 * time.Hour))
			if _, err := db.Free([]string{"beta"}, now); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 100 {
			all(db, load("n02"))
			db.Stats()
			db.Hosts("alpha")
			db.Inspect(nil, func(metricstore.Key, []metricstore.Extent) {})
		}
	})
	wg.Wait()
	fought := all(db, load("n02"))
	if len(fought) != rounds {
		t.Fatalf("%d samples", len(fought))
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{Shards: 2})
	want(t, all(db, load("n02")), fought...)
	for w := range writers {
		got := all(db, thread("n01", strconv.Itoa(w)))
		if len(got) != rounds || got[0] != rounds-1 || got[rounds-1] != 0 {
			t.Errorf("thread %d: %v", w, got)
		}
	}
}

func TestCommitMayWaitForTheDisk(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{SyncEvery: -1})
	write(t, db, point{load("n01"), 1, 1})
	if err := db.Sync(); err != nil { // nothing is left to do
		t.Fatal(err)
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	want(t, all(open(t, dir, metricstore.Options{}), load("n01")), 1)
}

func TestOtherFilesInTheFolderAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	names := []string{"alpha", "wal-1-0.bhw", "checkpoint-00000000000000001.bhc", "README"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not ours"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, dir, metricstore.Options{})
	write(t, db, point{load("n01"), 1, 1})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != "not ours" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestLateAndDuplicateSamplesAreCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	check := func(when string, late, replaced int64) {
		t.Helper()
		if st := db.Stats(); st.Late != late || st.Replaced != replaced {
			t.Errorf("%s: %d late and %d replaced, not %d and %d", when, st.Late, st.Replaced, late, replaced)
		}
	}
	write(t, db, point{load("n01"), 9, 1}, point{load("n01"), 5, 2}, point{load("n02"), 700, 1}, point{load("n02"), 5, 1})
	check("in order", 0, 0)
	write(t, db, point{load("n01"), 7, 3}) // into a gap
	check("out of order", 1, 0)
	write(t, db, point{load("n01"), 5, 4}, point{load("n01"), 5, 4}, point{load("n02"), 700, 4})
	check("duplicates", 4, 3)
	write(t, db, point{load("n02"), 900, 4})
	check("far too late", 5, 3)
	if err := db.Seal(); err != nil {
		t.Fatal(err)
	}
	write(t, db, point{load("n01"), 9, 5}, point{load("n02"), 4, 5})
	check("sealed", 6, 3)
	if got := all(db, load("n01")); got[0] != 5 || got[2] != 3 || got[4] != 4 {
		t.Errorf("%v", got)
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	check("nothing has come since the start", 0, 0)
}

func TestTimesAtTheEndOfTheWorldAreReadBackOrRefused(t *testing.T) {
	t.Parallel()
	for _, step := range []int64{1, 60, math.MaxInt32} {
		for _, at := range []int64{math.MinInt64, -1<<56 - 1, -1 << 55, -61, -1, 0, 1, now.Unix(), math.MaxInt64} {
			dir := t.TempDir()
			db := open(t, dir, metricstore.Options{})
			a := db.Appender()
			l := load("n01").Labels()
			err := a.Append(&l, step, at, 7)
			if err == nil {
				err = a.Commit()
			}
			a.Close()
			if refused := at < -1<<55 || at > now.Unix()+3600; refused != (err != nil) {
				t.Fatalf("step %d, time %d: %v", step, at, err)
			}
			for _, when := range []string{"at once", "sealed", "after a restart", "retained"} {
				switch when {
				case "sealed":
					if err := db.Seal(); err != nil {
						t.Fatal(err)
					}
				case "after a restart":
					if err := db.Abandon(); err != nil {
						t.Fatal(err)
					}
					db = open(t, dir, metricstore.Options{})
				case "retained":
					db.Retain(time.Unix(at, 0))
				}
				got := db.Read(nil, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: math.MinInt64, To: math.MaxInt64}, nil)
				if err != nil && len(got) == 0 {
					continue
				}
				if len(got) != 1 || len(got[0].Values) != 1 || got[0].Values[0] != 7 || got[0].First != at {
					t.Errorf("step %d, time %d, %s: %+v", step, at, when, got)
				}
			}
		}
	}
}

// A series that was taken out and came back is followed like any other.
func TestASeriesThatCameBackIsGuessedAsItIsNow(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), metricstore.Options{})
	batch := func(v float64) {
		a := db.Appender()
		defer a.Close()
		for _, id := range []string{"0", "1", "2"} {
			l := thread("n01", id).Labels()
			if err := a.Append(&l, 60, now.Unix(), v); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	batch(1)
	if _, err := db.Free([]string{"alpha", "n01", "hwthread1"}, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	db.Retain(now.Add(-time.Hour))
	for v := range 3 {
		batch(float64(v))
		want(t, all(db, thread("n01", "1")), float64(v))
	}
	if n := db.Guesses("alpha", "n01"); n != 0 {
		t.Errorf("%d series are guessed that are gone", n)
	}
}
