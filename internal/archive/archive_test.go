package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bridgehead-hpc/bridgehead/internal/archive"
	"github.com/bridgehead-hpc/bridgehead/internal/cluster/clustertest"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

var start = time.Unix(1795459836, 0).UTC()

func open(tb testing.TB, root string) *archive.Dir {
	tb.Helper()
	d, err := archive.OpenDir(root, archive.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

// finished is a job with every field set.
func finished() job.Job {
	return job.Job{
		JobID: 1001, Cluster: "alpha", SubCluster: "main", Partition: "batch", User: "bob", Project: "p1", ArrayJobID: 1000,
		NumNodes: 1, NumHWThreads: 4, NumAcc: 1, Shared: job.SharedMultiUser, SMT: 2, State: job.Completed,
		Start: start, Submit: start.Add(-time.Minute), Duration: 90 * time.Second, Walltime: time.Hour, RequestedMemory: 16000,
		Monitoring:      job.MonitoringArchived,
		Resources:       []job.Resource{{Hostname: "n01", HWThreads: []int{0, 1}, Accelerators: []string{"01:00.0"}, Configuration: "x"}},
		MetaData:        map[string]string{"jobName": "a<b>&\u00e4"},
		Tags:            []job.Tag{{Type: "a", Name: "b", Scope: "global"}},
		Statistics:      map[string]job.JobStatistics{"load": {Unit: metric.Unit{Base: "B", Prefix: "G"}, Statistics: metric.Statistics{Min: 1, Avg: 1.5, Max: 2}}},
		Footprint:       map[string]float64{"load_avg": 1.5},
		EnergyFootprint: map[string]float64{"power": 0.25}, Energy: 0.25,
	}
}

func small() job.Data {
	return job.Data{
		"load": {metric.ScopeNode: {Step: time.Minute, Series: []job.Series{{
			Hostname: "n01", Statistics: metric.Statistics{Min: 1.5, Avg: 1.5, Max: 1.5}, Data: []float64{1.5, math.NaN()},
		}}}},
	}
}

// large is more than 2000 bytes, with devices and bands.
func large() job.Data {
	d := small()
	md := job.MetricData{Unit: metric.Unit{Base: "F/s", Prefix: "G"}, Step: 30 * time.Second, Bands: &job.Bands{}}
	for i := range 8 {
		s := job.Series{Hostname: "n01", ID: strconv.Itoa(i), Statistics: metric.Statistics{Min: 0, Avg: 10, Max: 19}}
		for n := range 40 {
			s.Data = append(s.Data, float64(n)/2)
		}
		md.Series = append(md.Series, s)
	}
	md.Bands.Min, md.Bands.Max, md.Bands.Mean, md.Bands.Median = md.Series[0].Data, md.Series[0].Data, md.Series[0].Data, md.Series[0].Data
	d["flops"] = map[metric.Scope]job.MetricData{metric.ScopeHWThread: md}
	return d
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, text string, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// files lists the regular files below root.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLayoutAndBytes(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	if err := d.WriteJob(t.Context(), finished(), small()); err != nil {
		t.Fatal(err)
	}
	const dir = "alpha/1/001/1795459836/"
	if diff := cmp.Diff([]string{dir + "data.json", dir + "meta.json", "version.txt"}, files(t, root)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for file, want := range map[string]string{
		"version.txt": "3\n",
		dir + "data.json": `{"load":{"node":{"unit":{"base":""},"timestep":60,"series":[{"hostname":"n01",` +
			`"statistics":{"min":1.50,"avg":1.50,"max":1.50},"data":[1.50,null]}]}}}` + "\n",
		dir + "meta.json": `{"jobId":1001,"user":"bob","project":"p1","cluster":"alpha","subCluster":"main","partition":"batch",` +
			`"arrayJobId":1000,"numNodes":1,"numHwthreads":4,"numAcc":1,"shared":"multi_user","monitoringStatus":3,"smt":2,` +
			`"startTime":1795459836,"submitTime":1795459776,"duration":90,"walltime":3600,"requestedMemory":16000,"jobState":"completed",` +
			`"resources":[{"hostname":"n01","hwthreads":[0,1],"accelerators":["01:00.0"],"configuration":"x"}],` +
			`"metaData":{"jobName":"a<b>&ä"},"tags":[{"type":"a","name":"b","scope":"global"}],` +
			`"statistics":{"load":{"unit":{"base":"B","prefix":"G"},"avg":1.50,"min":1.00,"max":2.00}},` +
			`"footprint":{"load_avg":1.50},"energyFootprint":{"power":0.25},"energy":0.25}` + "\n",
	} {
		if diff := cmp.Diff(want, read(t, root, file)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	j := finished()
	for _, data := range []job.Data{small(), large(), {}, small()} { // each replaces the one before
		if err := d.WriteJob(t.Context(), j, data); err != nil {
			t.Fatal(err)
		}
		got, err := d.ReadData(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(data, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("data (-want +got):\n%s", diff)
		}
		if n := len(files(t, root)); n != 3 {
			t.Errorf("the archive has %d files: %v", n, files(t, root))
		}
	}
	got, err := d.ReadJob(job.Key{JobID: j.JobID, Cluster: j.Cluster, Start: j.Start})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(j, got); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
}

func TestNumbersHaveTwoDecimalsAndNoExponent(t *testing.T) {
	root := t.TempDir()
	data := job.Data{"m": {metric.ScopeNode: {Step: time.Minute, Series: []job.Series{{
		Hostname: "n01", Data: []float64{0, -0.001, 1e-9, 0.005, 1.005, 1e21, -1e6, math.Inf(1), math.Inf(-1), math.NaN()},
	}}}}}
	if err := open(t, root).WriteJob(t.Context(), finished(), data); err != nil {
		t.Fatal(err)
	}
	text := read(t, root, "alpha/1/001/1795459836/data.json")
	const want = `"data":[0.00,0.00,0.00,0.01,1.00,1000000000000000000000.00,-1000000.00,null,null,null]`
	if !strings.Contains(text, want) {
		t.Errorf("%s\nwant %s", text, want)
	}
}

func TestJobsAreFoundByNumberAndStart(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	j := finished()
	for _, id := range []int64{7, 999, 1000, 1404397} {
		j.JobID = id
		if err := d.WriteJob(t.Context(), j, small()); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"0/007", "0/999", "1/000", "1404/397"} {
		read(t, root, "alpha", dir, "1795459836/meta.json")
	}
	j.Start = j.Start.Add(time.Second)
	_, dataErr := d.ReadData(t.Context(), j)
	_, jobErr := d.ReadJob(job.Key{JobID: j.JobID, Cluster: j.Cluster, Start: j.Start})
	if !fault.Is(dataErr, fault.NotFound) || !fault.Is(jobErr, fault.NotFound) {
		t.Errorf("errors are %v, %v", dataErr, jobErr)
	}
}

func TestNoClusterLeadsOutOfTheArchive(t *testing.T) {
	root := t.TempDir()
	d := open(t, filepath.Join(root, "archive"))
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a\x00"} {
		j := finished()
		j.Cluster = name
		if err := d.WriteJob(t.Context(), j, small()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := files(t, root); len(got) != 1 {
		t.Errorf("files: %v", got)
	}
	if err := os.Symlink(root, filepath.Join(root, "archive", "alpha")); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteJob(t.Context(), finished(), small()); err == nil {
		t.Error("a link led out of the archive")
	}
}

func TestOpenDirChecksTheVersion(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string // "" opens
	}{
		{"missing folder", nil, ""},
		{"clusters only", map[string]string{"alpha/cluster.json": "{}"}, ""},
		{"same version", map[string]string{"version.txt": "3"}, ""},
		{"older version", map[string]string{"version.txt": "2\n"}, `version.txt says version "2", but this program needs version 3: run archive-migration`},
		{"newer version", map[string]string{"version.txt": "4"}, `says version "4"`},
		{"jobs without version", map[string]string{"alpha/1/001/5/meta.json": "{}"}, "there are jobs in alpha, but no version.txt: run archive-migration"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "archive")
			for name, text := range test.files {
				write(t, text, root, name)
			}
			d, err := archive.OpenDir(root, archive.Options{})
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error is %v\nwant %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.TrimSpace(read(t, root, "version.txt")); text != "3" {
				t.Errorf("version.txt says %q", text)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAWriteThatStopsHalfwayIsNotSeen(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	if err := d.WriteJob(t.Context(), finished(), small()); err != nil {
		t.Fatal(err)
	}
	write(t, `{"load":{"no`, root, "alpha/1/001/1795459836/data.json.tmp")
	write(t, `{"load":{"no`, root, "alpha/1/001/1795459836/data.json.gz.tmp")
	if data, err := d.ReadData(t.Context(), finished()); err != nil || len(data) != 1 {
		t.Errorf("%v, %v", data, err)
	}
	if err := d.WriteJob(t.Context(), finished(), large()); err != nil { // in spite of what is left over
		t.Fatal(err)
	}
	if data, err := d.ReadData(t.Context(), finished()); err != nil || len(data) != 2 {
		t.Errorf("%v, %v", data, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.WriteJob(ctx, finished(), small()); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled write: %v", err)
	}
}

func TestOlderJobsAreUnderstood(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	for exclusive, want := range map[int]job.Shared{0: job.SharedMultiUser, 1: job.SharedNone, 2: job.SharedSingleUser} {
		write(t, fmt.Sprintf(`{"jobId":1,"cluster":"alpha","startTime":5,"jobState":"stopped","exclusive":%d,"stopTime":9}`, exclusive),
			root, "alpha/0/001/5/meta.json")
		j, err := d.ReadJob(job.Key{JobID: 1, Cluster: "alpha", Start: time.Unix(5, 0)})
		if err != nil || j.Shared != want || j.State != job.Cancelled {
			t.Errorf("exclusive %d: shared %q, state %q, %v", exclusive, j.Shared, j.State, err)
		}
	}
}

func TestBrokenFilesAreReported(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "EOF"},
		{"[]", "found [ where { belongs"},
		{`{"load":{"node":{"timestep":60,"series":[`, "unexpected EOF"},
		{`{"load":{"rack":{"timestep":60}}}`, `metric "load": unknown scope "rack"`},
		{`{"load":{"node":{"timestep":0}}}`, `metric "load": timestep 0 is not within`},
		{`{"load":{"node":{"timestep":60,"series":[{"data":[1,"2"]}]}}}`, "is no number"},
		{`{"load":{"node":{"timestep":60,"series":[{"data":[1,[2]]}]}}}`, "is no number"},
		{`{"load":{"node":{"timestep":60,"series":[{"data":{}}]}}}`, "samples are no array"},
		{`{"load":{"node":{"timestep":60,"series":[{"data":[1e999]}]}}}`, "is no number"},
		{`{"load":7}`, `metric "load"`},
	}
	root := t.TempDir()
	d := open(t, root)
	for _, test := range tests {
		write(t, test.text, root, "alpha/1/001/1795459836/data.json")
		_, err := d.ReadData(t.Context(), finished())
		if err == nil || !strings.Contains(err.Error(), test.want) || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v\nwant %s", test.text, err, test.want)
		}
	}
}

func zip(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestASmallFileCannotFillTheMemory(t *testing.T) {
	root := t.TempDir()
	d, err := archive.OpenDir(root, archive.Options{MaxData: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	bomb := zip(t, []byte(`{"load":{"node":{"timestep":60,"series":[{"data":[`+strings.Repeat("0,", 10<<20)+`0]}]}}}`))
	write(t, string(bomb), root, "alpha/1/001/1795459836/data.json.gz")
	if _, err := d.ReadData(t.Context(), finished()); !fault.Is(err, fault.TooLarge) {
		t.Errorf("%d bytes: %v", len(bomb), err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// mirror copies the files of a real archive to a folder that may be written to.
func mirror(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join(clustertest.RealData(t), "job-archive"))); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRealJobsSurviveWriting(t *testing.T) {
	source, target := open(t, mirror(t)), open(t, t.TempDir())
	for _, key := range []job.Key{
		{JobID: 1403244, Cluster: "emmy", Start: time.Unix(1608923076, 0)},
		{JobID: 1404397, Cluster: "emmy", Start: time.Unix(1609300556, 0)},
	} {
		j, err := source.ReadJob(key)
		if err != nil {
			t.Fatal(err)
		}
		data, err := source.ReadData(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if j.JobID != key.JobID || !j.Start.Equal(key.Start) || j.NumNodes != len(j.Resources) || j.State != job.Completed {
			t.Errorf("job %d: %d nodes, %d hosts, %s", j.JobID, j.NumNodes, len(j.Resources), j.State)
		}
		if n := len(data["flops_any"][metric.ScopeNode].Series); n != j.NumNodes {
			t.Errorf("job %d: flops_any has %d series for %d nodes", j.JobID, n, j.NumNodes)
		}
		if err := target.WriteJob(t.Context(), j, data); err != nil {
			t.Fatal(err)
		}
		again, err := target.ReadData(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		twoDecimals := cmpopts.EquateApprox(0, 0.0051)
		sameSamples := cmp.Comparer(func(a, b []float64) bool { // much faster than sample by sample
			return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 0.0051 || math.IsNaN(x) && math.IsNaN(y) })
		})
		if diff := cmp.Diff(data, again, twoDecimals, sameSamples); diff != "" {
			t.Errorf("job %d (-real +again):\n%s", j.JobID, diff)
		}
		back, err := target.ReadJob(key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(j, back, twoDecimals); diff != "" {
			t.Errorf("job %d (-real +again):\n%s", j.JobID, diff)
		}
	}
}

func TestRealImportFilesAreRead(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	for _, test := range []struct {
		name  string
		key   job.Key
		cores int
	}{
		{"fritzMinimal", job.Key{JobID: 398764, Cluster: "fritz", Start: time.Unix(1675954353, 0)}, 72},
		{"fritzError", job.Key{JobID: 398955, Cluster: "fritz", Start: time.Unix(1675956725, 0)}, 72},
	} {
		dir := fmt.Sprintf("fritz/398/%03d/%d", test.key.JobID%1000, test.key.Start.Unix())
		write(t, read(t, clustertest.RealData(t), "import", "meta-"+test.name+".input"), root, dir, "meta.json")
		write(t, read(t, clustertest.RealData(t), "import", "data-"+test.name+".json"), root, dir, "data.json")
		j, err := d.ReadJob(test.key)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		data, err := d.ReadData(t.Context(), j)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if n := len(data["clock"][metric.ScopeCore].Series); n != test.cores {
			t.Errorf("%s: clock has %d cores, want %d", test.name, n, test.cores)
		}
	}
}

func FuzzReadData(f *testing.F) {
	const limit = 1 << 20
	for _, data := range []job.Data{small(), large()} {
		var text bytes.Buffer
		if err := archive.WriteBytes(&text, data); err != nil {
			f.Fatal(err)
		}
		f.Add(text.Bytes(), false)
		f.Add(zip(f, text.Bytes()), true)
	}
	f.Add([]byte(`{"a":{"node":{"timestep":1,"series":[{"data":[null, 1e3 ,-0]}],"statisticsSeries":{}}}}`), false)
	f.Add(zip(f, []byte(strings.Repeat("[", 1<<16))), true)
	f.Add(zip(f, bytes.Repeat([]byte(" "), 4*limit)), true)
	f.Fuzz(func(t *testing.T, text []byte, compressed bool) {
		data, err := archive.ReadBytes(t.Context(), bytes.NewReader(text), compressed, limit)
		if err != nil {
			return
		}
		var written, again bytes.Buffer
		if err := archive.WriteBytes(&written, data); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := archive.ReadBytes(t.Context(), bytes.NewReader(written.Bytes()), false, 1<<40)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := archive.WriteBytes(&again, back); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written.Bytes(), again.Bytes()) {
			t.Fatalf("written twice:\n%s\n%s", written.Bytes(), again.Bytes())
		}
	})
}
