package test_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/porttest"
)

// TestTheManualIsTrue goes through the chapters of the manual. What a chapter shows on a console is done in its order, in
// bash, beside a head of its own, and has to give what the chapter says; "..." stands for anything. JSON has to be JSON
// and Go has to be Go.
func TestTheManualIsTrue(t *testing.T) {
	t.Parallel()
	chapters, err := filepath.Glob("../docs/*.md")
	if err != nil || len(chapters) == 0 {
		t.Fatalf("no chapters: %v", err)
	}
	needed := ""
	if testing.Short() {
		needed = "-short: the programs are not built"
	}
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			needed = program + " is not installed"
		}
	}
	bin := ""
	if needed == "" {
		top, err := filepath.Abs("..")
		if err != nil {
			t.Fatal(err)
		}
		bin = build(t, top)
	}
	for _, path := range chapters {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			console := 0
			for _, b := range blocks(string(text)) {
				switch b.kind {
				case "json":
					if !json.Valid([]byte(b.text)) {
						t.Errorf("%s:%d: not JSON", path, b.line)
					}
				case "go":
					checkGo(t, path, b)
				case "console", "run":
					console++
				}
			}
			switch {
			case console == 0:
			case needed != "":
				t.Skip(needed)
			default:
				walk(t, path, bin, blocks(string(text)))
			}
		})
	}
}

// block is a fenced piece of a chapter, or a line that is not shown: <!-- run: COMMAND -->.
type block struct {
	line int // of its first line
	kind string
	text string
}

var hidden = regexp.MustCompile(`^<!-- run: (.*) -->$`)

func blocks(chapter string) []block {
	var all []block
	var open *block
	for i, line := range strings.Split(chapter, "\n") {
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{i + 2, strings.TrimSpace(kind), ""}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		case hidden.MatchString(line):
			all = append(all, block{i + 1, "run", hidden.FindStringSubmatch(line)[1]})
		}
	}
	return all
}

func checkGo(t *testing.T, path string, b block) {
	t.Helper()
	text := b.text
	if !regexp.MustCompile(`(?m)^package `).MatchString(text) {
		text = "package p\nfunc _() {\n" + text + "}\n"
	}
	if _, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution); err != nil {
		t.Errorf("%s:%d: %v", path, b.line, err)
	}
}

// command is what a console shows: what is typed, and what comes back.
type command struct {
	line        int
	typed, want string
}

// commands takes a console apart. A command goes on over lines that begin with "> ".
func commands(b block) []command {
	var all []command
	for i, line := range strings.Split(strings.TrimSuffix(b.text, "\n"), "\n") {
		last := len(all) - 1
		switch typed, isCommand := strings.CutPrefix(line, "$ "); {
		case isCommand:
			all = append(all, command{b.line + i, typed, ""})
		case last >= 0 && all[last].want == "" && strings.HasPrefix(line, "> "):
			all[last].typed += "\n" + line[2:]
		case last >= 0:
			all[last].want += line + "\n"
		}
	}
	return all
}

// preamble is what a chapter finds: a head in the folder where the shell is, answering at $HEAD, whose administrator is
// who runs the test; and the tools, which come in by the local socket.
const preamble = `
start_head() { cc-backend -server >>head.log 2>&1 & HEAD_PID=$!; until curl -sf "$HEAD/readyz" >>head.log; do kill -0 $HEAD_PID || exit 9; sleep 0.05; done; }
stop_head() { kill $HEAD_PID; wait $HEAD_PID; }
restart_head() { stop_head; start_head; }
cc-backend -init && cc-backend -add-user "$USER:role.FullAdmin:" &&
clustersim config ./var/job-archive --cluster alpha --nodes 4 &&
sed -i -e "s/127.0.0.1:8080/127.0.0.1:$PORT/" -e "s,./var/auth.sock,$CW_SOCKET," config.json && start_head
`

// walk does what a chapter shows.
func walk(t *testing.T, path, bin string, all []block) {
	t.Helper()
	sh := newShell(t, bin)
	if out, status := sh.do(preamble); status != 0 {
		t.Fatalf("start a head: %d %s", status, out)
	}
	for _, b := range all {
		switch b.kind {
		case "run":
			if out, status := sh.do(b.text); status != 0 {
				t.Fatalf("%s:%d: %s: %d %s", path, b.line, b.text, status, out)
			}
		case "console":
			for _, c := range commands(b) {
				out, status := sh.do(c.typed)
				if status != 0 {
					out += fmt.Sprintf("[exit %d]\n", status)
				}
				if !like(c.want).MatchString(out) {
					t.Fatalf("%s:%d: %s\n-- want\n%s-- got\n%s", path, c.line, c.typed, c.want, out)
				}
			}
		}
	}
}

