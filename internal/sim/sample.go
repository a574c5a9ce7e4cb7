package sim

import (
	"strconv"
	"time"
)

// sampler writes the samples of a machine in line protocol.
type sampler struct {
	machine Machine
	buf     []byte
}

// append writes every sample of every node at time t.
func (s *sampler) append(dst []byte, t time.Time, jobs []*Job) []byte {
	s.buf = dst
	on := make(map[int]*Job, len(s.machine.Nodes))
	for _, j := range jobs {
		for _, n := range j.Nodes {
			on[n] = j
		}
	}
	for i, n := range s.machine.Nodes {
		load, seed := idle(uint64(i), t), mix(uint64(i))
		if j := on[i]; j != nil {
			seed = j.Seed + uint64(i)
			load = j.Profile.At(j.Seed, t.Sub(j.Start).Seconds(), j.End.Sub(j.Start).Seconds(), rank(j.Nodes, i), len(j.Nodes))
		}
		s.node(n, load, seed, t)
	}
	return s.buf
}

func rank(nodes []int, n int) int {
	for i, m := range nodes {
		if m == n {
			return i
		}
	}
	return 0
}

// idle is the load of a node without a job: system services.
func idle(seed uint64, t time.Time) Load {
	wave := noise(seed, float64(t.Unix()), 400)
	return Load{CPU: 0.01 + 0.005*wave, IPC: 0.6, MemUsed: 0.015 + 0.001*wave, NetMBs: 0.1, Cores: 1}
}

func (s *sampler) node(n Node, l Load, seed uint64, t time.Time) {
	sec := float64(t.Unix())
	threads := n.Threads()
	active := clamp(l.Cores*float64(threads), 1, float64(threads))
	s.line(n, "cpu_load", "", "", clamp(l.CPU, 0, 1)*active*(1+0.02*noise(seed, sec, 60)), t)
	s.line(n, "mem_used", "", "", l.MemUsed*n.MemGB, t)
	s.line(n, "net_bw", "", "", clamp(l.NetMBs*(1+0.1*noise(seed+1, sec, 45)), 0, 12500), t)
	s.line(n, "file_bw", "", "", clamp(l.ReadMBs*(1+0.15*noise(seed+2, sec, 45)), 0, 4000), t)
	for i := range threads {
		jitter := 1 + 0.05*noise(seed+uint64(i)*7, sec, 90)
		works := float64(i) < active
		busy, flops, ipc := 0.4, 0.0, 0.5
		if works {
			busy = clamp(100*l.CPU*jitter, 0, 100)
			flops = clamp(l.Flops*n.Flops/active*jitter, 0, n.Flops/float64(threads))
			ipc = clamp(l.IPC*jitter, 0, 4)
		}
		id := strconv.Itoa(i)
		s.line(n, "cpu_user", "hwthread", id, busy, t)
		s.line(n, "flops_any", "hwthread", id, flops, t)
		s.line(n, "ipc", "hwthread", id, ipc, t)
	}
	for i := range n.Sockets {
		jitter := 1 + 0.03*noise(seed+uint64(i)*31, sec, 75)
		id := strconv.Itoa(i)
		s.line(n, "mem_bw", "socket", id, clamp(l.MemBW*jitter, 0, 1)*n.MemBW/float64(n.Sockets), t)
		s.line(n, "cpu_power", "socket", id, n.IdleWatt+(n.PeakWatt-n.IdleWatt)*clamp(l.CPU*l.Cores*jitter, 0, 1), t)
	}
	for i := range n.Accelerators {
		jitter := 1 + 0.06*noise(seed+uint64(i)*131, sec, 50)
		s.line(n, "acc_utilization", "accelerator", accelerator(i), clamp(100*l.AccUtil*jitter, 0, 100), t)
		s.line(n, "acc_mem_used", "accelerator", accelerator(i), l.AccMem*n.AccMemGB, t)
	}
}

// line appends one sample. Values have the precision that real collectors print.
func (s *sampler) line(n Node, name, kind, id string, v float64, t time.Time) {
	b := append(s.buf, name...)
	b = append(b, ",cluster="...)
	b = append(b, s.machine.Name...)
	b = append(b, ",hostname="...)
	b = append(b, n.Name...)
	if kind == "" {
		kind = "node"
	}
	b = append(b, ",type="...)
	b = append(b, kind...)
	if id != "" {
		b = append(b, ",type-id="...)
		b = append(b, id...)
	}
	b = append(b, " value="...)
	b = strconv.AppendFloat(b, v, 'f', 3, 64)
	b = append(b, ' ')
	b = strconv.AppendInt(b, t.Unix(), 10)
	s.buf = append(b, '\n')
}
