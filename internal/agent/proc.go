package agent

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// field returns the n-th field of the first line of a file, as a number.
func (s *Sampler) field(name string, n int) (float64, error) {
	data, err := fs.ReadFile(s.proc, name)
	if err != nil {
		return 0, fmt.Errorf("read machine: %w", err)
	}
	fields := strings.Fields(string(data))
	if n >= len(fields) {
		return 0, fmt.Errorf("read machine: %s has only %d fields", name, len(fields))
	}
	v, err := strconv.ParseFloat(fields[n], 64)
	if err != nil {
		return 0, fmt.Errorf("read machine: %s: %w", name, err)
	}
	return v, nil
}

// memory returns the used memory in GB: what is neither free nor reclaimable.
func (s *Sampler) memory() (float64, error) {
	values, err := s.keyed("meminfo")
	if err != nil {
		return 0, err
	}
	return (values["MemTotal"] - values["MemAvailable"]) * 1024 / 1e9, nil
}

// keyed reads a file of "Name: number ..." lines.
func (s *Sampler) keyed(name string) (map[string]float64, error) {
	data, err := fs.ReadFile(s.proc, name)
	if err != nil {
		return nil, fmt.Errorf("read machine: %w", err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(data)) {
		key, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		if v, err := strconv.ParseFloat(fields[0], 64); err == nil {
			values[strings.TrimSpace(key)] = v
		}
	}
	return values, nil
}

// cpus returns busy and all ticks of each hardware thread (proc(5), /proc/stat: user nice system idle iowait irq softirq
// steal; guest time is part of user time).
func (s *Sampler) cpus() (map[string][2]float64, error) {
	data, err := fs.ReadFile(s.proc, "stat")
	if err != nil {
		return nil, fmt.Errorf("read machine: %w", err)
	}
	ticks := map[string][2]float64{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 8 || !strings.HasPrefix(fields[0], "cpu") || fields[0] == "cpu" {
			continue
		}
		var all, idle float64
		for i, f := range fields[1:min(len(fields), 9)] {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return nil, fmt.Errorf("read machine: stat: %w", err)
			}
			all += v
			if i == 3 || i == 4 {
				idle += v
			}
		}
		ticks[strings.TrimPrefix(fields[0], "cpu")] = [2]float64{all - idle, all}
	}
	return ticks, lines.Err()
}

// network returns the bytes that have crossed all interfaces but loopback.
func (s *Sampler) network() (float64, bool) {
	data, err := fs.ReadFile(s.proc, "net/dev")
	if err != nil {
		return 0, false
	}
	var sum float64
	for line := range strings.Lines(string(data)) {
		name, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 9 || strings.TrimSpace(name) == "lo" {
			continue
		}
		in, _ := strconv.ParseFloat(fields[0], 64)
		out, _ := strconv.ParseFloat(fields[8], 64)
		sum += in + out
	}
	return sum, true
}

// diskBytes returns the bytes that whole disks have read and written; partitions would count twice.
func (s *Sampler) diskBytes() (float64, bool) {
	data, err := fs.ReadFile(s.proc, "diskstats")
	if err != nil {
		return 0, false
	}
	const sector = 512 // the unit of diskstats, whatever the device's is
	var sum float64
	disk := ""
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 10 || strings.HasPrefix(f[2], "loop") || strings.HasPrefix(f[2], "ram") || disk != "" && strings.HasPrefix(f[2], disk) {
			continue
		}
		disk = f[2]
		read, _ := strconv.ParseFloat(f[5], 64)
		written, _ := strconv.ParseFloat(f[9], 64)
		sum += (read + written) * sector
	}
	return sum, true
}
