package cockpit

import (
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// message is the reply of what only succeeds.
type message struct {
	Msg string `json:"msg" doc:"What has been done."`
}

type unit struct {
	Base   string `json:"base" doc:"Unit of measurement." example:"B/s"`
	Prefix string `json:"prefix,omitempty" doc:"SI prefix." example:"G"`
}

func toUnit(u metric.Unit) unit { return unit{Base: u.Base, Prefix: u.Prefix} }

type tag struct {
	ID    int64  `json:"id,omitempty" doc:"Database id, only in replies."`
	Type  string `json:"type" example:"app"`
	Name  string `json:"name" example:"gromacs"`
	Scope string `json:"scope" doc:"global, admin, or the name of the user whose tag it is. Default: global."`
}

type resource struct {
	Hostname      string   `json:"hostname" doc:"Required when a job starts." example:"n01"`
	HWThreads     []int    `json:"hwthreads,omitempty" doc:"Hardware threads of the host that the job has; absent: all."`
	Accelerators  []string `json:"accelerators,omitempty" doc:"PCI addresses of the accelerators that the job has."`
	Configuration string   `json:"configuration,omitempty" doc:"How the host is set up for the job."`
}

type jobStatistics struct {
	Unit unit   `json:"unit"`
	Avg  number `json:"avg"`
	Min  number `json:"min"`
	Max  number `json:"max"`
}

type jobLinks struct {
	Items []jobLink `json:"items"`
	Count int       `json:"count"`
}

type jobLink struct {
	ID    int64 `json:"id"`
	JobID int64 `json:"jobId"`
}

// jobReply is a job in an answer (contract clustercockpit 3.3).
type jobReply struct {
	Cluster          string                   `json:"cluster" example:"alpha"`
	SubCluster       string                   `json:"subCluster" example:"main"`
	Partition        string                   `json:"partition,omitempty" doc:"Partition of the scheduler."`
	Project          string                   `json:"project" doc:"Account to which the job is charged."`
	User             string                   `json:"user"`
	Shared           string                   `json:"shared" doc:"Who shares the nodes." enum:"none,single_user,multi_user"`
	State            string                   `json:"jobState" example:"running"`
	Tags             []tag                    `json:"tags,omitempty"`
	Resources        []resource               `json:"resources"`
	EnergyFootprint  map[string]number        `json:"energyFootprint" doc:"Energy by metric, in kWh."`
	Footprint        map[string]number        `json:"footprint" doc:"Footprint by metric and statistic, as in flops_any_avg."`
	MetaData         map[string]string        `json:"metaData" doc:"In lists only when asked for."`
	ConcurrentJobs   jobLinks                 `json:"concurrentJobs"`
	Energy           number                   `json:"energy" doc:"Energy of the job, in kWh."`
	ArrayJobID       int64                    `json:"arrayJobId,omitempty"`
	Walltime         int64                    `json:"walltime,omitempty" doc:"Requested limit, in seconds."`
	RequestedMemory  int64                    `json:"requestedMemory,omitempty" doc:"In MB."`
	JobID            int64                    `json:"jobId" doc:"Number that the scheduler gave."`
	Duration         int64                    `json:"duration" doc:"In seconds; until now while the job runs."`
	SMT              int                      `json:"smt,omitempty" doc:"Hardware threads used per core."`
	MonitoringStatus int                      `json:"monitoringStatus,omitempty" doc:"0 or absent: not archived, 1: running or being archived, 2: archiving failed, 3: archived."`
	NumAcc           int                      `json:"numAcc,omitempty"`
	NumHWThreads     int                      `json:"numHwthreads,omitempty"`
	NumNodes         int                      `json:"numNodes"`
	Statistics       map[string]jobStatistics `json:"statistics" doc:"By metric; null until archived."`
	ID               int64                    `json:"id" doc:"Database id: the handle in paths."`
	SubmitTime       int64                    `json:"submitTime,omitempty"`
	StartTime        int64                    `json:"startTime"`
}

func toJob(j job.Job) jobReply {
	r := jobReply{
		Cluster: j.Cluster, SubCluster: j.SubCluster, Partition: j.Partition, Project: j.Project, User: j.User,
		Shared: string(j.Shared), State: string(j.State), Resources: make([]resource, len(j.Resources)),
		EnergyFootprint: numbers(j.EnergyFootprint), Footprint: numbers(j.Footprint), MetaData: j.MetaData,
		Energy: number(j.Energy), ArrayJobID: j.ArrayJobID, Walltime: seconds(j.Walltime), RequestedMemory: j.RequestedMemory,
		JobID: j.JobID, Duration: seconds(j.Duration), SMT: j.SMT, MonitoringStatus: int(j.Monitoring),
		NumAcc: j.NumAcc, NumHWThreads: j.NumHWThreads, NumNodes: j.NumNodes,
		ID: int64(j.ID), SubmitTime: unix(j.Submit), StartTime: unix(j.Start),
	}
	for i, res := range j.Resources {
		r.Resources[i] = resource(res)
	}
	for _, t := range j.Tags {
		r.Tags = append(r.Tags, tag{ID: int64(t.ID), Type: t.Type, Name: t.Name, Scope: t.Scope})
	}
	if j.Statistics != nil {
		r.Statistics = make(map[string]jobStatistics, len(j.Statistics))
	}
	for name, s := range j.Statistics {
		r.Statistics[name] = jobStatistics{Unit: toUnit(s.Unit), Avg: number(s.Avg), Min: number(s.Min), Max: number(s.Max)}
	}
	return r
}

// startRequest is the job that starts. The adapter sends every member that a job can have; what only an answer has is
// ignored.
type startRequest struct {
	JobID            int64             `json:"jobId" required:"true" doc:"Number that the scheduler gave." example:"1001"`
	Cluster          string            `json:"cluster" required:"true" example:"alpha"`
	SubCluster       string            `json:"subCluster" doc:"Default: the one that has the first host."`
	User             string            `json:"user" required:"true"`
	Project          string            `json:"project" required:"true" doc:"Account to which the job is charged."`
	Partition        string            `json:"partition" doc:"Partition of the scheduler."`
	ArrayJobID       int64             `json:"arrayJobId"`
	NumNodes         int               `json:"numNodes" required:"true" doc:"As many as resources."`
	NumHWThreads     int               `json:"numHwthreads"`
	NumAcc           int               `json:"numAcc"`
	Shared           string            `json:"shared" doc:"Who shares the nodes: none (default), single_user or multi_user."`
	Exclusive        *int              `json:"exclusive" doc:"Older form of shared: 1 none, 2 single_user, 0 multi_user."`
	MonitoringStatus *int              `json:"monitoringStatus" doc:"0: do not archive. Default: 1."`
	SMT              int               `json:"smt" doc:"Hardware threads used per core."`
	StartTime        int64             `json:"startTime" required:"true" doc:"Seconds since 1970." example:"1795459836"`
	SubmitTime       int64             `json:"submitTime"`
	Walltime         int64             `json:"walltime" doc:"Requested limit, in seconds."`
	RequestedMemory  int64             `json:"requestedMemory" doc:"In MB."`
	Resources        []resource        `json:"resources" required:"true"`
	MetaData         map[string]string `json:"metaData" doc:"Shown are jobName, jobScript and slurmInfo."`
	Tags             []tag             `json:"tags"`
}

func (r startRequest) job() (job.Job, error) {
	shared, err := r.shared()
	if err != nil {
		return job.Job{}, err
	}
	if r.Walltime > maxSeconds {
		return job.Job{}, fault.New(fault.Invalid, "walltime %d is too long: it is in seconds", r.Walltime)
	}
	j := job.Job{
		JobID: r.JobID, Cluster: r.Cluster, SubCluster: r.SubCluster, Partition: r.Partition, User: r.User, Project: r.Project,
		ArrayJobID: r.ArrayJobID, NumNodes: r.NumNodes, NumHWThreads: r.NumHWThreads, NumAcc: r.NumAcc, Shared: shared,
		SMT: r.SMT, Start: fromUnix(r.StartTime), Submit: fromUnix(r.SubmitTime), Walltime: time.Duration(r.Walltime) * time.Second,
		RequestedMemory: r.RequestedMemory, Monitoring: job.MonitoringPending, MetaData: r.MetaData,
	}
	if r.MonitoringStatus != nil {
		j.Monitoring = job.Monitoring(*r.MonitoringStatus)
	}
	for _, res := range r.Resources {
		j.Resources = append(j.Resources, job.Resource(res))
	}
	for _, t := range r.Tags {
		j.Tags = append(j.Tags, job.Tag{Type: t.Type, Name: t.Name, Scope: t.Scope})
	}
	return j, nil
}

// shared returns who shares the nodes, also in the form of clients older than 1.5.
func (r startRequest) shared() (job.Shared, error) {
	if r.Shared != "" || r.Exclusive == nil {
		return job.Shared(r.Shared), nil
	}
	switch *r.Exclusive {
	case 0:
		return job.SharedMultiUser, nil
	case 1:
		return job.SharedNone, nil
	case 2:
		return job.SharedSingleUser, nil
	default:
		return "", fault.New(fault.Invalid, "unknown value %d of exclusive: it is 0, 1 or 2", *r.Exclusive)
	}
}

// maxSeconds is the longest time in seconds that a time.Duration holds.
const maxSeconds = int64(1<<63-1) / int64(time.Second)

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// unix returns t in seconds since 1970, and 0 for a time that has not been told.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// fromUnix is the inverse of unix.
func fromUnix(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
