package metricstore_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// twoDays stores a sample a minute of three hosts over two days, the value being the minute, and seals all of them.
func twoDays(t *testing.T, dir string, opt metricstore.Options) *metricstore.DB {
	t.Helper()
	db := open(t, dir, opt)
	for _, host := range []string{"n01", "n02", "n03"} {
		a := db.Appender()
		l := metricstore.Key{Cluster: "alpha", Host: host, Metric: "cpu_load"}.Labels()
		for m := range int64(2880) {
			if err := a.Append(&l, 60, now.Unix()-60*m, float64(m)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		a.Close()
	}
	if err := db.Seal(); err != nil {
		t.Fatal(err)
	}
	return db
}

func sealedFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "segment-*.bhs"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// minutesOf returns how many samples a host has, and fails when one is not what twoDays has stored.
func minutesOf(t *testing.T, db *metricstore.DB, host string) int {
	t.Helper()
	n := 0
	for _, s := range db.Read(nil, metricstore.Window{Cluster: "alpha", Host: host, Metric: "cpu_load", From: 0, To: now.Unix() + 60}, nil) {
		for i, v := range s.Values {
			if math.IsNaN(v) {
				continue
			}
			if n++; v != float64((now.Unix()-s.First)/60-int64(i)) {
				t.Fatalf("%s: value %d is %v", host, i, v)
			}
		}
	}
	return n
}

func TestSealedSamplesAreReadAfterEveryKindOfEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	for what, end := range map[string]func(*metricstore.DB) error{"death": (*metricstore.DB).Abandon, "stop": (*metricstore.DB).Close} {
		if err := end(db); err != nil {
			t.Fatal(err)
		}
		db = open(t, dir, metricstore.Options{})
		if n := minutesOf(t, db, "n02"); n != 2880 || len(db.Recovered().Damage) > 0 || db.Stats().Bytes != 0 {
			t.Errorf("after %s: %d samples, %+v, %+v", what, n, db.Recovered(), db.Stats())
		}
		if newest, _, ok := db.Latest("alpha", "n02", "cpu_load"); !ok || newest != now.Unix() {
			t.Errorf("after %s the newest sample is of %d, %v", what, newest, ok)
		}
		if hosts := db.Hosts("alpha"); len(hosts) != 3 {
			t.Errorf("after %s the hosts are %v", what, hosts)
		}
	}
}

// A death between the two files of a checkpoint leaves a segment that does not count: what is in it is in the log as well.
func TestSegmentWithoutCheckpointDoesNotCount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	files := sealedFiles(t, dir)
	if len(files) != 1 {
		t.Fatal(files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(dir, fmt.Sprintf("segment-%016x.bhs", 0xff))
	if err := os.WriteFile(orphan, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if n := minutesOf(t, db, "n01"); n != 2880 || len(db.Recovered().Damage) > 0 {
		t.Errorf("%d samples, %+v", n, db.Recovered())
	}
	if left := sealedFiles(t, dir); !slices.Equal(left, files) {
		t.Errorf("the files are %v", left)
	}
}

func TestDamagedSegmentCostsItsOwnSamplesAndIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	path := sealedFiles(t, dir)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, at := range map[string]int{"in a block": 200, "at the end": len(good) - 20} {
		bad := slices.Clone(good)
		bad[at] ^= 4
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, dir, metricstore.Options{})
		counts := []int{minutesOf(t, db, "n01"), minutesOf(t, db, "n02"), minutesOf(t, db, "n03")}
		slices.Sort(counts)
		if at == 200 && !slices.Equal(counts, []int{0, 2880, 2880}) {
			t.Errorf("%s: %v samples are left", what, counts)
		}
		if db.Stats().Unreadable == 0 && len(db.Recovered().Damage) == 0 {
			t.Errorf("%s: it is not reported", what)
		}
		// New series do not get the numbers of those whose blocks are there still.
		a := db.Appender()
		l := metricstore.Key{Cluster: "alpha", Host: "n04", Metric: "cpu_load"}.Labels()
		if err := a.Append(&l, 60, now.Unix(), 0); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if n := minutesOf(t, db, "n04"); n != 1 {
			t.Errorf("%s: a new host has %d samples", what, n)
		}
		if err := db.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
}

// What comes late finds its place among sealed samples, and the last writer wins, before and after it is sealed as well.
func TestLateSamplesReplaceSealedOnes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	l := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load"}.Labels()
	a := db.Appender()
	for _, m := range []int64{0, 1000, 2879, 3000} {
		if err := a.Append(&l, 60, now.Unix()-60*m, -1); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	a.Close()
	check := func(when string) {
		t.Helper()
		s := db.Read(nil, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: 0, To: now.Unix() + 60}, nil)[0]
		for i, v := range s.Values {
			m := (now.Unix()-s.First)/60 - int64(i)
			want := float64(m)
			switch {
			case m == 0 || m == 1000 || m == 2879 || m == 3000:
				want = -1
			case m > 2879:
				want = math.NaN()
			}
			if v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
				t.Fatalf("%s: minute %d is %v", when, m, v)
			}
		}
	}
	check("in memory")
	if err := db.Seal(); err != nil {
		t.Fatal(err)
	}
	check("sealed")
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	check("after a restart")
}

