package checkpoint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/checkpoint"
	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// now is the time in the tests: a full minute.
const now = 1_795_463_640

func newStore(tb testing.TB) *metricstore.DB {
	tb.Helper()
	db, err := metricstore.Open(tb.TempDir(), metricstore.Options{Clock: clock.NewManual(time.Unix(now, 0)), Retention: 24 * time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func catalogue(cluster string) (metric.Catalogue, bool) {
	return metric.Catalogue{
		"cpu_load": {Frequency: time.Minute}, "ipc": {Frequency: 10 * time.Second, Aggregation: metric.AggregateAvg},
	}, cluster != "beta"
}

func importDir(tb testing.TB, db checkpoint.Store, dir string) checkpoint.Summary {
	tb.Helper()
	s, err := checkpoint.Import(tb.Context(), checkpoint.Config{Dir: dir, Store: db, Catalogue: catalogue})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func one(metric string, frequency, start int64, data ...float32) level {
	return level{metrics: map[string]stored{metric: {frequency, start, data}}}
}

// contents is everything in the store as lines.
func contents(db *metricstore.DB, hosts ...string) (lines []string) {
	for _, host := range hosts {
		for _, m := range []string{"cpu_load", "ipc"} {
			for _, s := range db.Read(nil, metricstore.Window{Cluster: "alpha", Host: host, Metric: m, From: 0, To: math.MaxInt64}, nil) {
				lines = append(lines, fmt.Sprint(host, " ", m, " ", s.Key.Type, ":", s.Key.TypeID, ":", s.Key.SubType, ":", s.Key.SubTypeID, " ", s.Step, " ", s.First-now, " ", s.Values))
			}
		}
	}
	return lines
}

func TestHistoryIsImported(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string][]byte{
		// A later file, of either kind, wins over an earlier one, and the log over both.
		fmt.Sprintf("alpha/n01/%d.bin", now-600):  snapshot(now-600, now, one("cpu_load", 60, now-600, 1, 0.1, gap, 4)),
		fmt.Sprintf("alpha/n01/%d.json", now-420): fmt.Appendf(nil, `{"from":1,"to":2,"metrics":{"cpu_load":{"frequency":60,"start":%d,"data":[40,50]}},"children":{}}`, now-420),
		"alpha/n01/current.wal":                   log(record(now-360, 51, "cpu_load"), record(now-20, 7, "ipc", "hwthread3"), record(now-9, 8, "ipc", "hwthread3")),
		fmt.Sprintf("alpha/n02/%d.bin", now-600): snapshot(now-600, now, level{children: map[string]level{
			"accelerator00000000:49:00.0": one("cpu_load", 60, now-600, 1),
			"gpu7":                        {children: map[string]level{"mig0": one("cpu_load", 60, now-600, 2)}},
			"switch":                      one("cpu_load", 30, now-600, 3, 4),
		}}),
		"wal-0000000000000001-00.bhw": []byte("ours"),
	})
	db := newStore(t)
	want := checkpoint.Summary{Files: 4, Hosts: 2, Series: 5, Samples: 12, Refused: map[string]int64{}}
	wantLines := []string{
		"n01 cpu_load ::: 60 -600 [1 0.10000000149011612 NaN 40 51]",
		"n01 ipc hwthread:3:: 10 -20 [7 8]",
		"n02 cpu_load accelerator:00000000:49:00.0:: 60 -600 [1]",
		"n02 cpu_load gpu:7:mig:0 60 -600 [2]",
		"n02 cpu_load switch::: 30 -600 [3 4]",
	}
	for range 2 { // to import again changes nothing
		if diff := cmp.Diff(want, importDir(t, db, dir)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(wantLines, contents(db, "n01", "n02")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatCannotBeImportedIsToldAndStopsNobody(t *testing.T) {
	dir := t.TempDir()
	good := snapshot(1, 2, one("cpu_load", 60, now-120, 1, 2))
	lay(t, dir, map[string][]byte{
		"alpha/n01/100.bin":     good[:len(good)-1],
		"alpha/n01/200.json":    []byte(`{"metrics":`),
		"alpha/n01/300.bin":     snapshot(1, 2, one("cpu_load", 60, now-86460, 1, 2, 3)),
		"alpha/n01/400.bin":     snapshot(1, 2, one("power", 60, now-60, 1, gap, 3)),
		"alpha/n01/500.bin":     snapshot(1, 2, level{children: map[string]level{"a": {children: map[string]level{"b": {children: map[string]level{"c": one("ipc", 10, now, 1)}}}}}}),
		"alpha/n01/600.bin":     snapshot(1, 2, one("cpu_load", 60, now-60, float32(math.Inf(1)), 5)),
		"alpha/n01/700.bin":     snapshot(1, 2, one("cpu_load", 60, now+7200, 1)),
		"alpha/n01/notes.txt":   []byte("hello"),
		"alpha/n01/x.json":      []byte("{}"),
		"alpha/n02/current.wal": append(log(record(now-60, 1, "cpu_load"), []byte("rubbish"), record(now, 2, "cpu_load")), 0xA1),
		"alpha/n03/current.wal": []byte("rubbish"),
		"alpha/n\x1b[2J/1.bin":  good,
		"beta/n01/100.bin":      good,
		"beta/n02/100.bin":      good,
	})
	db := newStore(t)
	got := importDir(t, db, dir)
	want := checkpoint.Summary{
		Files: 9, Hosts: 2, Series: 2, Samples: 5, TooOld: 1,
		Refused: map[string]int64{
			"metric power is not configured": 2, "more than two levels below the host": 1, "the value is infinite": 1,
			metricstore.ErrTooNew.Error(): 1,
		},
		Problems: []string{
			`"alpha/n\x1b[2J": it cannot be the name of a host`,
			"alpha/n01/notes.txt: it is no file of a kind that is read",
			"alpha/n01/x.json: it is no file of a kind that is read",
			"alpha/n01/100.bin: the file is damaged: it ends too early",
			"alpha/n01/200.json: the file is damaged: unexpected EOF",
			"alpha/n02/current.wal: 1 damaged stretches of 7 bytes were passed over",
			"alpha/n02/current.wal: the last 1 bytes are no whole record",
			"alpha/n03/current.wal: the file is damaged: it does not begin as a log",
			"beta: there is no such cluster; its 2 hosts are left out",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var text bytes.Buffer
	if err := got.Report(&text); err != nil || !strings.Contains(text.String(), "Imported 5 samples of 2 series of 2 hosts from 9 files.\nToo old to be kept: 1 samples.\nRefused: 2 samples: metric power is not configured.\n") {
		t.Errorf("%s, %v", &text, err)
	}
}

// small says that memory is full all the time.
type small struct {
	*metricstore.DB
	checkpoints int
}

func (s *small) Checkpoint() error {
	s.checkpoints++
	return s.DB.Checkpoint()
}

func TestMemoryIsBoundedAndNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{}
	for h := range 5 {
		values := make([]float32, 1000)
		for i := range values {
			values[i] = float32(h*1000 + i)
		}
		files[fmt.Sprintf("alpha/n%02d/100.bin", h)] = snapshot(1, 2, one("cpu_load", 60, now-60*1000, values...))
	}
	lay(t, dir, files)
	db := &small{DB: newStore(t)}
	hosts := 0
	_, err := checkpoint.Import(t.Context(), checkpoint.Config{
		Dir: dir, Store: db, Catalogue: catalogue, Memory: 1, Progress: func(s checkpoint.Summary) { hosts = s.Hosts },
	})
	if err != nil || hosts != 5 || db.checkpoints != 5 {
		t.Fatalf("%d hosts, %d checkpoints, %v", hosts, db.checkpoints, err)
	}
	for h := range 5 {
		got := db.Read(nil, metricstore.Window{Cluster: "alpha", Host: fmt.Sprintf("n%02d", h), Metric: "cpu_load", To: now}, nil)
		if len(got) != 1 || len(got[0].Values) != 1000 || got[0].Values[999] != float64(h*1000+999) {
			t.Errorf("host %d: %d series", h, len(got))
		}
	}
}

func TestImportEndsWhenItCannotStore(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string][]byte{"alpha/n01/1.bin": snapshot(1, 2, one("cpu_load", 60, now-60, 1)), "alpha/n02/1.bin": snapshot(1, 2, one("cpu_load", 60, now-60, 1))})
	db := newStore(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Import(t.Context(), checkpoint.Config{Dir: dir, Store: db, Catalogue: catalogue})
	if err == nil || s.Files != 1 || s.Samples != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := checkpoint.Import(ctx, checkpoint.Config{Dir: dir, Store: newStore(t), Catalogue: catalogue}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := checkpoint.Import(t.Context(), checkpoint.Config{Dir: "/nosuch", Store: newStore(t), Catalogue: catalogue}); err == nil {
		t.Error("a folder that is not there was imported")
	}
}

func TestFilesOfTheOriginalAreNoticed(t *testing.T) {
	for name, want := range map[string]bool{
		"alpha/n01/1795463640.json": true, "alpha/n01/1795463640.bin": true, "alpha/n01/current.wal": true,
		"alpha/current.wal": false, "alpha/n01/notes.txt": false, "checkpoint-0000000000000001.bhc": false,
	} {
		dir := t.TempDir()
		lay(t, dir, map[string][]byte{name: nil})
		if got := checkpoint.Present(dir); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if checkpoint.Present("/nosuch") {
		t.Error("something in a folder that is not there")
	}
}

// A snapshot is read as fast as its bytes are stored.
func BenchmarkImport(b *testing.B) {
	dir := b.TempDir()
	host := level{children: map[string]level{}}
	values := make([]float32, 720)
	for i := range values {
		values[i] = float32(i) / 8
	}
	for id := range 72 {
		host.children[fmt.Sprint("hwthread", id)] = one("ipc", 60, now-60*720, values...)
	}
	file := snapshot(1, 2, host)
	lay(b, dir, map[string][]byte{"alpha/n01/1.bin": file})
	db := newStore(b)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if s := importDir(b, db, dir); s.Samples != 72*720 {
			b.Fatal(s)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*72*720), "ns/sample")
}
