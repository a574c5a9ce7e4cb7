package archive

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// readData reads data.json, compressed or not, up to a limit of uncompressed bytes.
func readData(ctx context.Context, r io.Reader, compressed bool, limit int64) (job.Data, error) {
	if compressed {
		zip, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		r = zip
	}
	return decodeData(ctx, &limitedReader{r: r, left: limit})
}

// limitedReader fails when there is more to read than it may.
type limitedReader struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader; fault.TooLarge beyond the limit.
func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		if n, err := io.ReadFull(l.r, make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, fault.New(fault.TooLarge, "the archived samples are larger than the limit of this server")
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// decodeData reads metric by metric, so that the text of one metric at a time is in memory.
func decodeData(ctx context.Context, r io.Reader) (job.Data, error) {
	dec := json.NewDecoder(r)
	if err := expect(dec, json.Delim('{')); err != nil {
		return nil, err
	}
	data := job.Data{}
	for dec.More() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(token) // a key is a string
		var scopes map[string]wireMetric
		if err := dec.Decode(&scopes); err != nil {
			return nil, fmt.Errorf("metric %.60q: %w", name, err)
		}
		data[name] = make(map[metric.Scope]job.MetricData, len(scopes))
		for scopeName, w := range scopes {
			scope, err := metric.ParseScope(scopeName)
			if err != nil {
				return nil, fmt.Errorf("metric %.60q: %w", name, err)
			}
			if data[name][scope], err = w.metricData(); err != nil {
				return nil, fmt.Errorf("metric %.60q: %w", name, err)
			}
		}
	}
	return data, expect(dec, json.Delim('}'))
}

func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("found %v where %v belongs", token, want)
	}
	return nil
}

func (w wireMetric) metricData() (job.MetricData, error) {
	const most = int64(24 * time.Hour / time.Second)
	if w.Timestep <= 0 || w.Timestep > most {
		return job.MetricData{}, fmt.Errorf("timestep %d is not within 1 and %d seconds", w.Timestep, most)
	}
	md := job.MetricData{Unit: metric.Unit(w.Unit), Step: time.Duration(w.Timestep) * time.Second}
	for _, s := range w.Series {
		md.Series = append(md.Series, job.Series{
			Hostname: s.Hostname, ID: s.ID, Data: s.Data,
			Statistics: metric.Statistics{Min: float64(s.Statistics.Min), Avg: float64(s.Statistics.Avg), Max: float64(s.Statistics.Max)},
		})
	}
	if b := w.Bands; b != nil {
		md.Bands = &job.Bands{Min: b.Min, Mean: b.Mean, Median: b.Median, Max: b.Max}
	}
	return md, nil
}
