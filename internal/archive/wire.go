package archive

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// The structs below spell data.json (contract clustercockpit 5.8).

type wireUnit struct {
	Base   string `json:"base"`
	Prefix string `json:"prefix,omitempty"`
}

type wireMetric struct {
	Unit     wireUnit     `json:"unit"`
	Timestep int64        `json:"timestep"`
	Series   []wireSeries `json:"series"`
	Bands    *wireBands   `json:"statisticsSeries"`
}

type wireSeries struct {
	Hostname   string         `json:"hostname"`
	ID         string         `json:"id"`
	Statistics wireStatistics `json:"statistics"`
	Data       samples        `json:"data"`
}

type wireStatistics struct {
	Min value `json:"min"`
	Avg value `json:"avg"`
	Max value `json:"max"`
}

type wireBands struct {
	Min    samples `json:"min"`
	Max    samples `json:"max"`
	Mean   samples `json:"mean"`
	Median samples `json:"median"`
}

// value is a number; null is NaN.
type value float64

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(text []byte) error {
	f, err := parseNumber(text)
	*v = value(f)
	return err
}

// samples is an array of numbers, of which there are many: it is read without a pointer for each.
type samples []float64

// UnmarshalJSON implements json.Unmarshaler. The decoder has made sure that text is one JSON value.
func (s *samples) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*s = nil
		return nil
	}
	inner, ok := bytes.CutPrefix(text, []byte("["))
	if !ok {
		return errors.New("samples are no array")
	}
	inner = bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("]")))
	if len(inner) == 0 {
		*s = nil
		return nil
	}
	list := make([]float64, 0, bytes.Count(inner, []byte(","))+1)
	for item := range bytes.SplitSeq(inner, []byte(",")) {
		f, err := parseNumber(bytes.TrimSpace(item))
		if err != nil {
			return err
		}
		list = append(list, f)
	}
	*s = list
	return nil
}

func parseNumber(text []byte) (float64, error) {
	if string(text) == "null" {
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, fmt.Errorf("sample %.20q is no number", text)
	}
	return f, nil
}
