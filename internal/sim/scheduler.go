package sim

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Job is a job of the simulated cluster.
type Job struct {
	ID       int64
	User     string
	Project  string
	Profile  Profile
	Nodes    []int // positions in Machine.Nodes
	Start    time.Time
	End      time.Time
	Walltime time.Duration
	State    string // how it will end
	Seed     uint64
}

// Scheduler starts and ends jobs on a machine. It is a function of its seed and of time alone.
type Scheduler struct {
	machine Machine
	rng     *rand.Rand
	next    int64
	now     time.Time
	arrive  time.Time // when the next job comes
	waiting []wish
	running []*Job
	busy    []bool
}

// wish is a job that waits for nodes.
type wish struct {
	profile Profile
	nodes   int
	length  time.Duration
	user    int
}

// people of the simulated cluster, with their projects.
func people() [][2]string {
	return [][2]string{{"alice", "chem"}, {"bob", "chem"}, {"carol", "climate"}, {"dave", "climate"}, {"erin", "cfd"}, {"frank", "cfd"}, {"grace", "ml"}, {"heidi", "ml"}}
}

// NewScheduler returns a scheduler whose first job gets the number after last.
func NewScheduler(m Machine, seed uint64, start time.Time, last int64) *Scheduler {
	rng := rand.New(rand.NewPCG(seed, mix(seed))) //nolint:gosec // a simulation wants repeatable numbers
	s := &Scheduler{machine: m, rng: rng, next: last + 1, now: start, arrive: start, busy: make([]bool, len(m.Nodes))}
	// Nobody's cluster is empty in the morning: a queue waits when the scheduler begins.
	for range max(2, len(m.Nodes)/3) {
		s.waiting = append(s.waiting, s.wish())
	}
	return s
}

// Running returns the jobs that run now, oldest first.
func (s *Scheduler) Running() []*Job { return s.running }

// Advance moves time forward and returns the jobs that have ended and started since, each in the order of time.
func (s *Scheduler) Advance(to time.Time) (ended, started []*Job) {
	for !s.now.After(to) {
		for !s.arrive.After(s.now) {
			s.waiting = append(s.waiting, s.wish())
			s.arrive = s.arrive.Add(time.Duration(s.rng.ExpFloat64() * float64(4*time.Minute)))
		}
		ended = append(ended, s.end()...)
		started = append(started, s.place()...)
		s.now = s.now.Add(s.machine.Step)
	}
	return ended, started
}

func (s *Scheduler) wish() wish {
	profiles := Profiles()
	p := profiles[s.rng.IntN(len(profiles))]
	nodes := 1 << s.rng.IntN(4) // 1, 2, 4 or 8
	if p.GPU {
		nodes = 1 + s.rng.IntN(2)
	}
	// Log-normal around 25 minutes, as on real clusters: many short jobs, a few that last for hours.
	minutes := clamp(math.Exp(3.2+0.9*s.rng.NormFloat64()), 4, 300)
	return wish{profile: p, nodes: nodes, length: time.Duration(minutes * float64(time.Minute)), user: s.rng.IntN(len(people()))}
}

func (s *Scheduler) end() []*Job {
	var ended []*Job
	s.running = slices.DeleteFunc(s.running, func(j *Job) bool {
		if j.End.After(s.now) {
			return false
		}
		for _, n := range j.Nodes {
			s.busy[n] = false
		}
		ended = append(ended, j)
		return true
	})
	return ended
}

// place starts waiting jobs first come, first served, with later ones filling the gaps.
func (s *Scheduler) place() []*Job {
	var started []*Job
	s.waiting = slices.DeleteFunc(s.waiting, func(w wish) bool {
		nodes := s.free(w)
		if len(nodes) < w.nodes {
			return false
		}
		started = append(started, s.start(w, nodes[:w.nodes]))
		return true
	})
	if len(s.waiting) > 20 { // nobody queues for ever in a demo
		s.waiting = s.waiting[len(s.waiting)-20:]
	}
	return started
}

func (s *Scheduler) free(w wish) []int {
	var nodes []int
	for i, n := range s.machine.Nodes {
		if !s.busy[i] && (n.Accelerators > 0) == w.profile.GPU {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

func (s *Scheduler) start(w wish, nodes []int) *Job {
	who := people()[w.user]
	j := &Job{
		ID: s.next, User: who[0], Project: who[1], Profile: w.profile, Nodes: slices.Clone(nodes),
		Start: s.now, End: s.now.Add(w.length.Truncate(time.Second)), State: w.profile.Ends, Seed: mix(uint64(s.next)),
	}
	j.Walltime = (w.length * 3 / 2).Round(10 * time.Minute)
	if j.State == "timeout" {
		j.Walltime = w.length.Truncate(time.Second)
	}
	s.next++
	for _, n := range nodes {
		s.busy[n] = true
	}
	s.running = append(s.running, j)
	slices.SortFunc(s.running, func(a, b *Job) int { return cmp.Compare(a.ID, b.ID) })
	return j
}
