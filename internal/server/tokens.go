package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bridgehead-hpc/bridgehead/internal/run"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// tokenTasks are the regular work around tokens.
func (s *Server) tokenTasks() []run.Task {
	return []run.Task{
		s.every(time.Minute, s.tokens.FlushUses),
		s.every(5*time.Minute, s.tokenFigures.renew),
		s.every(time.Hour, s.warnOfTokens),
		s.every(time.Hour, func(ctx context.Context) error {
			_, err := s.tokens.Purge(ctx, s.config.Auth.Tokens.keep())
			return err
		}),
	}
}

// warnOfTokens logs which service tokens are about to expire, each once for each of the configured days.
func (s *Server) warnOfTokens(ctx context.Context) error {
	return s.tokens.Warn(ctx, s.config.Auth.Tokens.WarnDays, func(w token.Warning) {
		s.log.Warn("a service token is about to expire",
			"token", w.ID, "user", w.User, "name", w.Name, "purpose", w.Purpose, "issued_by", w.IssuedBy,
			"expires", w.Expires.Format(time.RFC3339), "days", w.Days)
	})
}

// tokenFigures are figures about tokens, for Prometheus. Scrapes show what renew has found out last, since counting a
// million tokens takes a good part of a second; the first one counts by itself.
type tokenFigures struct {
	tokens   *token.Service
	last     atomic.Pointer[token.Figures]
	live     *prometheus.Desc
	expiring *prometheus.Desc
}

func newTokenFigures(tokens *token.Service) *tokenFigures {
	return &tokenFigures{
		tokens:   tokens,
		live:     prometheus.NewDesc("bridgehead_tokens_live", "Tokens that are neither revoked nor expired.", []string{"kind"}, nil),
		expiring: prometheus.NewDesc("bridgehead_tokens_expiring", "Service tokens that expire within that time.", []string{"within"}, nil),
	}
}

func (f *tokenFigures) renew(ctx context.Context) error {
	figures, err := f.tokens.Figures(ctx)
	if err == nil {
		f.last.Store(&figures)
	}
	return err
}

// Describe implements prometheus.Collector.
func (f *tokenFigures) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.live
	ch <- f.expiring
}

// Collect implements prometheus.Collector.
func (f *tokenFigures) Collect(ch chan<- prometheus.Metric) {
	if f.last.Load() == nil {
		if err := f.renew(context.Background()); err != nil {
			ch <- prometheus.NewInvalidMetric(f.live, err)
			return
		}
	}
	figures := f.last.Load()
	for _, kind := range []token.Kind{token.KindAccess, token.KindRefresh, token.KindService, token.KindImpersonation} {
		ch <- prometheus.MustNewConstMetric(f.live, prometheus.GaugeValue, float64(figures.Live[kind]), string(kind))
	}
	ch <- prometheus.MustNewConstMetric(f.expiring, prometheus.GaugeValue, float64(figures.Expiring), "30d")
}
