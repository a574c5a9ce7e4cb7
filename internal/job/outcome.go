package job

import (
	"math"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// newOutcome computes what the archive and the database keep of a job's samples (contract clustercockpit 6.3, 6.4).
func newOutcome(j Job, metrics []cluster.MetricConfig, d Data) Outcome {
	o := Outcome{
		Statistics: map[string]JobStatistics{}, Footprint: map[string]float64{}, EnergyFootprint: map[string]float64{},
	}
	for _, m := range metrics {
		md, ok := d[m.Name][metric.ScopeNode]
		if !ok || len(md.Series) == 0 {
			continue
		}
		exact := overNodes(md.Series)
		stats := metric.Statistics{Min: round2(exact.Min), Avg: round2(exact.Avg), Max: round2(exact.Max)}
		o.Statistics[m.Name] = JobStatistics{Unit: m.Unit, Statistics: stats}
		switch m.Footprint {
		case "avg":
			o.Footprint[m.Name+"_avg"] = stats.Avg
		case "min":
			o.Footprint[m.Name+"_min"] = stats.Min
		case "max":
			o.Footprint[m.Name+"_max"] = stats.Max
		}
		if kWh, ok := energy(j, m, exact.Avg); ok {
			o.EnergyFootprint[m.Name] = round2(kWh)
			o.Energy += kWh
		}
	}
	o.Energy = round2(o.Energy)
	return o
}

// overNodes is the minimum and maximum over all nodes, and the mean of the nodes' means: each node counts the same,
// however many of its samples are missing. A node without any sample does not count.
func overNodes(series []Series) metric.Statistics {
	s := metric.Statistics{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, node := range series {
		s.Min, s.Max = min(s.Min, node.Statistics.Min), max(s.Max, node.Statistics.Max)
		s.Avg += node.Statistics.Avg / float64(len(series))
	}
	return s
}

// energy returns what the job used by a metric whose mean over time and nodes is avg. A metric of power is in watts, one
// of energy counts what was used since the sample before. Absent samples are taken to be average. It is false for other
// metrics, and where a prefix is unknown: no value is better than one that is wrong by powers of ten.
func energy(j Job, m cluster.MetricConfig, avg float64) (kWh float64, ok bool) {
	factor, known := prefixFactor(m.Unit.Prefix)
	if !known {
		return 0, false
	}
	total := avg * factor * float64(j.NumNodes)
	const joulesPerKWh = 3.6e6
	switch m.Energy {
	case "power":
		return total * j.Duration.Seconds() / joulesPerKWh, true
	case "energy":
		total *= j.Duration.Seconds() / (float64(m.Timestep) / float64(time.Second))
		if m.Unit.Base == "Wh" {
			return total / 1000, true
		}
		return total / joulesPerKWh, true
	}
	return 0, false
}

func prefixFactor(prefix string) (float64, bool) {
	factor, ok := map[string]float64{
		"": 1, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
	}[prefix]
	return factor, ok
}
