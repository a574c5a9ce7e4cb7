package metricserver

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// levelCritical is above slog's levels: ClusterCockpit knows one more.
const levelCritical = slog.LevelError + 4

func parseLevel(name string) (slog.Level, error) {
	switch name {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "err":
		return slog.LevelError, nil
	case "crit", "fatal":
		return levelCritical, nil
	default:
		return 0, fmt.Errorf("-loglevel %q is unknown; it is one of debug, info, warn, err, crit", name)
	}
}

// journal is a slog.Handler for systemd's journal: each line begins with its priority, "<4>[WARNING]". The rest of the
// line is slog's own text form.
type journal struct {
	min   slog.Level
	lines map[string]slog.Handler // by prefix
}

// newLogger returns a logger for a terminal or the journal.
func newLogger(w io.Writer, level slog.Level, date bool) *slog.Logger {
	keep := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.LevelKey || a.Key == slog.TimeKey && !date {
			return slog.Attr{}
		}
		return a
	}
	j := journal{min: level, lines: map[string]slog.Handler{}}
	for _, p := range []string{prefix(slog.LevelDebug), prefix(slog.LevelInfo), prefix(slog.LevelWarn), prefix(slog.LevelError), prefix(levelCritical)} {
		j.lines[p] = slog.NewTextHandler(prefixed{w, p}, &slog.HandlerOptions{Level: level, ReplaceAttr: keep})
	}
	return slog.New(j)
}

func prefix(l slog.Level) string {
	switch {
	case l >= levelCritical:
		return "<2>[CRITICAL] "
	case l >= slog.LevelError:
		return "<3>[ERROR]    "
	case l >= slog.LevelWarn:
		return "<4>[WARNING]  "
	case l >= slog.LevelInfo:
		return "<6>[INFO]     "
	default:
		return "<7>[DEBUG]    "
	}
}

// prefixed writes each line, which is one write, behind a prefix.
type prefixed struct {
	w      io.Writer
	prefix string
}

// Write writes a line.
func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), line...)); err != nil {
		return 0, fmt.Errorf("write log: %w", err)
	}
	return len(line), nil
}

// Enabled implements slog.Handler.
func (j journal) Enabled(_ context.Context, l slog.Level) bool { return l >= j.min }

// Handle implements slog.Handler.
func (j journal) Handle(ctx context.Context, r slog.Record) error {
	return j.lines[prefix(r.Level)].Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return j.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (j journal) WithGroup(name string) slog.Handler {
	return j.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (j journal) each(change func(slog.Handler) slog.Handler) slog.Handler {
	c := journal{min: j.min, lines: map[string]slog.Handler{}}
	for p, h := range j.lines {
		c.lines[p] = change(h)
	}
	return c
}

// oneLine returns an error as one line, however many it has joined.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
