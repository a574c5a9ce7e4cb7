package job

import (
	"slices"
	"time"
)

// Visibility limits what a query returns. It is applied by the store, so that no caller can forget it.
type Visibility struct {
	All      bool     // everything
	User     string   // jobs of this user
	Projects []string // and the jobs of these projects
	Clusters []string // of all those only what ran on these clusters; nil is on any
}

// Sees reports whether a job is visible.
func (v Visibility) Sees(j Job) bool {
	if v.Clusters != nil && !slices.Contains(v.Clusters, j.Cluster) {
		return false
	}
	if v.All || v.User != "" && j.User == v.User {
		return true
	}
	for _, p := range v.Projects {
		if p != "" && p == j.Project {
			return true
		}
	}
	return false
}

// Filter selects jobs. Zero fields do not select; list fields match any of their values.
type Filter struct {
	Visible      Visibility
	IDs          []ID
	JobIDs       []int64
	States       []State
	Users        []string
	Projects     []string
	Clusters     []string
	SubClusters  []string
	Partitions   []string
	Shared       []Shared
	Node         string  // a job that has this host
	Name         string  // substring of the job's name (metaData jobName)
	Search       string  // substring of job name, or exact job id, user or project
	Tags         []TagID // any of them
	StartFrom    time.Time
	StartTo      time.Time
	NodesFrom    int
	NodesTo      int
	DurationFrom time.Duration
	DurationTo   time.Duration
	// Now is what the durations of running jobs are measured to, in conditions and in the order. With a zero Now they
	// count as 0. Service.List sets it.
	Now    time.Time
	Sort   Sort
	Offset int
	Limit  int // 0 means all
}

// Sort is an order of a listing. The zero value is newest start first.
type Sort struct {
	By        SortField
	Footprint string // key of the footprint when By is SortFootprint
	Ascending bool
}

// SortField is a column that a listing can be ordered by.
type SortField uint8
