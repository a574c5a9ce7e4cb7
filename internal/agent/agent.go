// Package agent is the compute node's side: it reads what a machine does from its /proc.
package agent

import (
	"io/fs"
	"strconv"
	"time"
)

// Sample is one measured value of the machine or of one of its devices.
type Sample struct {
	Metric string
	Type   string // "node" or "hwthread"
	ID     string // device, "" for the node
	Value  float64
}

// Sampler turns the counters of /proc into samples. Rates are over the time between two calls of Read.
type Sampler struct {
	proc fs.FS
	last counters
}

// counters are the growing numbers of /proc at one moment.
type counters struct {
	at    time.Time
	busy  map[string][2]float64 // hardware thread -> busy and all ticks
	net   float64               // bytes in and out
	disks float64               // bytes read and written
}

// NewSampler returns a sampler over proc, which is os.DirFS("/proc") on a real machine.
func NewSampler(proc fs.FS) *Sampler { return &Sampler{proc: proc} }

// Read returns the samples at time now. The first call has no rates, since there is nothing to compare with. A file that
// a machine does not have, such as diskstats in a container, leaves its metric out.
func (s *Sampler) Read(now time.Time) ([]Sample, error) {
	load, err := s.field("loadavg", 0)
	if err != nil {
		return nil, err
	}
	mem, err := s.memory()
	if err != nil {
		return nil, err
	}
	samples := []Sample{{"cpu_load", "node", "", load}, {"mem_used", "node", "", mem}}
	c := counters{at: now}
	if c.busy, err = s.cpus(); err != nil {
		return nil, err
	}
	var hasNet, hasDisks bool
	c.net, hasNet = s.network()
	c.disks, hasDisks = s.diskBytes()
	if sec := now.Sub(s.last.at).Seconds(); !s.last.at.IsZero() && sec > 0 {
		samples = append(samples, busyThreads(s.last.busy, c.busy)...)
		if hasNet {
			samples = append(samples, Sample{"net_bw", "node", "", rate(s.last.net, c.net, sec)})
		}
		if hasDisks {
			samples = append(samples, Sample{"file_bw", "node", "", rate(s.last.disks, c.disks, sec)})
		}
	}
	s.last = c
	return samples, nil
}

// rate is in MB/s. A counter that has gone back, after a device was replaced, counts as no traffic.
func rate(before, after, sec float64) float64 { return max(0, after-before) / sec / 1e6 }

func busyThreads(before, after map[string][2]float64) []Sample {
	var samples []Sample
	for id := range len(after) {
		name := strconv.Itoa(id)
		b, a := before[name], after[name]
		if all := a[1] - b[1]; all > 0 {
			samples = append(samples, Sample{"cpu_user", "hwthread", name, 100 * max(0, a[0]-b[0]) / all})
		}
	}
	return samples
}
