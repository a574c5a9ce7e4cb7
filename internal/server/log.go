package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// journal is a slog.Handler that writes what systemd's journal and ClusterCockpit's operators expect:
// "<4>[WARNING]  text key=value", the number being the syslog priority (contract clustercockpit 2.1).
type journal struct {
	mu    *sync.Mutex // guards w across clones
	w     io.Writer
	level slog.Level
	date  bool
	attrs string
	group string
}

// NewLogger returns a logger for a terminal or the journal.
func NewLogger(w io.Writer, level slog.Level, date bool) *slog.Logger {
	return slog.New(&journal{mu: &sync.Mutex{}, w: w, level: level, date: date})
}

// Enabled implements slog.Handler.
func (j *journal) Enabled(_ context.Context, l slog.Level) bool { return l >= j.level }

// Handle implements slog.Handler. A line is one write.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	var line bytes.Buffer
	line.WriteString(prefix(r.Level))
	if j.date {
		line.WriteString(r.Time.Format("2006-01-02 15:04:05 "))
	}
	line.WriteString(oneLine(r.Message))
	line.WriteString(j.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&line, j.group, a)
		return true
	})
	line.WriteByte('\n')
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.w.Write(line.Bytes())
	return err
}

// WithAttrs implements slog.Handler.
func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b bytes.Buffer
	b.WriteString(j.attrs)
	for _, a := range attrs {
		appendAttr(&b, j.group, a)
	}
	c := *j
	c.attrs = b.String()
	return &c
}

// WithGroup implements slog.Handler.
func (j *journal) WithGroup(name string) slog.Handler {
	c := *j
	c.group = j.group + name + "."
	return &c
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

func appendAttr(b *bytes.Buffer, group string, a slog.Attr) {
	value := a.Value.Resolve().String()
	if value == "" || strings.ContainsAny(value, " \"=\n\t\r\x1b") {
		value = fmt.Sprintf("%q", value)
	}
	fmt.Fprintf(b, " %s%s=%s", group, a.Key, value)
}

// oneLine keeps a message on its line: what a client sent must not forge a second one.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\x1b", `\x1b`).Replace(s)
}
