package metricstore_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// victimDir names the folder that the test binary writes to when it plays the process that is killed.
const victimDir = "METRICSTORE_VICTIM_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

const (
	victimHosts  = 4
	victimSeries = 8
)

// victimPoints are the samples of batch n: one a series, all with the value n.
func victimPoints(n int64) []point {
	points := make([]point, 0, victimHosts*victimSeries)
	for h := range victimHosts {
		for s := range victimSeries {
			points = append(points, point{thread(fmt.Sprintf("n%02d", h), strconv.Itoa(s)), 1400 - n%1400, float64(n)})
		}
	}
	return points
}

// victim writes batches for ever and says which it has seen acknowledged, with a checkpoint now and then.
func victim(dir string) {
	db, err := metricstore.Open(dir, metricstore.Options{Shards: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	start, _ := strconv.ParseInt(os.Getenv("METRICSTORE_VICTIM_START"), 10, 64)
	for n := start; ; n++ {
		a := db.Appender()
		for _, p := range victimPoints(n) {
			l := p.key.Labels()
			if err := a.Append(&l, 60, victimNow-60*p.minutes, p.value); err != nil {
				fmt.Println(err)
				return
			}
		}
		if err := a.Commit(); err != nil {
			fmt.Println(err)
			return
		}
		a.Close()
		fmt.Println(n)
		if n%97 == 0 {
			go db.Checkpoint() // death comes anyway
		}
	}
}

// victimNow is in the past of every clock that runs this test.
const victimNow = 1_700_000_000

// Every batch that the process has seen acknowledged before kill -9 is there afterwards, whatever it was doing.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	rounds := 8
	if os.Getenv("BRIDGEHEAD_FAULTS") == "long" {
		rounds = 600
	}
	dir := t.TempDir()
	acknowledged := int64(0)
	for round := range rounds {
		acknowledged = killOnce(t, dir, acknowledged+1, 50+rand.IntN(400))
		db, err := metricstore.Open(dir, metricstore.Options{Shards: 3})
		if err != nil {
			t.Fatal(err)
		}
		if r := db.Recovered(); len(r.Damage) > 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
		checkVictim(t, db, acknowledged)
		if err := db.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rounds, %d batches acknowledged", rounds, acknowledged)
}

// killOnce lets the victim live for some batches and returns the last one that it has seen acknowledged.
func killOnce(t *testing.T, dir string, start int64, batches int) int64 {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), victimDir+"="+dir, "METRICSTORE_VICTIM_START="+strconv.FormatInt(start, 10))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := start - 1
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if last, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatal(lines.Text())
		}
		if i == batches {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	return last
}

// checkVictim looks for every sample of the batches up to last. The victim may have stored one batch more than it could
// say.
func checkVictim(t *testing.T, db *metricstore.DB, last int64) {
	t.Helper()
	for h := range victimHosts {
		w := metricstore.Window{Cluster: "alpha", Host: fmt.Sprintf("n%02d", h), Metric: "flops_any", From: 0, To: victimNow + 60}
		series := db.Read(nil, w, nil)
		if len(series) != victimSeries {
			t.Fatalf("host %d: %d series", h, len(series))
		}
		for _, s := range series {
			for n := max(1, last-1300); n <= last; n++ {
				slot := (victimNow - 60*(1400-n%1400) - s.First) / 60
				if v := s.Values[slot]; v != float64(n) && v != float64(n+1400) {
					t.Fatalf("host %d, thread %s: batch %d of %d is %v", h, s.Key.TypeID, n, last, v)
				}
			}
		}
	}
}
