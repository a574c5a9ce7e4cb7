package metricstore_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// The log of these tests has one record a sample: sample i is i+1, i minutes after the first.
const records = 6

// logOf returns a folder whose log holds the records, and the path of that log.
func logOf(t *testing.T) (dir, log string) {
	t.Helper()
	dir = t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 1})
	for i := range int64(records) {
		write(t, db, point{load("n01"), records - i, float64(i + 1)})
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.bhw"))
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	return dir, logs[0]
}

// with returns what a store finds when its log has been changed.
func with(t *testing.T, log string, data []byte) ([]float64, metricstore.Recovery) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(log)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, metricstore.Options{Shards: 1})
	defer db.Abandon()
	return all(db, load("n01")), db.Recovered()
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLogCutAnywhereGivesAPrefix(t *testing.T) {
	_, log := logOf(t)
	data := read(t, log)
	longest := 0
	for n := range len(data) + 1 {
		got, r := with(t, log, data[:n])
		if len(got) < longest || len(got) > longest+1 {
			t.Fatalf("cut to %d bytes: %d samples after %d", n, len(got), longest)
		}
		longest = len(got)
		for i, v := range got {
			if v != float64(i+1) {
				t.Fatalf("cut to %d bytes: sample %d is %v", n, i, v)
			}
		}
		if len(r.Damage) > 0 {
			t.Fatalf("cut to %d bytes: a torn end was reported as damage: %v", n, r.Damage)
		}
	}
	if longest != records {
		t.Errorf("the whole log has %d samples", longest)
	}
}

func TestTornEndIsCutOnce(t *testing.T) {
	dir, log := logOf(t)
	data := read(t, log)
	if err := os.WriteFile(log, data[:len(data)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, metricstore.Options{Shards: 1})
	if r := db.Recovered(); r.TornBytes == 0 || r.Log != records-1 {
		t.Errorf("recovery %+v", r)
	}
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	if r := open(t, dir, metricstore.Options{Shards: 1}).Recovered(); r.TornBytes != 0 || r.Log != records-1 {
		t.Errorf("second recovery %+v", r)
	}
}

// A flipped bit costs the samples of its record, never others, and never gives a wrong value.
func TestFlippedBitCostsItsRecordOnly(t *testing.T) {
	_, log := logOf(t)
	data := read(t, log)
	for i := range data {
		bits := []byte{1, 0x80}
		if i < 24 { // the header
			bits = []byte{1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80}
		}
		for _, bit := range bits {
			broken := slices.Clone(data)
			broken[i] ^= bit
			got, r := with(t, log, broken)
			lost := records
			for j, v := range got {
				if math.IsNaN(v) {
					continue
				}
				lost--
				if v != float64(records-len(got)+j+1) && v != float64(j+1) {
					t.Fatalf("bit %x of byte %d: sample %d is %v", bit, i, j, v)
				}
			}
			first := i < 24 || strings.Contains(fmt.Sprint(r.Damage), "attributed") // the header, or the introduction of the series
			if lost > 1 && !first {
				t.Fatalf("bit %x of byte %d: %d samples lost, %+v", bit, i, lost, r)
			}
			if lost > 0 && len(r.Damage) == 0 && r.TornBytes == 0 {
				t.Fatalf("bit %x of byte %d: %d samples lost in silence", bit, i, lost)
			}
		}
	}
}

func TestDamagedFilesAreKeptAsideByTheNextCheckpoint(t *testing.T) {
	dir, log := logOf(t)
	data := read(t, log)
	data[len(data)/2] ^= 1
	if err := os.WriteFile(log, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, metricstore.Options{Shards: 1})
	if r := db.Recovered(); len(r.Damage) != 1 || !strings.Contains(r.Damage[0], "damaged and were skipped") {
		t.Errorf("recovery %+v", r)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(log + ".damaged"); err != nil {
		t.Error(err)
	}
	if r := open(t, dir, metricstore.Options{Shards: 1}).Recovered(); len(r.Damage) > 0 || r.Checkpoint != records {
		t.Errorf("second recovery %+v", r) // the lost sample is a gap
	}
}

func TestDamagedCheckpointGivesWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 1})
	for _, host := range []string{"n01", "n02", "n03"} {
		write(t, db, point{load(host), 1, 1})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.bhc"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data := read(t, files[0])
	for i := range data {
		broken := slices.Clone(data)
		broken[i] ^= 0x10
		if err := os.WriteFile(files[0], broken, 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, dir, metricstore.Options{Shards: 1})
		r := db.Recovered()
		harmless := i >= 20 && i < 24 // reserved bytes of the header
		if len(r.Damage) == 0 != harmless {
			t.Fatalf("byte %d: %+v", i, r)
		}
		if i >= 24 && len(db.Hosts("alpha")) < 2 {
			t.Fatalf("byte %d: only %v left", i, db.Hosts("alpha"))
		}
		if err := db.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
}

// A checkpoint that ends too early, which no death leaves behind but a disk may, gives whole series only, and is reported.
func TestCheckpointCutAnywhereGivesWhatIsBefore(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 1})
	hosts := []string{"n01", "n02", "n03"}
	for i, host := range hosts {
		write(t, db, point{load(host), 2, float64(i) + 0.5}, point{load(host), 1, float64(i) + 0.25})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.bhc"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data := read(t, files[0])
	most := 0
	for n := range data {
		if err := os.WriteFile(files[0], data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, dir, metricstore.Options{Shards: 1})
		if len(db.Recovered().Damage) == 0 {
			t.Fatalf("cut to %d of %d bytes: not reported", n, len(data))
		}
		found := 0
		for i, host := range hosts {
			if got := all(db, load(host)); len(got) > 0 {
				want(t, got, float64(i)+0.5, float64(i)+0.25)
				found++
			}
		}
		if found < most {
			t.Fatalf("cut to %d bytes: %d series after %d", n, found, most)
		}
		most = found
		if err := db.Abandon(); err != nil {
			t.Fatal(err)
		}
	}
	if most != len(hosts) {
		t.Errorf("the longest cut has %d series", most)
	}
}

