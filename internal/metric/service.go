package metric

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Engine keeps samples. *metricstore.DB is one.
type Engine interface {
	// Appender returns something to store samples with; it is given back by its Close.
	Appender() *metricstore.Appender
	// Read appends what the matching series of a metric on a host have in a window to dst.
	Read(dst []metricstore.Samples, w metricstore.Window, match func(*metricstore.Key) bool) []metricstore.Samples
	// ReadAggregate fills a with what the devices of a host have of a metric in a window, taken together; ok is false when
	// they cannot be.
	ReadAggregate(a *metricstore.Aggregate, w metricstore.Window) (ok bool)
	// Latest returns the time of the newest sample of a metric on a host, and the step; ok is false without samples.
	Latest(cluster, host, metric string) (newest, step int64, ok bool)
	// Hosts returns the hosts of a cluster that have samples.
	Hosts(cluster string) []string
	// Clusters returns the clusters that have samples.
	Clusters() []string
	// Free forgets the samples before a time below a path and returns how many chunks of memory are gone;
	// metricstore.ErrPath when the path has no name or too many.
	Free(path []string, before time.Time) (int, error)
	// Usage tells what each series takes up.
	Usage(visit func(*metricstore.Key, metricstore.Usage))
	// Inspect tells what is in memory below a path.
	Inspect(path []string, visit func(metricstore.Key, []metricstore.Extent))
}

// ServiceConfig is what a Service needs.
type ServiceConfig struct {
	Engine Engine
	// Catalogue returns the metrics of a cluster; ok is false when there is no such cluster.
	Catalogue func(cluster string) (Catalogue, bool)
	// Expected returns the measured metrics that a host of a cluster should send; nil: all of the cluster.
	Expected func(cluster, host string) []string
	Clock    clock.Clock
	// MinimumPoints is how many samples a series has to have to be thinned out when a query does not say how; 0 is
	// DefaultMinimumPoints.
	MinimumPoints int
}

// Service takes samples in and answers queries. It is safe for concurrent use.
type Service struct {
	engine                   Engine
	catalogue                func(cluster string) (Catalogue, bool)
	expected                 func(cluster, host string) []string
	clock                    clock.Clock
	minimumPoints            int
	buffers                  sync.Pool // of *bufio.Reader
	queriers                 sync.Pool // of *querier
	blocks                   sync.Pool // of *block
	asking                   atomic.Int64
	taken, dropped, rejected atomic.Int64
	refusals                 rejections
	claims                   claims
}

// NewService returns a service.
func NewService(c ServiceConfig) *Service {
	s := &Service{engine: c.Engine, catalogue: c.Catalogue, expected: c.Expected, clock: c.Clock, minimumPoints: cmp.Or(c.MinimumPoints, DefaultMinimumPoints)}
	if s.expected == nil {
		s.expected = func(cluster, _ string) []string {
			catalogue, _ := s.catalogue(cluster)
			return catalogue.measured()
		}
	}
	return s
}

// Counters are figures about what was written since the start.
type Counters struct {
	Taken, Dropped, Rejected int64 // lines
}

// Counters returns figures about what was written since the start.
func (s *Service) Counters() Counters {
	return Counters{Taken: s.taken.Load(), Dropped: s.dropped.Load(), Rejected: s.rejected.Load()}
}

// Hosts returns the hosts of the cluster that have samples.
func (s *Service) Hosts(cluster string) []string { return s.engine.Hosts(cluster) }

// Free forgets the samples before a time below each of the paths: cluster, host, device (type and id written together),
// part of a device. It returns how many buffers of memory are gone. A path with no name or too many is fault.Invalid.
func (s *Service) Free(_ context.Context, paths [][]string, before time.Time) (int, error) {
	for _, path := range paths {
		if len(path) == 0 || len(path) > 4 || slices.Contains(path, "") {
			return 0, fault.New(fault.Invalid, "selector %q has to be [cluster], [cluster, host], [cluster, host, device] or [cluster, host, device, part]", path)
		}
	}
	freed := 0
	for _, path := range paths {
		n, err := s.engine.Free(path, before)
		if err != nil {
			return freed, fault.Because(fault.Unavailable, err, "the samples could not be freed")
		}
		freed += n
	}
	return freed, nil
}

// Held is what memory has of one series.
type Held struct {
	Metric  string
	Path    []string // cluster, host, device, part of a device
	Extents []metricstore.Extent
}

// Inspect tells what is in memory below a path, in order. It fails with fault.Invalid when nothing is.
func (s *Service) Inspect(_ context.Context, path []string) ([]Held, error) {
	var held []Held
	s.engine.Inspect(path, func(k metricstore.Key, extents []metricstore.Extent) {
		held = append(held, Held{k.Metric, k.Path(), slices.Clone(extents)})
	})
	if len(held) == 0 && len(path) > 0 {
		return nil, fault.New(fault.Invalid, "nothing is stored below %q", path)
	}
	slices.SortStableFunc(held, func(a, b Held) int { return slices.Compare(a.Path, b.Path) })
	return held, nil
}
