package agent_test

import (
	"maps"
	"math"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/agent"
)

func proc(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func before() map[string]string {
	return map[string]string{
		"loadavg":   "1.50 1.20 1.00 2/345 6789\n",
		"meminfo":   "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:   12000000 kB\n",
		"stat":      "cpu  20 0 20 160 0 0 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0 0 0\ncpu1 10 0 10 80 0 0 0 0 0 0\nintr 5\n",
		"net/dev":   "Inter-| Receive\n face |bytes\n    lo: 999 0 0 0 0 0 0 0 999 0 0 0 0 0 0 0\n  eth0: 1000000 0 0 0 0 0 0 0 2000000 0 0 0 0 0 0 0\n",
		"diskstats": "   8       0 sda 1 0 2000 0 1 0 2000 0 0 0 0\n   8       1 sda1 1 0 2000 0 1 0 2000 0 0 0 0\n",
		"cpuinfo":   "processor\t: 0\nmodel name\t: Test CPU\nphysical id\t: 0\ncore id\t: 0\n\nprocessor\t: 1\nmodel name\t: Test CPU\nphysical id\t: 1\ncore id\t: 0\n",
	}
}

func TestRatesAreBetweenTwoReads(t *testing.T) {
	files := before()
	fs := proc(files)
	s := agent.NewSampler(fs)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	first, err := s.Read(start)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 2 {
		t.Fatalf("the first read has nothing to compare with, and yet: %v", first)
	}

	maps.Copy(fs, proc(map[string]string{
		"stat":      "cpu  70 0 20 210 0 0 0 0 0 0\ncpu0 60 0 10 130 0 0 0 0 0 0\ncpu1 10 0 10 180 0 0 0 0 0 0\n",
		"net/dev":   "  eth0: 6000000 0 0 0 0 0 0 0 7000000 0 0 0 0 0 0 0\n",
		"diskstats": "   8       0 sda 1 0 12000 0 1 0 12000 0 0 0 0\n   8       1 sda1 1 0 9000 0 1 0 9000 0 0 0 0\n",
	}))
	second, err := s.Read(start.Add(10 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"cpu_load": 1.5, "mem_used": 4.096, "cpu_user/0": 50, "cpu_user/1": 0, "net_bw": 1, "file_bw": 1.024,
	}
	for _, sm := range second {
		key := sm.Metric
		if sm.ID != "" {
			key += "/" + sm.ID
		}
		if w, ok := want[key]; !ok || math.Abs(w-sm.Value) > 1e-9 {
			t.Errorf("%s = %v, want %v", key, sm.Value, w)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
}

func TestMissingFilesLeaveTheirMetricOut(t *testing.T) {
	files := before()
	delete(files, "diskstats")
	delete(files, "net/dev")
	s := agent.NewSampler(proc(files))
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 2 {
		now = now.Add(time.Second)
		samples, err := s.Read(now)
		if err != nil {
			t.Fatal(err)
		}
		for _, sm := range samples {
			if sm.Metric == "net_bw" || sm.Metric == "file_bw" {
				t.Errorf("%s was measured without its file", sm.Metric)
			}
		}
	}
}

func TestNoProcIsAnError(t *testing.T) {
	if _, err := agent.NewSampler(proc(nil)).Read(time.Unix(1, 0)); err == nil {
		t.Error("a machine without /proc was measured")
	}
	if _, err := agent.ReadHardware(proc(map[string]string{"cpuinfo": "flags: none\n"})); err == nil {
		t.Error("a machine without processors was described")
	}
}

func TestReadHardwareKnowsSockets(t *testing.T) {
	h, err := agent.ReadHardware(proc(before()))
	if err != nil {
		t.Fatal(err)
	}
	if h.Processor != "Test CPU" || len(h.Threads) != 2 || h.Threads[1].Socket != 1 || math.Abs(h.MemGB-16.384) > 1e-9 {
		t.Errorf("%+v", h)
	}
}

// The real thing: the machine that runs the test.
func TestThisMachine(t *testing.T) {
	real := os.DirFS("/proc")
	if _, err := os.Stat("/proc/stat"); err != nil {
		t.Skip("this machine has no /proc")
	}
	h, err := agent.ReadHardware(real)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := agent.NewSampler(real).Read(time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if h.MemGB <= 0 || len(samples) != 2 || samples[1].Value <= 0 || samples[1].Value > h.MemGB {
		t.Errorf("%d threads, %.1f GB, samples %v", len(h.Threads), h.MemGB, samples)
	}
}
