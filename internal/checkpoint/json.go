package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// jsonLevel is a host, a device or a part of one.
type jsonLevel struct {
	From     int64                 `json:"from"`
	To       int64                 `json:"to"`
	Metrics  map[string]jsonSeries `json:"metrics"`
	Children map[string]*jsonLevel `json:"children"`
}

type jsonSeries struct {
	Frequency int64      `json:"frequency"`
	Start     int64      `json:"start"`
	Data      jsonValues `json:"data"`
}

// jsonValues is a list of numbers and nulls, which are no samples.
type jsonValues []float64

// UnmarshalJSON reads the list.
func (v *jsonValues) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	inner, ok := bytes.CutPrefix(bytes.TrimSpace(data), []byte("["))
	if !ok {
		return errors.New("data is no list")
	}
	inner = bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("]")))
	if len(inner) == 0 {
		return nil
	}
	*v = make(jsonValues, 0, bytes.Count(inner, []byte(","))+1)
	for element := range bytes.SplitSeq(inner, []byte(",")) {
		element = bytes.TrimSpace(element)
		if string(element) == "null" {
			*v = append(*v, math.NaN())
			continue
		}
		f, err := strconv.ParseFloat(string(element), 64)
		if err != nil || element[0] != '-' && (element[0] < '0' || element[0] > '9') {
			return errors.New("data has something that is no number")
		}
		*v = append(*v, f)
	}
	return nil
}

// ReadJSON calls visit for every series of a file <from>.json. When the file is damaged, it returns ErrDamaged and visits
// none.
func ReadJSON(data []byte, visit func(Series)) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var root *jsonLevel
	if err := dec.Decode(&root); err != nil {
		return damaged("%v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return damaged("something follows the JSON value")
	}
	var all []Series
	if err := root.walk(nil, func(s Series) { all = append(all, s) }); err != nil {
		return err
	}
	for _, s := range all {
		visit(s)
	}
	return nil
}

func (l *jsonLevel) walk(levels []string, visit func(Series)) error {
	if l == nil {
		return damaged("a level is null")
	}
	for _, name := range slices.Sorted(maps.Keys(l.Metrics)) {
		m := l.Metrics[name]
		s := Series{Metric: name, Levels: slices.Clone(levels), Step: m.Frequency, First: m.Start, Values: m.Data}
		if m.Frequency == 0 {
			return damaged("metric %.40q has no frequency", name)
		}
		if err := s.check(); err != nil {
			return err
		}
		visit(s)
	}
	if len(levels) == maxLevels && len(l.Children) > 0 {
		return damaged("more than %d levels below the host", maxLevels)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Children)) {
		if err := l.Children[name].walk(append(levels, name), visit); err != nil {
			return err
		}
	}
	return nil
}
