package agent

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Hardware is what a machine is made of.
type Hardware struct {
	Processor string
	Threads   []Thread // by id
	MemGB     float64
}

// Thread says where a hardware thread sits.
type Thread struct {
	ID, Socket, Core int
}

// ReadHardware finds out what the machine with this proc has.
func ReadHardware(proc fs.FS) (Hardware, error) {
	data, err := fs.ReadFile(proc, "cpuinfo")
	if err != nil {
		return Hardware{}, fmt.Errorf("read machine: %w", err)
	}
	var h Hardware
	for block := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
		values := map[string]string{}
		for line := range strings.Lines(block) {
			key, value, _ := strings.Cut(line, ":")
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		id, err := strconv.Atoi(values["processor"])
		if err != nil {
			continue // a trailing block, as ARM machines have
		}
		// A virtual machine may not tell sockets and cores; then each thread is its own core on one socket.
		socket, _ := strconv.Atoi(values["physical id"])
		core, err := strconv.Atoi(values["core id"])
		if err != nil {
			core = id
		}
		h.Threads = append(h.Threads, Thread{ID: id, Socket: socket, Core: core})
		h.Processor = values["model name"]
	}
	if len(h.Threads) == 0 {
		return Hardware{}, errors.New("read machine: cpuinfo names no processor")
	}
	slices.SortFunc(h.Threads, func(a, b Thread) int { return cmp.Compare(a.ID, b.ID) })
	mem, err := (&Sampler{proc: proc}).keyed("meminfo")
	if err != nil {
		return Hardware{}, err
	}
	h.MemGB = mem["MemTotal"] * 1024 / 1e9
	return h, nil
}
