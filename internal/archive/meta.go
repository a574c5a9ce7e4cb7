package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// wireJob spells meta.json (contract clustercockpit 3.3, 5.8). Exclusive is what Shared was in older versions.
type wireJob struct {
	JobID            int64                  `json:"jobId"`
	User             string                 `json:"user"`
	Project          string                 `json:"project"`
	Cluster          string                 `json:"cluster"`
	SubCluster       string                 `json:"subCluster"`
	Partition        string                 `json:"partition,omitempty"`
	ArrayJobID       int64                  `json:"arrayJobId,omitempty"`
	NumNodes         int                    `json:"numNodes"`
	NumHWThreads     int                    `json:"numHwthreads,omitempty"`
	NumAcc           int                    `json:"numAcc,omitempty"`
	Shared           string                 `json:"shared"`
	Exclusive        *int                   `json:"exclusive,omitempty"`
	MonitoringStatus int                    `json:"monitoringStatus,omitempty"`
	SMT              int                    `json:"smt,omitempty"`
	StartTime        int64                  `json:"startTime"`
	SubmitTime       int64                  `json:"submitTime,omitempty"`
	Duration         int64                  `json:"duration"`
	Walltime         int64                  `json:"walltime,omitempty"`
	RequestedMemory  int64                  `json:"requestedMemory,omitempty"`
	JobState         string                 `json:"jobState"`
	Resources        []wireResource         `json:"resources"`
	MetaData         map[string]string      `json:"metaData,omitempty"`
	Tags             []wireTag              `json:"tags,omitempty"`
	Statistics       map[string]wireJobStat `json:"statistics"`
	Footprint        map[string]number64    `json:"footprint,omitempty"`
	EnergyFootprint  map[string]number64    `json:"energyFootprint,omitempty"`
	Energy           number64               `json:"energy,omitempty"`
}

type wireResource struct {
	Hostname      string   `json:"hostname"`
	HWThreads     []int    `json:"hwthreads,omitempty"`
	Accelerators  []string `json:"accelerators,omitempty"`
	Configuration string   `json:"configuration,omitempty"`
}

type wireTag struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Scope string `json:"scope,omitempty"`
}

type wireJobStat struct {
	Unit wireUnit `json:"unit"`
	Avg  number64 `json:"avg"`
	Min  number64 `json:"min"`
	Max  number64 `json:"max"`
}

// number64 is written with two decimals.
type number64 float64

// MarshalJSON implements json.Marshaler.
func (n number64) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(n)), nil }

func encodeMeta(w io.Writer, j job.Job) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(toWire(j)); err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	return nil
}

func toWire(j job.Job) wireJob {
	w := wireJob{
		JobID: j.JobID, User: j.User, Project: j.Project, Cluster: j.Cluster, SubCluster: j.SubCluster, Partition: j.Partition,
		ArrayJobID: j.ArrayJobID, NumNodes: j.NumNodes, NumHWThreads: j.NumHWThreads, NumAcc: j.NumAcc, Shared: string(j.Shared),
		MonitoringStatus: int(j.Monitoring), SMT: j.SMT, StartTime: j.Start.Unix(), Duration: int64(j.Duration / time.Second),
		Walltime: int64(j.Walltime / time.Second), RequestedMemory: j.RequestedMemory, JobState: string(j.State),
		Resources: []wireResource{}, MetaData: j.MetaData, Statistics: map[string]wireJobStat{},
		Footprint: numbers64(j.Footprint), EnergyFootprint: numbers64(j.EnergyFootprint), Energy: number64(j.Energy),
	}
	if !j.Submit.IsZero() {
		w.SubmitTime = j.Submit.Unix()
	}
	for _, r := range j.Resources {
		w.Resources = append(w.Resources, wireResource(r))
	}
	for _, t := range j.Tags {
		w.Tags = append(w.Tags, wireTag{t.Type, t.Name, t.Scope})
	}
	for name, s := range j.Statistics {
		w.Statistics[name] = wireJobStat{wireUnit(s.Unit), number64(s.Avg), number64(s.Min), number64(s.Max)}
	}
	return w
}

func numbers64(m map[string]float64) map[string]number64 {
	if m == nil {
		return nil
	}
	out := make(map[string]number64, len(m))
	for k, v := range m {
		out[k] = number64(v)
	}
	return out
}
