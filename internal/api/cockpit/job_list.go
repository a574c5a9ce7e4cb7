package cockpit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// listParams is contract clustercockpit 3.6, with what documentation and users ask for beyond it. Every parameter but
// the ranges may be repeated; any of its values matches.
type listParams struct {
	State        []stateName  `query:"state" doc:"State of the job."`
	Cluster      []string     `query:"cluster"`
	SubCluster   []string     `query:"subCluster"`
	Partition    []string     `query:"partition"`
	Project      []string     `query:"project"`
	User         []string     `query:"user"`
	JobID        []int64      `query:"jobId" doc:"The scheduler's number."`
	Tag          []int64      `query:"tag" doc:"Database id of a tag."`
	Shared       []sharedName `query:"shared" doc:"Who shares the nodes." enum:"none,single_user,multi_user"`
	Node         string       `query:"node" doc:"Only jobs that have this host."`
	JobName      string       `query:"jobName" doc:"Part of the job's name."`
	Search       string       `query:"search" doc:"Part of the job's name, or exactly its number, user or project."`
	StartTime    timeRange    `query:"start-time" doc:"Range of start times in seconds since 1970." example:"1795459836-1795463900"`
	StartFrom    int64        `query:"startTime[from]" doc:"Earliest start."`
	StartTo      int64        `query:"startTime[to]" doc:"Latest start."`
	NodesFrom    int          `query:"numNodes[from]" doc:"Fewest nodes."`
	NodesTo      int          `query:"numNodes[to]" doc:"Most nodes."`
	DurationFrom int64        `query:"duration[from]" doc:"Shortest duration, in seconds."`
	DurationTo   int64        `query:"duration[to]" doc:"Longest duration, in seconds."`
	Sort         sortOrder    `query:"sort" doc:"startTime, duration, numNodes, numHwthreads, numAcc, walltime, energy, or footprint:<key>; a minus in front turns it round. Default: -startTime." example:"-footprint:flops_any_avg"`
	Items        *int         `query:"items-per-page" doc:"Jobs per page. Default: 25."`
	ItemsAlso    *int         `query:"items_per_page" doc:"Other spelling of items-per-page."`
	Page         int          `query:"page" default:"1"`
	WithMetaData flagParam    `query:"with-metadata" doc:"Include metaData; false and 0 do not."`
}

type jobList struct {
	Jobs  []jobReply `json:"jobs"`
	Items int        `json:"items" doc:"Jobs per page, as asked for."`
	Page  int        `json:"page"`
	Total int        `json:"total" doc:"How many jobs match in all."`
}

const defaultItems = 25

func (d *dialect) listJobs(ctx context.Context, r api.Request[listParams, api.None]) (jobList, error) {
	f, items, err := r.Params.filter()
	if err != nil {
		return jobList{}, err
	}

	jobs, total, err := d.Jobs.List(ctx, r.Caller, f)
	if err != nil {
		return jobList{}, err
	}

	list := jobList{Jobs: make([]jobReply, len(jobs)), Items: items, Page: r.Params.Page, Total: total}
	for i, j := range jobs {
		if !r.Params.WithMetaData {
			j.MetaData = nil
		}
		list.Jobs[i] = toJob(j)
	}
	return list, nil
}

func (p listParams) filter() (f job.Filter, items int, err error) {
	items = defaultItems
	for _, given := range []*int{p.Items, p.ItemsAlso} {
		if given != nil {
			items = *given
		}
	}
	if items < 1 {
		return f, 0, fault.New(fault.Invalid, "invalid value %d for parameter items-per-page: at least 1 is expected", items)
	}
	if p.Page < 1 {
		return f, 0, fault.New(fault.Invalid, "invalid value %d for parameter page: at least 1 is expected", p.Page)
	}
	f = job.Filter{
		JobIDs: p.JobID, Users: p.User, Projects: p.Project, Clusters: p.Cluster, SubClusters: p.SubCluster, Partitions: p.Partition,
		Node: p.Node, Name: p.JobName, Search: p.Search,
		StartFrom: p.StartTime.from, StartTo: p.StartTime.to, NodesFrom: p.NodesFrom, NodesTo: p.NodesTo,
		DurationFrom: toDuration(p.DurationFrom), DurationTo: toDuration(p.DurationTo), Sort: job.Sort(p.Sort),
	}
	if p.StartFrom != 0 {
		f.StartFrom = fromUnix(p.StartFrom)
	}
	if p.StartTo != 0 {
		f.StartTo = fromUnix(p.StartTo)
	}
	for _, s := range p.State {
		f.States = append(f.States, job.State(s))
	}
	for _, s := range p.Shared {
		f.Shared = append(f.Shared, job.Shared(s))
	}
	for _, id := range p.Tag {
		f.Tags = append(f.Tags, job.TagID(id))
	}
	f.Limit = min(items, maxPage)
	f.Offset = min(p.Page-1, maxPage) * f.Limit
	return f, items, nil
}

// maxPage keeps the product of two page numbers within 63 bits.
const maxPage = 1 << 31

func toDuration(sec int64) time.Duration {
	return time.Duration(min(max(sec, 0), maxSeconds)) * time.Second
}

type stateName job.State

// UnmarshalText accepts every state in any case.
func (s *stateName) UnmarshalText(text []byte) error {
	state, err := job.ParseState(string(text))
	*s = stateName(state)
	return err
}

type sharedName job.Shared

// UnmarshalText accepts the three ways of sharing.
func (s *sharedName) UnmarshalText(text []byte) error {
	switch v := job.Shared(text); v {
	case job.SharedNone, job.SharedSingleUser, job.SharedMultiUser:
		*s = sharedName(v)
		return nil
	}
	return errors.New("none, single_user or multi_user expected")
}

// flagParam is true when the parameter is there, unless its value says otherwise.
type flagParam bool

// UnmarshalText accepts anything.
func (f *flagParam) UnmarshalText(text []byte) error {
	v, err := strconv.ParseBool(string(text))
	*f = flagParam(v || err != nil)
	return nil
}

type timeRange struct{ from, to time.Time }

// UnmarshalText accepts two times in seconds with a dash between them.
func (r *timeRange) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(string(text), "-")
	first, err1 := strconv.ParseUint(from, 10, 62)
	last, err2 := strconv.ParseUint(to, 10, 62)
	if !ok || err1 != nil || err2 != nil {
		return errors.New("<from>-<to> in seconds since 1970 expected")
	}
	r.from, r.to = fromUnix(int64(first)), fromUnix(int64(last))
	return nil
}

type sortOrder job.Sort

// UnmarshalText accepts a column's name, a minus in front for the larger first.
func (o *sortOrder) UnmarshalText(text []byte) error {
	name, descending := strings.CutPrefix(string(text), "-")
	o.Ascending = !descending
	if key, ok := strings.CutPrefix(name, "footprint:"); ok {
		o.By, o.Footprint = job.SortFootprint, key
		if !isKey(key) {
			return errors.New("a footprint such as footprint:flops_any_avg expected")
		}
		return nil
	}
	column, ok := map[string]job.SortField{
		"startTime": job.SortStart, "duration": job.SortDuration, "numNodes": job.SortNumNodes,
		"numHwthreads": job.SortNumHWThreads, "numAcc": job.SortNumAcc, "walltime": job.SortWalltime, "energy": job.SortEnergy,
	}[name]
	if !ok {
		return errors.New("startTime, duration, numNodes, numHwthreads, numAcc, walltime, energy or footprint:<key> expected")
	}
	o.By = column
	return nil
}

// isKey reports whether s can be the name of a metric with a statistic.
func isKey(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}
