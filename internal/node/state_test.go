package node_test

import (
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/node"
)

func TestStateFollowsTheLastReport(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	heard := func(s node.SchedulerState, ago time.Duration) node.SchedulerReport {
		return node.SchedulerReport{Time: now.Add(-ago), State: s}
	}
	for _, c := range []struct {
		name string
		n    node.Node
		want node.State
	}{
		{"nothing heard", node.Node{}, node.StateNew},
		{"idle", node.Node{Scheduler: heard(node.StateIdle, time.Minute)}, node.StateUp},
		{"allocated", node.Node{Scheduler: heard(node.StateAllocated, time.Minute)}, node.StateUp},
		{"down", node.Node{Scheduler: heard(node.StateDown, time.Minute)}, node.StateGone},
		{"unknown to the scheduler", node.Node{Scheduler: heard(node.StateUnknown, 0)}, node.StateLost},
		{"scheduler silent", node.Node{Scheduler: heard(node.StateIdle, 6*time.Minute)}, node.StateLost},
		{"agent in time", node.Node{Status: map[string]string{"last_update": "1799999990.5"}}, node.StateUp},
		{"agent silent", node.Node{Status: map[string]string{"last_update": "1799999960"}}, node.StateGone},
		{"agent in time, scheduler gave it up", node.Node{
			Status: map[string]string{"last_update": "1799999999"}, Scheduler: heard(node.StateDown, 0),
		}, node.StateUp},
		{"agent's time unreadable", node.Node{Status: map[string]string{"last_update": "yesterday"}}, node.StateNew},
	} {
		if got := node.StateOf(c.n, now); got != c.want {
			t.Errorf("%s: state is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSchedulerFlagsFoldInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags []string
		want  node.SchedulerState
	}{
		{[]string{"ALLOCATED"}, node.StateAllocated},
		{[]string{"down", "Allocated"}, node.StateAllocated},
		{[]string{"RESERVED", "IDLE"}, node.StateReserved},
		{[]string{"IDLE", "DOWN"}, node.StateDown},
		{[]string{"IDLE", "DRAIN"}, node.StateIdle},
		{[]string{"DOWN", "NOT_RESPONDING"}, node.StateDown},
		{[]string{"MIXED", "DOWN"}, node.StateDown},
		{[]string{" mixed "}, node.StateMixed},
		{[]string{"FUTURE"}, node.StateUnknown},
		{nil, node.StateUnknown},
	} {
		if got := node.FoldStates(c.flags); got != c.want {
			t.Errorf("%q folds to %s, want %s", c.flags, got, c.want)
		}
	}
}
