package cli_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// action is one action of a tool with what it needs to succeed.
type action struct {
	tool string
	args []string
}

func (a action) String() string { return a.tool + " " + strings.Join(a.args, " ") }

// actions are all actions that ask the head for something and nothing else.
func actions() []action {
	var all []action
	for tool, list := range map[string][]string{
		"cw-adminctl": {
			"ls", "-i ann ls", "create name=bob", "-i ann update description=x", "-i ann delete", "rm ann", "up description=x", "-a up description=x",
			"token", "-i ann token", "tokens ls", "-i ann tokens ls", "-a tokens ls", "tokens revoke t1", "tokens show t1", "tokens rename t1 --name x", "tokens revoke --user ann --yes", "tokens revoke --all --dry-run", "whoami",
			"roles ls", "roles show role.Manager", "roles create name=role.X", "roles update role.Manager display=x", "roles delete role.Manager",
			"keys ls", "keys rotate", "keys export aaa", "keys rm rrr --yes",
			"-i ann grant role.Manager", "-i ann revoke role.Manager",
		},
		"cw-nodectl": {
			"ls", "-i n0 ls", "-i %gpu ls", "-i 0 ls", "-a ls", "status", "-i n0 status", "create mac=22:00:00:00:00:01", "-i n0 update index=7",
			"-i n0 delete", "-i n0 set a=b", "-i n0 clear a", "-i n0 clear --all-attribs", "-i n0 get", "-i n0 get --local", "get", "-i n0 get a",
			"-i n0 attribs", "-i n0 explain", "-i n0 join gpu", "-i n0 leave gpu", "-i n0 ssh true", "-i n0 scp r:/etc/hosts .",
		},
	} {
		for _, line := range list {
			all = append(all, action{tool, strings.Fields(line)})
		}
	}
	return all
}

func TestFailuresOfTheHeadDecideTheExitCodeOfEveryAction(t *testing.T) {
	t.Parallel()
	failures := []struct {
		status, code int
		hint         string
	}{
		{http.StatusBadRequest, 2, ""},
		{http.StatusUnauthorized, 3, "the head does not know the user that you are on this machine"},
		{http.StatusForbidden, 3, "'cw-adminctl whoami' shows as whom you are logged in"},
		{http.StatusNotFound, 4, " ls' shows what there is"},
		{http.StatusConflict, 1, ""},
		{http.StatusTooManyRequests, 5, ""},
		{http.StatusInternalServerError, 5, ""},
		{http.StatusServiceUnavailable, 5, ""},
	}
	for _, a := range actions() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			for _, f := range failures {
				s.head.mu.Lock()
				s.head.down = refusal(f.status, "the reason of the head")
				s.head.mu.Unlock()
				if code := s.run(t.Context(), a.tool, a.args...); code != f.code {
					t.Errorf("status %d: exit code %d, want %d", f.status, code, f.code)
				}
				if got := s.err.String(); !strings.HasPrefix(got, "ERROR: the reason of the head\n") || !strings.Contains(got, f.hint) {
					t.Errorf("status %d: stderr %q, want the reason and the hint %q", f.status, got, f.hint)
				}
				if s.out.Len() > 0 {
					t.Errorf("status %d: stdout %q", f.status, s.out.String())
				}
			}
		})
	}
}

func TestWhatIsNoAnswerOfAHeadIsAServerFailure(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		down *trouble
		want string
	}{
		"a page of a web server": {&trouble{status: 200, body: "<html>It works!</html>"}, "does not answer like a head node (200 OK); is the base URL right?"},
		"a gateway's page":       {&trouble{status: 502, body: "<html>bad gateway</html>"}, "does not answer like a head node (502 Bad Gateway)"},
		"a redirect":             {&trouble{status: 301, header: map[string]string{"Location": "https://head2/"}}, "the head points to https://head2/; use that as the base URL"},
		"JSON of something else": {&trouble{status: 200, body: `{"status": "ok"}`}, "does not answer like a head node"},
		"a cut answer":           {&trouble{status: 200, body: `{"success": true, "data": {`}, "does not answer like a head node"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			s.head.down = tt.down
			if code := s.nodectl(t, "ls"); code != 5 || !strings.Contains(s.err.String(), tt.want) {
				t.Errorf("exit code %d, stderr %q, want 5 and %q", code, s.err.String(), tt.want)
			}
		})
	}
}

