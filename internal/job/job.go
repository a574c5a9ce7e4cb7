// Package job knows the life of a job: start, stop, who may see it, its metrics and its archive.
package job

import (
	"context"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// ID is the database id of a job: the handle in URLs. It is not the scheduler's number.
type ID int64

// State is what the scheduler says of a job (contract clustercockpit 6.1).
type State string

// The states. Only Running is live: start sets it, stop sets any other.
const (
	BootFail    State = "boot_fail"
	Cancelled   State = "cancelled"
	Completed   State = "completed"
	Deadline    State = "deadline"
	Failed      State = "failed"
	NodeFail    State = "node_fail"
	OutOfMemory State = "out_of_memory"
	Pending     State = "pending"
	Preempted   State = "preempted"
	Running     State = "running"
	Suspended   State = "suspended"
	Timeout     State = "timeout"
)

// States lists every state, sorted by name.
func States() []State {
	return []State{BootFail, Cancelled, Completed, Deadline, Failed, NodeFail, OutOfMemory, Pending, Preempted, Running, Suspended, Timeout}
}

// Shared says who shares the nodes of a job.
type Shared string

// The ways of sharing.
const (
	SharedNone       Shared = "none"
	SharedSingleUser Shared = "single_user"
	SharedMultiUser  Shared = "multi_user"
)

// Monitoring is how far the archiving of a job's metrics is.
type Monitoring int

// The monitoring states, with the numbers that ClusterCockpit sends.
const (
	MonitoringDisabled Monitoring = 0 // never archived
	MonitoringPending  Monitoring = 1 // running, or stopped and waiting for the archiver
	MonitoringFailed   Monitoring = 2 // archiving failed; retried while the samples last
	MonitoringArchived Monitoring = 3
)

// Job is one job. The scheduler's number, the cluster and the start time identify it; ID is its handle.
type Job struct {
	ID               ID
	JobID            int64 // the scheduler's number
	Cluster          string
	SubCluster       string
	Partition        string
	User             string
	Project          string
	ArrayJobID       int64 // 0 when it is no array job
	NumNodes         int
	NumHWThreads     int
	NumAcc           int
	Shared           Shared
	SMT              int // hardware threads used per core; 0 when not told
	State            State
	Start            time.Time // whole seconds
	Submit           time.Time // zero when not told
	Duration         time.Duration
	Walltime         time.Duration // requested limit; 0 when not told
	RequestedMemory  int64         // MB; 0 when not told
	Monitoring       Monitoring
	Resources        []Resource
	MetaData         map[string]string
	Tags             []Tag
	Statistics       map[string]JobStatistics // metric -> statistics; nil until archived
	Footprint        map[string]float64       // "<metric>_<stat>" -> value
	EnergyFootprint  map[string]float64       // metric -> kWh
	Energy           float64                  // kWh
	ArchiveAttempts  int                      // how often archiving has been tried
	NextArchiveAfter time.Time                // not before
}

// Resource is what a job has of one host.
type Resource struct {
	Hostname      string
	HWThreads     []int    // empty: all
	Accelerators  []string // PCI addresses
	Configuration string
}

// JobStatistics is the statistics of one metric over all nodes of a job.
//
//nolint:revive // job.Statistics would read as metric.Statistics; this one has a unit and spans nodes.
type JobStatistics struct {
	Unit metric.Unit
	metric.Statistics
}

// TagID is the database id of a tag.
type TagID int64

// Tag is a mark on jobs. Type, name and scope identify it.
type Tag struct {
	ID    TagID
	Type  string
	Name  string
	Scope string // "global", "admin", or the name of the user who owns it
}

// Key identifies a job as the scheduler does. Zero Cluster and Start match any; the latest start wins.
type Key struct {
	JobID   int64
	Cluster string
	Start   time.Time
}

// The columns that a listing can be ordered by.
const (
	SortStart SortField = iota
	SortDuration
	SortNumNodes
	SortNumHWThreads
	SortNumAcc
	SortWalltime
	SortEnergy
	SortFootprint
)

// Outcome is what archiving found out about a job.
type Outcome struct {
	Statistics      map[string]JobStatistics
	Footprint       map[string]float64
	EnergyFootprint map[string]float64
	Energy          float64
}

// Store keeps jobs and tags.
type Store interface {
	// CreateJob adds a running job and returns its id; *DuplicateError when a job with that number on that cluster
	// started less than a day before or after it, checked in the same transaction.
	CreateJob(ctx context.Context, j Job) (ID, error)
	// GetJob returns the job; fault.NotFound. Tags are filled in.
	GetJob(ctx context.Context, id ID) (Job, error)
	// FindJob returns the latest job with that key; fault.NotFound.
	FindJob(ctx context.Context, k Key) (Job, error)
	// ListJobs returns the page that the filter selects, tags filled in, and how many jobs match in all.
	ListJobs(ctx context.Context, f Filter) (jobs []Job, total int, err error)
	// StopJob ends a running job; fault.Conflict when it does not run any more, fault.NotFound.
	StopJob(ctx context.Context, id ID, s State, d time.Duration) error
	// ListUnarchived returns finished jobs that wait for the archiver at that time, oldest first.
	ListUnarchived(ctx context.Context, now time.Time, limit int) ([]Job, error)
	// SetArchived stores the outcome of archiving and marks the job archived.
	SetArchived(ctx context.Context, id ID, o Outcome) error
	// SetArchiveFailed notes a failed attempt and when to try again; a zero time gives up.
	SetArchiveFailed(ctx context.Context, id ID, again time.Time) error
	// DeleteJob removes a job and its tag links; fault.NotFound.
	DeleteJob(ctx context.Context, id ID, rec audit.Record) error
}

// StopRequest is the wish to end a job. ID alone, or Key, says which.
type StopRequest struct {
	ID    ID
	Key   Key
	At    time.Time
	State State // "" means Completed
}
