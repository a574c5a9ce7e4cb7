package journal_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/journal"
)

func TestLinesCarryTheirPriority(t *testing.T) {
	var out bytes.Buffer
	log := journal.New(&out, slog.LevelDebug, false)
	log.Debug("looking", "path", "/var")
	log.Info("listening", "address", "127.0.0.1:80")
	log.With("request_id", "ab12").Warn("slow", "seconds", 3, "why", "a b")
	log.WithGroup("job").Error("lost", "id", 7)
	log.Log(t.Context(), journal.Critical, "gone")
	want := strings.Join([]string{
		"<7>[DEBUG]    looking path=/var",
		"<6>[INFO]     listening address=127.0.0.1:80",
		`<4>[WARNING]  slow request_id=ab12 seconds=3 why="a b"`,
		"<3>[ERROR]    lost job.id=7",
		"<2>[CRITICAL] gone", "",
	}, "\n")
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What a client sent must not make lines of its own, nor colour the terminal.
func TestForeignTextStaysOnItsLine(t *testing.T) {
	var out bytes.Buffer
	journal.New(&out, slog.LevelInfo, false).Warn("bad user \"a\n<2>[CRITICAL] b\"", "agent", "x\n\x1b[31my")
	if got := out.String(); strings.Count(got, "\n") != 1 || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestLevelsBelowTheLimitAreSilent(t *testing.T) {
	var out bytes.Buffer
	log := journal.New(&out, slog.LevelWarn, true)
	log.Info("chatter")
	log.Warn("news")
	if got := out.String(); !regexp.MustCompile(`^<4>\[WARNING\]  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d news\n$`).MatchString(got) {
		t.Errorf("%q", got)
	}
}

func TestParseLevel(t *testing.T) {
	for name, want := range map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn, "err": slog.LevelError, "crit": journal.Critical, "fatal": journal.Critical} {
		if got, err := journal.ParseLevel(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := journal.ParseLevel("loud"); err == nil || !strings.Contains(err.Error(), "debug, info, warn, err, crit") {
		t.Errorf("loud: %v", err)
	}
}
