package server

import (
	"fmt"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// PrometheusConfig (ours) is the section prometheus: what a question in PromQL may take. What is 0 has its default.
type PrometheusConfig struct {
	// Timeout is how long a question may take; a minute where nothing is said.
	Timeout Duration `json:"timeout"`
	// MaxSamples is how many samples a question may have in memory at a time.
	MaxSamples int `json:"max-samples"`
	// MaxSeries is how many series one selector may select.
	MaxSeries int `json:"max-series"`
	// MaxSteps is how many times a range may have.
	MaxSteps int `json:"max-steps"`
	// Concurrency is how many questions are answered at a time.
	Concurrency int `json:"concurrency"`
}

func (p PrometheusConfig) limits() promql.Limits {
	return promql.Limits{
		Timeout: time.Duration(p.Timeout), MaxSamples: p.MaxSamples, MaxSeries: p.MaxSeries, MaxSteps: p.MaxSteps, Concurrency: p.Concurrency,
	}
}

// ResamplingConfig is main.resampling. Its other keys are about the pages of ClusterCockpit.
type ResamplingConfig struct {
	// MinimumPoints is how many samples a series has to have to be thinned out when a query asks for a resolution and does
	// not say how.
	MinimumPoints int `json:"minimum-points"`
}

func (c Config) checkQueries() error {
	if err := c.Prometheus.limits().Check(); err != nil {
		return fmt.Errorf("prometheus.%w", err)
	}
	if n := c.Main.Resampling.MinimumPoints; n < 0 {
		return fmt.Errorf("main.resampling.minimum-points is %d; it is at least 1, and %d where nothing is said", n, metric.DefaultMinimumPoints)
	}
	return nil
}
