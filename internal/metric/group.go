package metric

import (
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// forHost reports whether the query is for the host itself and not for its devices.
func (q *Query) forHost() bool { return q.Type == "" || q.Type == string(ScopeNode) }

// combined reports whether the devices make one series.
func (q *Query) combined() bool { return q.Aggregate || q.Aggregation != AggregateNone }

// single reports whether there is one result, of the host or of devices together.
func (q *Query) single() bool { return q.forHost() && q.SubType == "" || q.combined() }

// how returns how devices make one series.
func (q *Query) how(c Config) Aggregation {
	if q.Aggregation != AggregateNone {
		return q.Aggregation
	}
	return c.Aggregation
}

// check returns what is wrong with the query itself.
func (q *Query) check() error {
	if _, err := ParseAggregation(string(q.Aggregation)); err != nil {
		return fault.New(fault.Invalid, "%s", err.Error())
	}
	if _, err := ParseResampling(string(q.Resampling)); err != nil {
		return fault.New(fault.Invalid, "%s", err.Error())
	}
	return nil
}

// matches reports whether a series can contribute to the answer.
func (q *Query) matches(k *metricstore.Key) bool {
	if q.forHost() {
		if q.SubType == "" {
			return true
		}
		return k.Type == "" && k.SubType == q.SubType && (len(q.SubTypeIDs) == 0 || slices.Contains(q.SubTypeIDs, k.SubTypeID))
	}
	if k.Type != q.Type || len(q.TypeIDs) > 0 && !slices.Contains(q.TypeIDs, k.TypeID) {
		return false
	}
	return q.SubType == "" || k.SubType == q.SubType && (len(q.SubTypeIDs) == 0 || slices.Contains(q.SubTypeIDs, k.SubTypeID))
}

// part names what one result is about: a device, or a part of one. The zero value is the host.
type part struct{ id, sub string }

// group splits the series by result. A part that was asked for by its id has a group even if it is empty.
func (q *Query) group(series []metricstore.Samples) [][]metricstore.Samples {
	if q.forHost() && q.SubType == "" {
		return [][]metricstore.Samples{ofHost(series)}
	}
	parts := q.parts(series)
	groups := make([][]metricstore.Samples, len(parts))
	for i := range series {
		p := part{series[i].Key.TypeID, series[i].Key.SubTypeID}
		if q.SubType == "" {
			p.sub = ""
		}
		for j, wanted := range parts {
			if wanted == p {
				groups[j] = append(groups[j], series[i])
			}
		}
	}
	for i := range groups {
		groups[i] = ofDevice(groups[i], q.SubType)
		if len(groups[i]) == 0 {
			groups[i] = []metricstore.Samples{{Step: series[0].Step, First: series[0].First}}
		}
	}
	if q.combined() {
		return [][]metricstore.Samples{slices.DeleteFunc(slices.Concat(groups...), func(s metricstore.Samples) bool {
			return len(s.Values) == 0
		})}
	}
	return groups
}

// parts returns what there will be results about: what was asked for, or else what there is.
func (q *Query) parts(series []metricstore.Samples) []part {
	ids, subs := q.TypeIDs, q.SubTypeIDs
	if q.forHost() {
		ids = []string{""}
	}
	if q.SubType == "" {
		subs = []string{""}
	}
	var parts []part
	if len(ids) > 0 && len(subs) > 0 {
		for _, id := range ids {
			for _, sub := range subs {
				parts = append(parts, part{id, sub})
			}
		}
		return parts
	}
	for i := range series {
		p := part{series[i].Key.TypeID, series[i].Key.SubTypeID}
		if q.SubType == "" {
			p.sub = ""
		}
		if !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return parts
}

// ofHost returns the series that make up the host's: its own, or those of its coarsest devices.
func ofHost(series []metricstore.Samples) []metricstore.Samples {
	best := series[0].Key.Type
	for i := range series {
		k := &series[i].Key
		if k.Type == "" && k.SubType == "" {
			return series[i : i+1]
		}
		if rank := Scope(k.Type).rank(); rank > Scope(best).rank() {
			best = k.Type
		}
	}
	var all []metricstore.Samples
	for len(series) > 0 { // those of one device stand together
		n := 1
		for n < len(series) && series[n].Key.Type == series[0].Key.Type && series[n].Key.TypeID == series[0].Key.TypeID {
			n++
		}
		if series[0].Key.Type == best {
			all = append(all, ofDevice(series[:n], "")...)
		}
		series = series[n:]
	}
	return all
}

// ofDevice returns, of the series of a device, its own, or those of its parts when it has none. With a subType the
// series are those of one part already.
func ofDevice(series []metricstore.Samples, subType string) []metricstore.Samples {
	if subType != "" {
		return series
	}
	for i := range series {
		if series[i].Key.SubType == "" {
			return series[i : i+1]
		}
	}
	return series
}
