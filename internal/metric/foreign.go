package metric

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Foreign is a sample of a sender that names series in its own way.
type Foreign struct {
	Line
	Origin Origin
	// Err is what is wrong with its names already, nil for nothing; such a sample is rejected.
	Err error
	// unkept are the first of the labels that the origin is made of, to name them where it matters.
	unkept [4]label
	memo   metricstore.Memo // what is known of its series, without the way; for kept samples
}

type label struct{ name, value []byte }

// SetApart adds a label that the store has no place for: it tells the origin of the sample from others.
func (f *Foreign) SetApart(name, value []byte) {
	f.Origin.Add(name, value)
	for i := range f.unkept {
		if f.unkept[i].name == nil {
			f.unkept[i] = label{name, value}
			return
		}
	}
}

// contested says why a sample of another origin is not taken, and by which labels it may be told apart.
func (f *Foreign) contested() string {
	var labels []string
	for _, l := range f.unkept {
		if l.name != nil {
			labels = append(labels, fmt.Sprintf("%.64s=%.64q", l.name, l.value))
		}
	}
	here := ""
	if len(labels) > 0 {
		here = " (here " + strings.Join(labels, ", ") + ")"
	}
	return fmt.Sprintf("host %s: metric %s comes from another source already, which differs only in labels that are not kept%s; tell them apart by type and type-id, or by stype and stype-id", f.Host, f.Metric, here)
}

// WriteSamples stores samples that somebody has parsed. It promises what WriteFrom promises for lines; in the result, the
// number of a line is that of a sample, and the first one is 1. A sample is rejected when another origin writes its series.
func (s *Service) WriteSamples(ctx context.Context, from Source, samples iter.Seq[*Foreign]) (WriteResult, error) {
	w := s.writer(from)
	return w.finish(w.takeAll(ctx, samples))
}

func (w *writer) takeAll(ctx context.Context, samples iter.Seq[*Foreign]) error {
	n := 0
	for f := range samples {
		n++
		if err := cmp.Or(f.Err, f.checkNames()); err != nil {
			w.reject(n, err.Error())
			continue
		}
		w.take(n, f)
		if err := w.commitSome(ctx); err != nil {
			return err
		}
	}
	return nil
}

// take notes a sample, unless another origin writes its series.
func (w *writer) take(n int, f *Foreign) verdict {
	config, v := w.judge(n, &f.Line)
	if v != kept {
		return v
	}
	m := metricstore.Memo{Origin: uint64(f.Origin), Names: namesHash(&f.Line), Rest: restOf(config.Frequency)}
	f.memo = m
	if !w.service.claims.hold(hostHash(f.Cluster, f.Host), m.Names, f.Origin, w.now, w.now+m.Rest) {
		w.reject(n, f.contested())
		return wrong
	}
	return w.note(n, &f.Line, config)
}

// checkNames holds names that no parser of ours has read to the rules of the line protocol.
func (f *Foreign) checkNames() error {
	if len(f.Metric) == 0 {
		return errors.New("the metric's name is missing")
	}
	for _, name := range [...][]byte{f.Metric, f.Cluster, f.Host, f.Type, f.TypeID, f.SubType, f.SubTypeID} {
		if err := checkName(name); err != nil {
			return err
		}
	}
	return f.check()
}
