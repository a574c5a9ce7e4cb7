package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Store is where the samples go. *metricstore.DB is one.
type Store interface {
	// Appender returns something to store samples with.
	Appender() *metricstore.Appender
	// Checkpoint moves what is complete from memory to disk; what the disk returns.
	Checkpoint() error
	// Stats tells how much is in memory.
	Stats() metricstore.Stats
}

// Config says what is to be imported, and how.
type Config struct {
	// Dir has a folder for each cluster.
	Dir   string
	Store Store
	// Catalogue returns the metrics of a cluster; ok is false when there is no such cluster.
	Catalogue func(cluster string) (metric.Catalogue, bool)
	// Memory is how many bytes of samples may be in memory before those that are complete go to disk. 0: 256 MiB.
	Memory int64
	// Progress is told after each host how far it is; it may be nil.
	Progress func(Summary)
}

// Summary is what an import has done.
type Summary struct {
	Files, Hosts, Series int
	Samples              int64            // stored
	TooOld               int64            // samples before the store's retention
	Refused              map[string]int64 // other samples that were not stored, by reason
	Problems             []string         // files, and parts of files, that could not be read; no more than MaxProblems
	MoreProblems         int              // beyond those
}

// MaxProblems is how many problems a summary lists.
const MaxProblems = 1000

// commitEvery is how many samples are stored together.
const commitEvery = 8192

// Import stores the samples of all files below the folder, host by host, each host's files from old to new: of two samples
// for a slot the later one wins. To import again changes nothing. Damaged files are told in the summary and stop nobody;
// of a damaged JSON file or snapshot nothing is taken, of a damaged log every record that is whole.
//
// The error is that the folder cannot be read, or that samples cannot be stored; the summary tells how far it was then.
func Import(ctx context.Context, c Config) (Summary, error) {
	if c.Memory == 0 {
		c.Memory = 256 << 20
	}
	im := importer{Config: c, summary: Summary{Refused: map[string]int64{}}}
	clusters, err := folders(c.Dir)
	if err != nil {
		return im.summary, err
	}
	for _, cluster := range clusters {
		if err := im.cluster(ctx, cluster); err != nil {
			return im.summary, err
		}
	}
	return im.summary, nil
}

// importer works through the folders.
type importer struct {
	Config
	summary Summary
}

func (im *importer) problem(where string, format string, args ...any) {
	if len(im.summary.Problems) == MaxProblems {
		im.summary.MoreProblems++
		return
	}
	im.summary.Problems = append(im.summary.Problems, printable(where)+": "+fmt.Sprintf(format, args...))
}

// refused counts samples that are not stored.
func (im *importer) refused(n int64, reason string) {
	if _, known := im.summary.Refused[reason]; !known && len(im.summary.Refused) >= MaxProblems {
		reason = "other reasons"
	}
	im.summary.Refused[reason] += n
}

func (im *importer) cluster(ctx context.Context, cluster string) error {
	hosts, err := folders(filepath.Join(im.Dir, cluster))
	if err != nil {
		im.problem(cluster, "%v", plain(err))
		return nil
	}
	if len(hosts) == 0 {
		return nil
	}
	catalogue, ok := im.Catalogue(cluster)
	if !ok {
		im.problem(cluster, "there is no such cluster; its %d hosts are left out", len(hosts))
		return nil
	}
	for _, name := range hosts {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import: %w", err)
		}
		h := host{importer: im, catalogue: catalogue, cluster: cluster, name: name, series: map[string]bool{}}
		if err := h.read(); err != nil {
			return fmt.Errorf("import %s/%s: %w", cluster, name, err)
		}
		if im.Store.Stats().Bytes > im.Memory {
			if err := im.Store.Checkpoint(); err != nil {
				return fmt.Errorf("import: %w", err)
			}
		}
		if im.Progress != nil {
			im.Progress(im.summary)
		}
	}
	return nil
}

// host works through the files of one host.
type host struct {
	*importer
	catalogue     metric.Catalogue
	cluster, name string
	app           *metricstore.Appender
	pending       int64
	err           error // of storing samples; ends the import
	series        map[string]bool
	beats         beats
}