// like returns what matches an output in which "..." stands for anything, and a line of nothing else for any number of
// lines. Blanks at the end of a line do not count.
func like(want string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for line := range strings.Lines(want) {
		line = strings.TrimRight(line, " \n")
		if strings.TrimSpace(line) == "..." {
			b.WriteString(`(?s:.*)`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`) + "[ \t\r]*\n")
	}
	return regexp.MustCompile(b.String() + `$`)
}

// shell is one bash, so that variables and functions stay from command to command.
type shell struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Reader
	kill func() // ends it and all that it has started
}

func newShell(t *testing.T, bin string) *shell {
	t.Helper()
	dir := t.TempDir()
	_, port, err := net.SplitHostPort(porttest.Addr(t))
	if err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "bh") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "--noprofile", "--norc")
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "USER=" + osUser(t), "PORT=" + port, "HEAD=http://127.0.0.1:" + port, "HEAD_ADDR=127.0.0.1:" + port,
		"CW_SOCKET=" + filepath.Join(short, "s"), "TOP=" + top, "LC_ALL=C.UTF-8", "TZ=UTC", "COLUMNS=200",
		"GOCACHE=" + goEnv("GOCACHE"), "GOPROXY=off", "CGO_ENABLED=0",
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all that it starts ends with it
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()                                                      // the shell has its own
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // what has ended already need not
	t.Cleanup(func() {
		kill()
		_ = stdin.Close()
		_ = cmd.Wait()
		_ = out.Close()
		_ = os.RemoveAll(short)
	})
	return &shell{t, stdin, bufio.NewReader(out), kill}
}

// do runs a command and returns what it has written, and its status.
func (s *shell) do(text string) (output string, status int) {
	s.t.Helper()
	const mark = "----- end of command "
	if _, err := fmt.Fprintf(s.in, "{ %s\n} </dev/null\nprintf '\\n%s%%d\\n' $?\n", text, mark); err != nil {
		s.t.Fatal(err)
	}
	watch := time.AfterFunc(3*patience, s.kill) // a chapter that waits for ever ends here
	defer watch.Stop()
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if rest, ok := strings.CutPrefix(line, mark); ok {
			if status, err = strconv.Atoi(strings.TrimSpace(rest)); err != nil {
				s.t.Fatal(err)
			}
			out := strings.TrimSuffix(b.String(), "\n") // the mark's own line end
			if out != "" && !strings.HasSuffix(out, "\n") {
				out += "\n"
			}
			return out, status
		}
		b.WriteString(line)
		if err != nil {
			s.t.Fatalf("%s: the shell ended: %v\n%s", text, err, b.String())
		}
	}
}

func osUser(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "id", "-un").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestDotsStandForAnything(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want, got string
		ok        bool
	}{
		{"", "", true},
		{"", "something\n", false},
		{"a\n", "a\n", true},
		{"a\n", "a  \n", true},
		{"a.c\n", "abc\n", false},
		{"a...c\n", "abbbc\n", true},
		{"a...c\n", "ab\nc\n", false},
		{"...\n", "", true},
		{"...\n", "a\nb\n", true},
		{"a\n...\nz\n", "a\nb\nc\nz\n", true},
		{"a\n...\nz\n", "a\nb\nc\n", false},
		{"a\n", "a\nb\n", false},
	} {
		if got := like(tt.want).MatchString(tt.got); got != tt.ok {
			t.Errorf("%q matches %q: %v", tt.want, tt.got, got)
		}
	}
}

func TestChaptersAreTakenApart(t *testing.T) {
	t.Parallel()
	got := blocks("text\n<!-- run: true -->\n```console\n$ one \\\n> more\nout\n$ two\n```\n```json\n{}\n```\n")
	want := []block{{2, "run", "true"}, {4, "console", "$ one \\\n> more\nout\n$ two\n"}, {10, "json", "{}\n"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(block{})); diff != "" {
		t.Error(diff)
	}
	wantCommands := []command{{4, "one \\\nmore", "out\n"}, {7, "two", ""}}
	if diff := cmp.Diff(wantCommands, commands(got[1]), cmp.AllowUnexported(command{})); diff != "" {
		t.Error(diff)
	}
}
