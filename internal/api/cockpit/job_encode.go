package cockpit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// jobData is the samples of a job: metric -> scope -> series.
type jobData map[string]map[string]jobMetric

type namedMetric struct {
	Name   string    `json:"name"`
	Scope  string    `json:"scope"`
	Metric jobMetric `json:"metric"`
}

type jobMetric struct {
	Unit             unit     `json:"unit"`
	Timestep         int64    `json:"timestep" doc:"Distance between two samples, in seconds."`
	Series           []series `json:"series"`
	StatisticsSeries *bands   `json:"statisticsSeries,omitempty" doc:"What many series have in common, sample by sample."`
}

type series struct {
	Hostname   string           `json:"hostname"`
	ID         string           `json:"id,omitempty" doc:"Device of the host, absent at scope node."`
	Statistics seriesStatistics `json:"statistics"`
	Data       samples          `json:"data" doc:"The first sample is at the start of the job. null: no sample."`
}

type seriesStatistics struct {
	Min sample `json:"min"`
	Avg sample `json:"avg"`
	Max sample `json:"max"`
}

type bands struct {
	Min    samples `json:"min"`
	Max    samples `json:"max"`
	Mean   samples `json:"mean"`
	Median samples `json:"median"`
}

// encoder writes replies that carry samples. encoding/json would check and copy every sample once more; the test that
// compares the two keeps them alike.
type encoder struct {
	buf []byte
	err error
}

func (e *encoder) raw(s string) *encoder {
	e.buf = append(e.buf, s...)
	return e
}

// value appends v as encoding/json writes it, without its escapes for HTML.
func (e *encoder) value(v any) *encoder {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && e.err == nil {
		e.err = fmt.Errorf("encode reply: %w", err)
	}
	e.buf = append(e.buf, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
	return e
}

// text is value for strings, of which nearly all need no escapes.
func (e *encoder) text(s string) *encoder {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return e.value(s)
		}
	}
	return e.raw(`"`).raw(s).raw(`"`)
}

func (e *encoder) data(d jobData) *encoder {
	e.raw("{")
	for i, name := range slices.Sorted(maps.Keys(d)) {
		e.comma(i).value(name).raw(":{")
		for k, scope := range slices.Sorted(maps.Keys(d[name])) {
			e.comma(k).value(scope).raw(":").metric(d[name][scope])
		}
		e.raw("}")
	}
	return e.raw("}")
}

func (e *encoder) list(metrics []namedMetric) *encoder {
	e.raw("[")
	for i, m := range metrics {
		e.comma(i).raw(`{"name":`).text(m.Name).raw(`,"scope":`).text(m.Scope).raw(`,"metric":`).metric(m.Metric).raw("}")
	}
	return e.raw("]")
}

func (e *encoder) metric(m jobMetric) *encoder {
	e.raw(`{"unit":`).value(m.Unit).raw(`,"timestep":`)
	e.buf = strconv.AppendInt(e.buf, m.Timestep, 10)
	e.raw(`,"series":[`)
	for i, s := range m.Series {
		e.comma(i).series(s)
	}
	e.raw("]")
	if b := m.StatisticsSeries; b != nil {
		e.raw(`,"statisticsSeries":{"min":`).samples(b.Min).raw(`,"max":`).samples(b.Max)
		e.raw(`,"mean":`).samples(b.Mean).raw(`,"median":`).samples(b.Median).raw("}")
	}
	return e.raw("}")
}

func (e *encoder) series(s series) *encoder {
	e.raw(`{"hostname":`).text(s.Hostname)
	if s.ID != "" {
		e.raw(`,"id":`).text(s.ID)
	}
	e.raw(`,"statistics":{"min":`).sample(s.Statistics.Min).raw(`,"avg":`).sample(s.Statistics.Avg)
	return e.raw(`,"max":`).sample(s.Statistics.Max).raw(`},"data":`).samples(s.Data).raw("}")
}

func (e *encoder) sample(s sample) *encoder {
	e.buf = appendSample(e.buf, float64(s))
	return e
}

func (e *encoder) samples(s samples) *encoder {
	e.buf = s.appendTo(e.buf)
	return e
}

func (e *encoder) comma(i int) *encoder {
	if i > 0 {
		e.raw(",")
	}
	return e
}

// send writes the reply, unless something went wrong on the way.
func (e *encoder) send(w http.ResponseWriter) error {
	if e.err != nil {
		return e.err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(e.buf) // the client has gone; nobody is left to tell
	return nil
}
