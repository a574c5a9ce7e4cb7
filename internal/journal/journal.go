// Package journal writes log lines as systemd's journal and ClusterCockpit's operators expect them:
//
//	<4>[WARNING]  text key=value
//
// The number is the syslog priority (contract clustercockpit 2.1). What gives itself away as a credential, in a path for
// example, does not get into a line.
package journal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// Critical is above slog's levels: ClusterCockpit knows one more.
const Critical = slog.LevelError + 4

// ParseLevel returns the level that the flag -loglevel names.
func ParseLevel(name string) (slog.Level, error) {
	names := []string{"debug", "info", "warn", "err", "crit", "fatal"}
	levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, Critical, Critical}
	i := slices.Index(names, name)
	if i < 0 {
		return 0, fmt.Errorf("-loglevel %q is unknown; it is one of %s", name, strings.Join(names[:5], ", "))
	}
	return levels[i], nil
}

// handler is a slog.Handler; a record is one line and one write.
type handler struct {
	mu    *sync.Mutex // guards w across clones
	w     io.Writer
	level slog.Level
	date  bool
	attrs string
	group string
}

// New returns a logger for a terminal or the journal; date puts date and time before each message.
func New(w io.Writer, level slog.Level, date bool) *slog.Logger {
	return slog.New(&handler{mu: &sync.Mutex{}, w: w, level: level, date: date})
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle implements slog.Handler. A line is one write.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var line bytes.Buffer
	line.WriteString(Prefix(r.Level))
	if h.date {
		line.WriteString(r.Time.Format("2006-01-02 15:04:05 "))
	}
	line.WriteString(oneLine(seal.Mask(r.Message)))
	line.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&line, h.group, a)
		return true
	})
	line.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(line.Bytes())
	return err
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b bytes.Buffer
	b.WriteString(h.attrs)
	for _, a := range attrs {
		appendAttr(&b, h.group, a)
	}
	c := *h
	c.attrs = b.String()
	return &c
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.group = h.group + name + "."
	return &c
}

// Prefix returns how a line of that level begins.
func Prefix(l slog.Level) string {
	switch {
	case l >= Critical:
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
	value := seal.Mask(a.Value.Resolve().String())
	if value == "" || strings.ContainsAny(value, " \"=\n\t\r\x1b") {
		value = fmt.Sprintf("%q", value)
	}
	fmt.Fprintf(b, " %s%s=%s", group, a.Key, value)
}

// Sentence returns an error as one line, however many it has joined.
func Sentence(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// oneLine keeps a text on its line: what a client sent must not forge a second one.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\x1b", `\x1b`).Replace(s)
}