func TestAnAmbiguousNameShowsTheCandidates(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.head.down = &trouble{status: 409, body: `{"success": false, "reason": "ID=0000 stands for several nodes", "details": ["00001 (n0)", "00002 (n1)"]}`}
	if code := s.nodectl(t, "-i", "00000", "ls"); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if diff := cmp.Diff("ERROR: ID=0000 stands for several nodes\nhint: 00001 (n0), 00002 (n1)\n", s.err.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutALoginNothingIsAsked(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			s.vars["CW_SOCKET"] = filepath.Join(s.env.Home, "none.sock")
			if code := s.run(t.Context(), a.tool, a.args...); code != 3 || !strings.HasPrefix(s.err.String(), "ERROR: not logged in: ") {
				t.Errorf("exit code %d, stderr %q", code, s.err.String())
			}
			if asked := s.requests(); len(asked) > 0 || s.out.Len() > 0 {
				t.Errorf("asked %q, printed %q", asked, s.out.String())
			}
		})
	}
}

func TestAnUnknownOptionIsAUsageErrorOfEveryAction(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			before := append([]string{"--nonsense"}, a.args...)
			behind := append(slices.Clone(a.args), "--nonsense")
			if slices.Contains(a.args, "ssh") {
				behind = before // behind COMMAND it would be the command's
			}
			for _, args := range [][]string{before, behind} {
				if code := s.run(t.Context(), a.tool, args...); code != 2 || !strings.HasPrefix(s.err.String(), "ERROR: unknown flag: --nonsense\n") {
					t.Errorf("%q: exit code %d, stderr %q", args, code, s.err.String())
				}
			}
			if asked := s.requests(); len(asked) > 0 {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestAnInterruptedActionSaysSoAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, a := range actions() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			if code := s.run(ctx, a.tool, a.args...); code != 1 || s.err.String() != "ERROR: interrupted\n" || s.out.Len() > 0 {
				t.Errorf("exit code %d, stderr %q, stdout %q", code, s.err.String(), s.out.String())
			}
		})
	}
}

func TestEveryActionHasHelpWithAnExample(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			args := append(slices.Clone(a.args), "--help")
			if slices.Contains(args, "ssh") {
				args = []string{"ssh", "--help"} // behind COMMAND it would be the command's
			}
			if code := s.run(t.Context(), a.tool, args...); code != 0 || s.err.Len() > 0 {
				t.Fatalf("exit code %d, stderr %q", code, s.err.String())
			}
			for _, part := range []string{"Usage:\n  " + a.tool, "Examples:\n  ", "Global Flags:\n", "Exit codes: 0 ok"} {
				if !strings.Contains(s.out.String(), part) {
					t.Errorf("no %q in\n%s", part, s.out.String())
				}
			}
			if asked := s.requests(); len(asked) > 0 {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestOptionsMayStandBeforeTheActionOrBehindIt(t *testing.T) {
	t.Parallel()
	tests := []struct{ tool, action, options string }{
		{"cw-nodectl", "ls", "-i n[0-1]"},
		{"cw-nodectl", "ls", "--json --no-pretty"},
		{"cw-nodectl", "ls", "-a --csv --fields mac,ip"},
		{"cw-nodectl", "ls -l", "-in0 --show-uids"},
		{"cw-nodectl", "status", "-i n4 --table"},
		{"cw-nodectl", "attribs", "--ids n0 --json"},
		{"cw-nodectl", "explain", "-i n0"},
		{"cw-nodectl", "get _boot_config", "-i n0"},
		{"cw-nodectl", "set a=b", "-i n0 -q"},
		{"cw-adminctl", "ls", "-i ann --human"},
		{"cw-adminctl", "ls -L", "-iann,root --csv"},
		{"cw-adminctl", "tokens ls", "-a --table"},
		{"cw-adminctl", "roles ls -l", "--fields permissions"},
		{"cw-adminctl", "whoami", "--json"},
		{"cw-adminctl", "update description=x", "-i ann"},
	}
	for _, tt := range tests {
		t.Run(tt.tool+" "+tt.action+" "+tt.options, func(t *testing.T) {
			t.Parallel()
			s := newSession(t)
			act, options := strings.Fields(tt.action), strings.Fields(tt.options)
			if code := s.run(t.Context(), tt.tool, slices.Concat(options, act)...); code != 0 {
				t.Fatalf("before: exit code %d, stderr %q", code, s.err.String())
			}
			before, asked := s.out.String(), slices.Sorted(slices.Values(s.requests()))
			if code := s.run(t.Context(), tt.tool, slices.Concat(act, options)...); code != 0 {
				t.Fatalf("behind: exit code %d, stderr %q", code, s.err.String())
			}
			if diff := cmp.Diff(before, s.out.String()); diff != "" {
				t.Errorf("output (-before +behind):\n%s", diff)
			}
			if diff := cmp.Diff(asked, slices.Sorted(slices.Values(s.requests()))); diff != "" {
				t.Errorf("requests (-before +behind):\n%s", diff)
			}
		})
	}
}
