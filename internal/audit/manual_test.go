package audit_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

// TestTheManualsProgramVerifies takes the program in Python out of the manual: it has to agree with us about a good trail
// and about an altered one.
func TestTheManualsProgramVerifies(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	manual, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(manual)
	if program == nil {
		t.Fatal("docs/audit.md has no program in Python")
	}
	records := trail(t, 6)
	records[1].Reason = "<b>&\u2028\u2029\x1b\x7f\t\b\f\n\r\"\\/ é 😀 \u00a0 \ufffd"
	records[2].Details = nil
	records[3].Details = map[string]string{"é": "1", "z": "<>", "Z": "\u2028", "": ""}
	records[4].Time = records[4].Time.AddDate(-60, 0, 0)
	records = rechained(t, records)
	run := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), python, "-c", string(program[1]))
		cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONUTF8=1")
		var in bytes.Buffer
		for _, r := range records {
			in.Write(append(audit.Line(r), '\n'))
		}
		cmd.Stdin = &in
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(); err != nil || out != "head "+records[5].Hash+"\n" {
		t.Errorf("a good trail: %v %s", err, out)
	}
	records[3].Details["z"] = "<"
	if out, err := run(); err == nil || !strings.Contains(out, "record 4 does not match its hash") {
		t.Errorf("an altered one: %v %s", err, out)
	}
}
