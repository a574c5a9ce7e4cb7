package sqlstore

import (
	"database/sql/driver"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

const jobColumns = `id, job_id, cluster, sub_cluster, job_partition, user_name, project, array_job_id,
	num_nodes, num_hwthreads, num_acc, shared, smt, state, start_time, submit_time, duration, walltime, requested_memory,
	monitoring, resources, meta_data, statistics, footprint, energy_footprint, energy, archive_attempts, archive_after`

func scanJob(r row) (job.Job, error) {
	var j job.Job
	var resources []resource
	err := r.Scan(&j.ID, &j.JobID, &j.Cluster, &j.SubCluster, &j.Partition, &j.User, &j.Project, &j.ArrayJobID,
		&j.NumNodes, &j.NumHWThreads, &j.NumAcc, &j.Shared, &j.SMT, &j.State, fromSeconds(&j.Start), fromSeconds(&j.Submit),
		durationColumn{&j.Duration}, durationColumn{&j.Walltime}, &j.RequestedMemory,
		&j.Monitoring, jsonColumn{&resources}, jsonColumn{&j.MetaData}, statisticsColumn{&j.Statistics},
		numberMap{&j.Footprint}, numberMap{&j.EnergyFootprint}, &j.Energy, &j.ArchiveAttempts, fromSeconds(&j.NextArchiveAfter))
	for _, res := range resources {
		j.Resources = append(j.Resources, job.Resource(res))
	}
	return j, err
}

// jobValues returns the values of a new job: jobColumns without id, and the name.
func jobValues(j job.Job) []any {
	resources := make([]resource, 0, len(j.Resources))
	for _, res := range j.Resources {
		resources = append(resources, resource(res))
	}
	return []any{
		j.JobID, j.Cluster, j.SubCluster, j.Partition, j.User, j.Project, j.ArrayJobID,
		j.NumNodes, j.NumHWThreads, j.NumAcc, j.Shared, j.SMT, j.State, seconds(j.Start), seconds(j.Submit),
		durationColumn{&j.Duration},
		durationColumn{&j.Walltime},
		j.RequestedMemory,
		j.Monitoring,
		jsonColumn{resources},
		jsonColumn{j.MetaData},
		statisticsColumn{&j.Statistics},
		numberMap{&j.Footprint},
		numberMap{&j.EnergyFootprint},
		j.Energy, j.ArchiveAttempts, seconds(j.NextArchiveAfter),
		j.MetaData["jobName"],
	}
}

// resource is job.Resource as stored.
type resource struct {
	Hostname      string   `json:"hostname"`
	HWThreads     []int    `json:"hwthreads,omitempty"`
	Accelerators  []string `json:"accelerators,omitempty"`
	Configuration string   `json:"configuration,omitempty"`
}

// statistics is job.JobStatistics as stored.
type statistics struct {
	Base   string `json:"base"`
	Prefix string `json:"prefix,omitempty"`
	Min    number `json:"min"`
	Avg    number `json:"avg"`
	Max    number `json:"max"`
}

// statisticsColumn stores and scans the statistics of a job's metrics as JSON text.
type statisticsColumn struct{ m *map[string]job.JobStatistics }

// Value implements driver.Valuer.
func (c statisticsColumn) Value() (driver.Value, error) {
	var wire map[string]statistics
	if *c.m != nil {
		wire = make(map[string]statistics, len(*c.m))
	}
	for name, s := range *c.m {
		wire[name] = statistics{s.Unit.Base, s.Unit.Prefix, number(s.Min), number(s.Avg), number(s.Max)}
	}
	return jsonColumn{wire}.Value()
}

// Scan implements sql.Scanner.
func (c statisticsColumn) Scan(src any) error {
	var wire map[string]statistics
	if err := (jsonColumn{&wire}).Scan(src); err != nil {
		return err
	}
	*c.m = nil
	if wire != nil {
		*c.m = make(map[string]job.JobStatistics, len(wire))
	}
	for name, s := range wire {
		(*c.m)[name] = job.JobStatistics{
			Unit:       metric.Unit{Base: s.Base, Prefix: s.Prefix},
			Statistics: metric.Statistics{Min: float64(s.Min), Avg: float64(s.Avg), Max: float64(s.Max)},
		}
	}
	return nil
}
