package node

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// State is whether a machine can be used, in ClusterWare's words (contract clusterware 5.5).
type State string

// The states.
const (
	StateNew  State = "new"  // defined, and nothing has been heard of it
	StateUp   State = "up"   // it, or the scheduler for it, has reported in time
	StateGone State = "down" // it has fallen silent, or the scheduler has given it up
	StateLost State = "unknown"
)

// Keys of Node.Status that the platform itself reads or writes.
const (
	StatusState      = "state"       // derived
	StatusLastUpdate = "last_update" // Unix seconds of the last report of the node's agent
	StatusScheduler  = "sched_state" // derived: the scheduler's state
)

const (
	// agentSilence is three periods of the agent, after which a silent node counts as down.
	agentSilence = 30 * time.Second
	// schedulerSilence is five polls of the scheduler adapter. Its silence says nothing about the node.
	schedulerSilence = 5 * time.Minute
)

// StateOf derives the state of a node at a time. The node's own agent knows best; where none has ever reported, the
// scheduler's word counts.
func StateOf(n Node, now time.Time) State {
	if seen, ok := agentSeen(n); ok {
		if now.Sub(seen) > agentSilence {
			return StateGone
		}
		return StateUp
	}
	switch r := n.Scheduler; {
	case r.Time.IsZero():
		return StateNew
	case now.Sub(r.Time) > schedulerSilence, r.State == StateUnknown:
		return StateLost
	case r.State == StateDown:
		return StateGone
	default:
		return StateUp
	}
}

func agentSeen(n Node) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(n.Status[StatusLastUpdate], 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(seconds * 1000)), true
}

// status returns what the node reported together with what is derived from it.
func status(n Node, now time.Time) map[string]string {
	st := maps.Clone(n.Status)
	if st == nil {
		st = map[string]string{}
	}
	st[StatusState] = string(StateOf(n, now))
	if !n.Scheduler.Time.IsZero() {
		st[StatusScheduler] = string(n.Scheduler.State)
	}
	return st
}

// FoldStates makes one state of the scheduler's flags, in any case, by the order of contract clustercockpit 3.9.
func FoldStates(flags []string) SchedulerState {
	set := map[string]bool{}
	for _, f := range flags {
		set[strings.ToLower(strings.TrimSpace(f))] = true
	}
	switch {
	case set["allocated"]:
		return StateAllocated
	case set["reserved"]:
		return StateReserved
	case set["down"]: // beside idle as well: the node counts as idle again when it is back
		return StateDown
	case set["idle"]:
		return StateIdle
	case set["mixed"]:
		return StateMixed
	default:
		return StateUnknown
	}
}
