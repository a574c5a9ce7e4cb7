package sim

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is what the kernel says of a process.
type Process struct {
	CPU      time.Duration // used so far
	Resident int64         // bytes of memory, with files that are mapped
	Private  int64         // bytes of memory of its own
}

// clockTicks is how many ticks /proc counts in a second, on every Linux.
const clockTicks = 100

// ReadProcess reads /proc. It fails when there is no such process.
func ReadProcess(pid int) (Process, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat") //nolint:gosec // below /proc
	if err != nil {
		return Process{}, fmt.Errorf("read figures of process %d: %w", pid, err)
	}
	// The name, in brackets, may have blanks. Behind it, fields 12 and 13 are ticks in user and in kernel mode.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return Process{}, fmt.Errorf("read figures of process %d: %s/stat is too short", pid, dir)
	}
	var p Process
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return Process{}, fmt.Errorf("read figures of process %d: %w", pid, err)
		}
		p.CPU += time.Duration(n) * time.Second / clockTicks
	}
	status, err := os.ReadFile(dir + "/status") //nolint:gosec // below /proc
	if err != nil {
		return Process{}, fmt.Errorf("read figures of process %d: %w", pid, err)
	}
	p.Resident, p.Private = kilobytes(string(status), "VmRSS:"), kilobytes(string(status), "RssAnon:")
	return p, nil
}

func kilobytes(status, name string) int64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64) // the kernel writes numbers
			return n << 10
		}
	}
	return 0
}
