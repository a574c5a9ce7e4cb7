package sim

import "math"

// Load is what a job asks of one node at one moment, as fractions of what the node has unless a unit is given.
type Load struct {
	CPU     float64 // busy part of the cores that the job has
	Flops   float64
	MemBW   float64
	IPC     float64 // instructions per cycle
	MemUsed float64
	NetMBs  float64 // MB/s
	ReadMBs float64 // MB/s
	AccUtil float64
	AccMem  float64
	Cores   float64 // part of the cores that the job uses at all
}

// Profile is how a kind of application behaves over its life.
type Profile struct {
	Name string // of the application, used as job name
	GPU  bool   // needs accelerators
	// At returns the load of node number node out of nodes, sec seconds into a job of length seconds.
	At func(seed uint64, sec, length float64, node, nodes int) Load
	// Ends is how such a job ends, as a job state.
	Ends string
}

// Profiles returns the applications of the simulated cluster: good ones, and the mistakes that support staff look for.
func Profiles() []Profile {
	return []Profile{
		{Name: "gromacs-membrane", At: computeBound, Ends: "completed"},
		{Name: "openfoam-wing", At: memoryBound, Ends: "completed"},
		{Name: "wrf-forecast", At: ioPhases, Ends: "completed"},
		{Name: "lammps-melt", At: computeBound, Ends: "timeout"},
		{Name: "python-sweep", At: idleMistake, Ends: "completed"},
		{Name: "matlab-leak", At: memoryLeak, Ends: "out_of_memory"},
		{Name: "pytorch-resnet", GPU: true, At: training, Ends: "completed"},
		{Name: "jupyter-forgotten", GPU: true, At: idleGPU, Ends: "cancelled"},
		{Name: "vasp-relax", At: memoryBound, Ends: "failed"},
	}
}

// ramp goes from 0 to 1 over the first seconds of a job: it reads input before it computes.
func ramp(sec, seconds float64) float64 { return clamp(sec/seconds, 0.02, 1) }

func computeBound(seed uint64, sec, _ float64, node, _ int) Load {
	wave := 0.04 * noise(seed+uint64(node), sec, 240)
	r := ramp(sec, 60)
	return Load{
		Cores: 1, CPU: 0.97*r + wave/4, Flops: (0.42 + wave) * r, MemBW: (0.18 + wave/2) * r, IPC: 2.4 + wave*3,
		MemUsed: 0.14 + 0.02*r, NetMBs: 180 + 900*wave, ReadMBs: 4 + 400*(1-r),
	}
}

func memoryBound(seed uint64, sec, _ float64, node, nodes int) Load {
	wave := 0.05 * noise(seed+uint64(node), sec, 180)
	imbalance := 0.12 * float64(node) / float64(max(nodes-1, 1)) // the last ranks have less to do
	r := ramp(sec, 90)
	return Load{
		Cores: 1, CPU: 0.99*r - imbalance, Flops: (0.06 + wave/5) * r, MemBW: (0.88 + wave - imbalance) * r, IPC: 0.7 + wave,
		MemUsed: 0.46, NetMBs: 620 + 2000*wave, ReadMBs: 6 + 700*(1-r),
	}
}

// ioPhases computes for ten minutes and then writes a checkpoint for one, during which the cores wait.
func ioPhases(seed uint64, sec, _ float64, node, _ int) Load {
	wave := 0.04 * noise(seed+uint64(node), sec, 120)
	if math.Mod(sec, 660) > 600 {
		return Load{Cores: 1, CPU: 0.12, Flops: 0.01, MemBW: 0.05, IPC: 0.4, MemUsed: 0.38, NetMBs: 2400 + 4000*wave, ReadMBs: 1900 + 3000*wave}
	}
	return Load{Cores: 1, CPU: 0.95 + wave/2, Flops: 0.2 + wave, MemBW: 0.52 + wave, IPC: 1.6 + wave, MemUsed: 0.38, NetMBs: 310 + 900*wave, ReadMBs: 3}
}

// idleMistake has asked for several nodes and runs on one core of the first.
func idleMistake(seed uint64, sec, _ float64, node, _ int) Load {
	if node > 0 {
		return Load{Cores: 0.02, CPU: 0.01, IPC: 0.6, MemUsed: 0.03}
	}
	wave := 0.1 * noise(seed, sec, 200)
	return Load{Cores: 0.04, CPU: 0.95 + wave/4, Flops: 0.004, MemBW: 0.01, IPC: 1.1 + wave, MemUsed: 0.07, ReadMBs: 1}
}

// memoryLeak grows until the node has no memory left.
func memoryLeak(seed uint64, sec, length float64, node, _ int) Load {
	wave := 0.03 * noise(seed+uint64(node), sec, 150)
	return Load{Cores: 0.5, CPU: 0.9 + wave, Flops: 0.05, MemBW: 0.2 + wave, IPC: 1.2, MemUsed: clamp(0.08+0.9*sec/length, 0, 0.985), NetMBs: 12, ReadMBs: 2}
}

// training works in epochs: the accelerators wait for data at the start of each.
func training(seed uint64, sec, _ float64, node, _ int) Load {
	wave := 0.04 * noise(seed+uint64(node), sec, 90)
	if math.Mod(sec, 420) < 35 {
		return Load{Cores: 0.7, CPU: 0.8, Flops: 0.02, MemBW: 0.3, IPC: 1.3, MemUsed: 0.3, AccUtil: 0.12, AccMem: 0.74, NetMBs: 900, ReadMBs: 850}
	}
	return Load{Cores: 0.4, CPU: 0.5 + wave, Flops: 0.01, MemBW: 0.12, IPC: 1.5, MemUsed: 0.3, AccUtil: 0.93 + wave, AccMem: 0.78, NetMBs: 420 + 900*wave, ReadMBs: 120}
}

// idleGPU holds accelerators and does nothing with them.
func idleGPU(seed uint64, sec, _ float64, _, _ int) Load {
	wave := noise(seed, sec, 300)
	return Load{Cores: 0.03, CPU: 0.05 + 0.04*wave, IPC: 0.8, MemUsed: 0.05, AccMem: 0.04}
}
