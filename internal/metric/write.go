package metric

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

const (
	// MaxLine is the length of the longest line in bytes.
	MaxLine = 64 << 10
	// maxRejects is how many refused lines a result lists; the others are only counted.
	maxRejects = 100
	// commitEvery is how many samples are stored together.
	commitEvery = 8192
)

// WriteResult says what became of a batch of lines.
type WriteResult struct {
	Taken    int // stored
	Dropped  int // of metrics that are not configured
	Rejected int // wrong
	// Rejects are the first of the rejected lines.
	Rejects []Reject
}

// Write stores the samples of a batch in the line protocol. Every line stands alone: the good ones are stored whatever
// the others are. Lines without a cluster belong to defaultCluster, lines without a time to now. Samples of metrics that
// are not configured are dropped. When Write returns nil, what it has taken survives the death of the process. The error
// is fault.Unavailable when samples could not be stored, or comes from reading lines; the result then says what had
// been taken before.
func (s *Service) Write(ctx context.Context, defaultCluster string, lines io.Reader) (WriteResult, error) {
	return s.WriteFrom(ctx, Source{Cluster: defaultCluster}, lines)
}

// Source is who sends a batch of lines.
type Source struct {
	// Cluster is that of lines that name none.
	Cluster string
	// Name says who it is, for those who look for the sender of bad lines.
	Name string
	// Reaches says into which clusters the source may write; nil is into all.
	Reaches func(cluster string) bool
}

// WriteFrom is Write for a source that may not write into every cluster. Lines for others are rejected, and it cannot be
// told from the reason whether there is such a cluster.
func (s *Service) WriteFrom(ctx context.Context, from Source, lines io.Reader) (WriteResult, error) {
	w := s.writer(from)
	return w.finish(w.readAll(ctx, lines, w.add))
}

// writer returns what works off one batch, to be ended with finish.
func (s *Service) writer(from Source) *writer {
	return &writer{
		service: s, app: s.engine.Appender(), now: s.clock.Now().Unix(), defaultCluster: []byte(from.Cluster), source: from.Name, reaches: from.Reaches,
	}
}

// finish stores what is pending and counts. err is what has ended the batch.
func (w *writer) finish(err error) (WriteResult, error) {
	defer w.app.Close()
	err = errors.Join(err, w.commit())
	w.service.taken.Add(int64(w.result.Taken))
	w.service.dropped.Add(int64(w.result.Dropped))
	w.service.rejected.Add(int64(w.result.Rejected))
	w.service.refusals.note(time.Unix(w.now, 0), w.source, w.result.Rejects)
	return w.result, err
}

// writer works off one batch.
type writer struct {
	service        *Service
	app            *metricstore.Appender
	now            int64
	defaultCluster []byte
	parser         Parser
	line           Line
	texts          bool   // values may be texts, with line ends in them
	joined         []byte // a line of several lines
	pending        int    // noted, not committed
	result         WriteResult

	source    string
	reaches   func(cluster string) bool // nil: all
	cluster   []byte                    // whose catalogue this is
	catalogue Catalogue
	known     bool
	denied    bool
	misnamed  error // the cluster cannot be called so
	isDefault bool  // the cluster is that of lines that name none
}

// readAll gives all lines to add. A last line without an end is one too, but not when reading it failed: then it may be
// only half of itself.
func (w *writer) readAll(ctx context.Context, lines io.Reader, add func(n int, line []byte)) error {
	buf, ok := w.service.buffers.Get().(*bufio.Reader)
	if !ok {
		buf = bufio.NewReaderSize(nil, MaxLine)
	}
	buf.Reset(lines)
	defer func() {
		buf.Reset(nil)
		w.service.buffers.Put(buf)
	}()
	for n := 1; ; n++ {
		line, err := buf.ReadSlice('\n')
		if err == nil && (!w.texts || bytes.IndexByte(line, '"') < 0) { // as most are
			add(n, line[:len(line)-1])
		} else {
			lines, err := w.addOdd(buf, n, line, err, add)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read lines: %w", err)
			}
			n += lines - 1
		}
		if err := w.commitSome(ctx); err != nil {
			return err
		}
	}
}

