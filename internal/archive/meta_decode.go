package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// maxMeta is how many bytes of meta.json are read: a job of some ten thousand nodes with its script.
const maxMeta = 64 << 20

func decodeMeta(r io.Reader) (job.Job, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMeta+1))
	if err != nil {
		return job.Job{}, err
	}
	if len(text) > maxMeta {
		return job.Job{}, fmt.Errorf("%s is larger than %d bytes", metaFile, maxMeta)
	}
	var w wireJob
	if err := json.Unmarshal(text, &w); err != nil {
		return job.Job{}, fmt.Errorf("decode %s: %w", metaFile, err)
	}
	return w.job()
}

func (w wireJob) job() (job.Job, error) {
	state, err := w.state()
	if err != nil {
		return job.Job{}, err
	}
	j := job.Job{
		JobID: w.JobID, User: w.User, Project: w.Project, Cluster: w.Cluster, SubCluster: w.SubCluster, Partition: w.Partition,
		ArrayJobID: w.ArrayJobID, NumNodes: w.NumNodes, NumHWThreads: w.NumHWThreads, NumAcc: w.NumAcc, Shared: w.shared(),
		Monitoring: job.Monitoring(w.MonitoringStatus), SMT: w.SMT, Start: unix(w.StartTime), Submit: unix(w.SubmitTime),
		Duration: time.Duration(w.Duration) * time.Second, Walltime: time.Duration(w.Walltime) * time.Second,
		RequestedMemory: w.RequestedMemory, State: state, MetaData: w.MetaData, Energy: float64(w.Energy),
		Statistics: make(map[string]job.JobStatistics, len(w.Statistics)),
		Footprint:  floats(w.Footprint), EnergyFootprint: floats(w.EnergyFootprint),
	}
	for _, r := range w.Resources {
		j.Resources = append(j.Resources, job.Resource(r))
	}
	for _, t := range w.Tags {
		j.Tags = append(j.Tags, job.Tag{Type: t.Type, Name: t.Name, Scope: t.Scope})
	}
	for name, s := range w.Statistics {
		j.Statistics[name] = job.JobStatistics{
			Unit:       metric.Unit(s.Unit),
			Statistics: metric.Statistics{Min: float64(s.Min), Avg: float64(s.Avg), Max: float64(s.Max)},
		}
	}
	return j, nil
}

func floats(m map[string]number64) map[string]float64 {
	if m == nil {
		return nil
	}
	out := make(map[string]float64, len(m))
	for k, v := range m {
		out[k] = float64(v)
	}
	return out
}

// state maps the one state that only older archives have.
func (w wireJob) state() (job.State, error) {
	if w.JobState == "stopped" {
		return job.Cancelled, nil
	}
	return job.ParseState(w.JobState)
}

func (w wireJob) shared() job.Shared {
	if w.Shared != "" || w.Exclusive == nil {
		return job.Shared(w.Shared)
	}
	switch *w.Exclusive {
	case 0:
		return job.SharedMultiUser
	case 2:
		return job.SharedSingleUser
	}
	return job.SharedNone
}

// unix returns the time of a whole second, zero for 0.
func unix(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