func TestRetentionRemovesWholeSegmentsButNotProtectedOnes(t *testing.T) {
	t.Parallel()
	keep := ""
	opt := metricstore.Options{Keep: func() func(_, host string) bool {
		return func(_, host string) bool { return host == keep }
	}}
	dir := t.TempDir()
	db := twoDays(t, dir, opt)
	if n := db.Retain(now.Add(-24 * time.Hour)); n != 0 || minutesOf(t, db, "n01") != 2880 {
		t.Errorf("%d segments are gone although some samples are young enough", n)
	}
	keep = "n02"
	if n := db.Retain(now.Add(time.Hour)); n != 0 || minutesOf(t, db, "n02") != 2880 {
		t.Errorf("%d segments are gone although one host's samples are protected", n)
	}
	keep = ""
	if n := db.Retain(now.Add(time.Hour)); n != 1 || len(sealedFiles(t, dir)) != 0 || len(db.Hosts("alpha")) != 0 || db.Stats().Series != 0 {
		t.Errorf("%d segments are gone, files %v, hosts %v", n, sealedFiles(t, dir), db.Hosts("alpha"))
	}
}

func TestFreeCountsAndForgetsSealedSamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	n, err := db.Free([]string{"alpha", "n01"}, now.Add(-24*time.Hour))
	if err != nil || n < 2880/128/2-1 || minutesOf(t, db, "n01") != 1441 || minutesOf(t, db, "n02") != 2880 {
		t.Errorf("%d freed, %v; %d and %d are left", n, err, minutesOf(t, db, "n01"), minutesOf(t, db, "n02"))
	}
	if again, err := db.Free([]string{"alpha", "n01"}, now.Add(-24*time.Hour)); err != nil || again != 0 {
		t.Errorf("the second time %d are freed, %v", again, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if n := minutesOf(t, db, "n01"); n != 1441 {
		t.Errorf("after a restart %d are left", n)
	}
}

// Segments of two sizes that take turns must become few as well.
func TestLargeAndSmallSegmentsAreMerged(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), metricstore.Options{})
	const rounds = 40
	random := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		points := []point{{load("n01"), int64(rounds - round), float64(rounds - round)}}
		if round%4 == 0 { // a quarter of a MB of what cannot be made smaller
			for i := range 280 {
				for minute := range int64(128) {
					points = append(points, point{thread("n02", strconv.Itoa(i)), 10_000 - 128*int64(round) - minute, random.NormFloat64()})
				}
			}
		}
		write(t, db, points...)
		if err := db.Seal(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Stats().Segments; n > rounds/2 {
		t.Errorf("%d segments are left of %d", n, rounds)
	}
	if n := minutesOf(t, db, "n01"); n != rounds {
		t.Errorf("%d samples are left of %d", n, rounds)
	}
}

// What a question reads of a series does not become more and more with the days that are stored.
func TestSegmentsDoNotGrowForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{})
	const rounds = 100
	random := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		points := make([]point, 0, 128)
		for minute := range int64(128) {
			points = append(points, point{load("n01"), 128*(rounds-int64(round)) - minute, random.NormFloat64()})
		}
		write(t, db, points...)
		if err := db.Seal(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	total := db.Stats().SegmentBytes
	for _, path := range sealedFiles(t, dir) {
		if info, err := os.Stat(path); err != nil || info.Size() > 9000 {
			t.Errorf("%s is a block of %d bytes: %v", path, info.Size(), err)
		}
	}
	if n := db.Stats().Segments; n > total/4000+8 {
		t.Errorf("%d segments for %d bytes", n, total)
	}
}

func TestHalfAMergedSegmentIsRemovedAtTheNextStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := twoDays(t, dir, metricstore.Options{})
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	left := sealedFiles(t, dir)[0] + ".merged"
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("it is there still: %v", err)
	}
	if n := minutesOf(t, db, "n01"); n != 2880 {
		t.Errorf("%d samples", n)
	}
}