func TestDeathDuringACheckpointLosesNothing(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 2})
	write(t, db, point{load("n01"), 2, 1})
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	write(t, db, point{load("n01"), 1, 2})
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	// Death before the new name: half a file under the other one. Death after it: segments that are covered already.
	for name, content := range map[string]string{"checkpoint-00000000000000ff.bhc.part": "half", "wal-0000000000000001-00.bhw": "old"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db = open(t, dir, metricstore.Options{Shards: 2})
	want(t, all(db, load("n01")), 1, 2)
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestUnreadableFolderIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := metricstore.Open(path, metricstore.Options{}); err == nil {
		t.Error("opened a file as a folder")
	}
}

// A series that retention has taken out may begin anew between other steps. The checkpoint before that has the old one; what
// has come since keeps its times.
func TestASeriesThatBeganAnewKeepsItsTimesThroughADeath(t *testing.T) {
	t.Parallel()
	for name, seal := range map[string]bool{"in the checkpoint": false, "in a segment": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db := open(t, dir, metricstore.Options{})
			put := func(at int64, v float64) {
				t.Helper()
				a := db.Appender()
				defer a.Close()
				l := load("n01").Labels()
				if err := a.Append(&l, 60, at, v); err != nil {
					t.Fatal(err)
				}
				if err := a.Commit(); err != nil {
					t.Fatal(err)
				}
			}
			check := func(when string) {
				t.Helper()
				w := metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "cpu_load", From: now.Unix() - 600, To: now.Unix() + 600}
				if got := db.Read(nil, w, nil); len(got) != 1 || got[0].First != now.Unix()+20 || got[0].Values[0] != 2 {
					t.Errorf("%s: %+v, not 2 at %d", when, got, now.Unix()+20)
				}
			}
			put(now.Unix()-60*5000, 1)
			write(t, db, point{load("n02"), 0, 1})
			seals := map[bool]func() error{false: db.Checkpoint, true: db.Seal}
			if err := seals[seal](); err != nil {
				t.Fatal(err)
			}
			db.Retain(now.Add(-4000 * time.Minute))
			put(now.Unix()+20, 2)
			check("at once")
			if err := db.Abandon(); err != nil {
				t.Fatal(err)
			}
			db = open(t, dir, metricstore.Options{})
			check("after a death")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, dir, metricstore.Options{})
			check("after a stop")
		})
	}
}