// read stores what all files of the host hold.
func (h *host) read() error {
	at := filepath.Join(h.cluster, h.name)
	files, others, err := list(filepath.Join(h.Dir, at))
	if err != nil {
		h.problem(at, "%v", plain(err))
		return nil
	}
	for _, other := range others {
		h.problem(filepath.Join(at, other), "it is no file of a kind that is read")
	}
	if len(files) > 0 && (checkName(h.cluster) != nil || checkName(h.name) != nil) {
		h.problem(at, "it cannot be the name of a host")
		return nil
	}
	if slices.ContainsFunc(files, func(f file) bool { return f.name == logName }) {
		h.beats = beatsOf(filepath.Join(h.Dir, at, logName))
	}
	h.app = h.Store.Appender()
	defer h.app.Close()
	for _, f := range files {
		h.summary.Files++
		if err := h.file(filepath.Join(at, f.name)); err != nil {
			h.problem(filepath.Join(at, f.name), "%v", err)
		}
		if h.commit(); h.err != nil {
			return h.err
		}
	}
	if len(h.series) > 0 {
		h.summary.Hosts++
		h.summary.Series += len(h.series)
	}
	return nil
}

func (h *host) file(local string) error {
	path := filepath.Join(h.Dir, local)
	if filepath.Base(path) == logName {
		return h.log(path, local)
	}
	data, err := read(path)
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(path, jsonSuffix):
		return ReadJSON(data, h.take)
	default:
		return ReadSnapshot(data, h.take)
	}
}

func (h *host) log(path, local string) (err error) {
	f, err := os.Open(path) //nolint:gosec // below the folder that the administrator names
	if err != nil {
		return plain(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	damage, err := ReadLog(f, h.take)
	if damage.Stretches > 0 {
		h.problem(local, "%d damaged stretches of %d bytes were passed over", damage.Stretches, damage.Bytes)
	}
	if damage.Torn > 0 {
		h.problem(local, "the last %d bytes are no whole record", damage.Torn)
	}
	return err
}

// take stores the samples of a series.
func (h *host) take(s Series) {
	if h.err != nil {
		return
	}
	config, ok := h.catalogue[s.Metric]
	switch {
	case !ok:
		h.refuse(s, "metric "+s.Metric+" is not configured")
		return
	case config.Derived != nil:
		h.refuse(s, "metric "+s.Metric+" is derived now")
		return
	case len(s.Levels) > 2:
		h.refuse(s, "more than two levels below the host")
		return
	}
	if s.Step == 0 {
		s.Step = int64(config.Frequency.Seconds())
	} else {
		s.First = h.beats.align(s)
	}
	k := metricstore.Key{Cluster: h.cluster, Host: h.name, Metric: s.Metric}
	if len(s.Levels) > 0 && s.Levels[0] != string(metric.ScopeNode) {
		k.Type, k.TypeID = split(s.Levels[0])
	}
	if len(s.Levels) > 1 {
		k.SubType, k.SubTypeID = split(s.Levels[1])
	}
	stored := false
	labels := k.Labels()
	for i, v := range s.Values {
		if math.IsNaN(v) {
			continue
		}
		stored = h.append(&labels, s.Step, s.First+int64(i)*s.Step, v) || stored
	}
	if stored {
		h.series[s.name()] = true
	}
}

// append stores one sample.
func (h *host) append(l *metricstore.Labels, step, t int64, v float64) bool {
	if math.IsInf(v, 0) {
		h.refused(1, "the value is infinite")
		return false
	}
	switch err := h.app.Append(l, step, t, v); {
	case errors.Is(err, metricstore.ErrTooOld):
		h.summary.TooOld++
		return false
	case err != nil:
		h.refused(1, err.Error())
		return false
	}
	if h.pending++; h.pending == commitEvery {
		h.commit()
	}
	return true
}

func (h *host) refuse(s Series, reason string) {
	n := int64(0)
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			n++
		}
	}
	if n > 0 {
		h.refused(n, reason)
	}
}

func (h *host) commit() {
	pending := h.pending
	h.pending = 0
	if err := h.app.Commit(); err != nil {
		h.err = err
		return
	}
	h.summary.Samples += pending
}