// commitSome stores what is pending when that is much.
func (w *writer) commitSome(ctx context.Context) error {
	if w.pending < commitEvery {
		return nil
	}
	if err := w.commit(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	return nil
}

// add notes the sample of a line.
func (w *writer) add(n int, line []byte) {
	if w.follow(n, line) || blank(line) {
		return
	}
	if err := w.parser.Parse(line, &w.line); err != nil {
		w.reject(n, err.Error())
		return
	}
	named := len(w.line.Cluster) > 0
	if config, v := w.judge(n, &w.line); v == kept && w.note(n, &w.line, config) == kept {
		w.remember(line, named)
	}
}

// blank reports whether a line has no sample: empty lines and comments have none.
func blank(line []byte) bool {
	if len(line) == 0 || line[0] == '#' {
		return true
	}
	if classes[line[0]] == 0 && line[0] != ' ' {
		return false // as most are
	}
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// verdict is what becomes of a sample.
type verdict uint8

const (
	kept    verdict = iota
	dropped         // of a metric that is not configured
	wrong           // rejected
)

// judge completes a sample, and says how its metric is stored if it is.
func (w *writer) judge(n int, l *Line) (Config, verdict) {
	if len(l.Cluster) == 0 {
		l.Cluster = w.defaultCluster
	}
	if !l.HasTime {
		l.Time = w.now
	}
	w.useCatalogue(l.Cluster)
	if w.denied {
		w.reject(n, fmt.Sprintf("your token does not reach the cluster %q", l.Cluster))
		return Config{}, wrong
	}
	if len(l.Cluster) == 0 {
		w.reject(n, "no cluster is named: neither by a tag or label cluster, nor in the address")
		return Config{}, wrong
	}
	if w.misnamed != nil {
		w.reject(n, w.misnamed.Error())
		return Config{}, wrong
	}
	if !w.known {
		w.reject(n, fmt.Sprintf("unknown cluster %q", l.Cluster))
		return Config{}, wrong
	}
	config, ok := w.catalogue[string(l.Metric)]
	if !ok {
		w.result.Dropped++
		return Config{}, dropped
	}
	if config.Derived != nil {
		w.reject(n, fmt.Sprintf("metric %s is derived: it is computed of others, and cannot be written", l.Metric))
		return Config{}, wrong
	}
	return config, kept
}

// note hands a sample to the store.
func (w *writer) note(n int, l *Line, config Config) verdict {
	if err := w.app.Append(&l.Labels, int64(config.Frequency.Seconds()), l.Time, l.Value); err != nil {
		w.reject(n, fmt.Sprintf("host %s: %s", l.Host, w.explain(err)))
		return wrong
	}
	w.pending++
	return kept
}

// explain says why the store has not taken a sample, and what it would have taken.
func (w *writer) explain(err error) string {
	oldest, newest := w.app.Window()
	switch {
	case errors.Is(err, metricstore.ErrTooOld):
		return fmt.Sprintf("%s, which begins at %s", err, time.Unix(oldest, 0).UTC().Format(time.RFC3339))
	case errors.Is(err, metricstore.ErrTooNew):
		return fmt.Sprintf("%s: it may be %s at most", err, time.Unix(newest, 0).UTC().Format(time.RFC3339))
	default:
		return err.Error()
	}
}

// useCatalogue makes the catalogue of a cluster the current one. A batch rarely has lines of two clusters.
func (w *writer) useCatalogue(cluster []byte) {
	if w.cluster != nil && bytes.Equal(w.cluster, cluster) {
		return
	}
	w.cluster = append(make([]byte, 0, len(cluster)+1), cluster...)
	w.catalogue, w.known = nil, false
	w.isDefault = bytes.Equal(cluster, w.defaultCluster)
	w.denied = w.reaches != nil && len(cluster) > 0 && !w.reaches(string(cluster))
	if w.misnamed = checkCluster(cluster); len(cluster) > 0 && !w.denied && w.misnamed == nil {
		w.catalogue, w.known = w.service.catalogue(string(cluster))
	}
}

// checkCluster says what is wrong with the name of a cluster, which need not stand in a line: an address may name it, and
// where all clusters have the same metrics, whoever is named exists.
func checkCluster(name []byte) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("the cluster's name: %w", err)
	}
	return checkPlace(name)
}

func (w *writer) reject(n int, reason string) {
	w.result.Rejected++
	if len(w.result.Rejects) < maxRejects {
		w.result.Rejects = append(w.result.Rejects, Reject{n, reason})
	}
}

func (w *writer) commit() error {
	pending := w.pending
	w.pending = 0
	if err := w.app.Commit(); err != nil {
		return fault.Because(fault.Unavailable, err, "the samples could not be stored; send them again")
	}
	w.result.Taken += pending
	return nil
}
