package cli

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// runLog is the record of one run in the user's folder. A nil runLog records nothing.
type runLog struct {
	file *os.File
	log  *slog.Logger
}

// startLog begins the record of a run and removes the oldest ones beyond logging.max_user_logs: 0 keeps none, a
// negative number keeps all.
func startLog(env Env, tool string, s settings) (*runLog, error) {
	keep, err := s.integer(keyUserLogs, 5)
	if err != nil || keep == 0 || env.Home == "" {
		return nil, err
	}
	dir := userFile(env, "logs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start the log: %w", err)
	}
	if keep > 0 {
		prune(dir, tool, keep-1)
	}
	name := fmt.Sprintf("%s-%s-%d.log", tool, env.Clock.Now().UTC().Format("20060102T150405.000"), os.Getpid())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in the user's own home
	if err != nil {
		return nil, fmt.Errorf("start the log: %w", err)
	}
	l := &runLog{f, slog.New(slog.NewTextHandler(f, nil))}
	l.log.Info("started", "tool", tool, "args", maskArgs(env.Args))
	return l, nil
}

// prune removes all but the newest records of a tool. Their names sort by time.
func prune(dir, tool string, keep int) {
	old, err := filepath.Glob(filepath.Join(dir, tool+"-*.log"))
	if err != nil || len(old) <= keep {
		return
	}
	slices.Sort(old)
	for _, f := range old[:len(old)-keep] {
		_ = os.Remove(f) // it is tried again at the next run
	}
}

func (l *runLog) request(x client.Exchange) {
	if l == nil {
		return
	}
	attrs := []any{"method", x.Method, "path", mask(x.Path), "status", x.Status, "took_ms", x.Took.Milliseconds()}
	if x.Err != nil {
		attrs = append(attrs, "error", mask(x.Err.Error()))
	}
	l.log.Info("request", attrs...)
}

func (l *runLog) end(code int, err error) {
	if l == nil {
		return
	}
	if err != nil {
		l.log.Error("ended", "exit_code", code, "error", mask(err.Error()))
	} else {
		l.log.Info("ended", "exit_code", code)
	}
	_ = l.file.Close() // a lost line of a log fails no run
}

const masked = seal.Masked

var (
	// secretField is a field whose value nobody should read over a shoulder or in a log.
	secretField = regexp.MustCompile(`(?i)^((?:--)?[a-z0-9_.-]*(?:pass|secret|token|cred|power_uri|bmc)[a-z0-9_.-]*=).*`)
	secretJSON  = regexp.MustCompile(`(?i)("[^"]*(?:pass|secret|token|cred|power_uri|bmc)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	userOption  = regexp.MustCompile(`^(--user|-[a-zA-Z]*u)$`)
	userGlued   = regexp.MustCompile(`^(--user=|-[avq]*u).*:`)
	userInURL   = regexp.MustCompile(`(://[^/@:\s]+:)[^/@\s]+@`)
)

// mask takes secrets that give themselves away out of a text.
func mask(text string) string {
	text = seal.Mask(text)
	text = secretJSON.ReplaceAllString(text, `${1}"`+masked+`"`)
	return userInURL.ReplaceAllString(text, "${1}"+masked+"@")
}

// maskArgs takes secrets out of a command line.
func maskArgs(args []string) []string {
	list := make([]string, len(args))
	before := ""
	for i, a := range args {
		isUser := userOption.MatchString(before) || userGlued.MatchString(a)
		before = a
		switch {
		case isUser:
			a = maskUser(a)
		case strings.HasPrefix(a, "--outfile="): // it names a file, as --outfile FILE does
		default:
			a = secretField.ReplaceAllString(a, "${1}"+masked)
		}
		list[i] = mask(a)
	}
	return list
}

// maskUser hides the password in USER:PASSWD.
func maskUser(s string) string {
	if name, _, ok := strings.Cut(s, ":"); ok {
		return name + ":" + masked
	}
	return s
}
