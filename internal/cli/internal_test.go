package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func TestParseSettings(t *testing.T) {
	t.Parallel()
	got, err := parseSettings([]byte("\ufeffclient.authtkn = /a b/c=d\r\n[ssh_runner]\n # note\n;x\nSSH_Runner.Fanout=1\n" +
		"client.ssl_verify = 'quiet'\nclient.authtkn = second\nempty =\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"client.authtkn": "second", "ssh_runner.fanout": "1", "client.sslverify": "quiet", "empty": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"novalue", "= x", "two words = x"} {
		if _, err := parseSettings([]byte("\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "2:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add([]byte("client.authtkn = /root/mytokens/prodeng.token\n"))
	f.Add([]byte("[client]\nbase_url = \"x\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := parseSettings(data)
		if err != nil {
			return
		}
		for k, v := range values {
			if k == "" || strings.ContainsAny(k, " \t\n=") || v != strings.TrimSpace(v) && !strings.ContainsAny(string(data), `"'`) {
				t.Errorf("%q gave %q = %q", data, k, v)
			}
		}
	})
}

func TestSplitTopLeavesBracketsWhole(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"a":                {"a"},
		"a,b[0-3,7],,c":    {"a", "b[0-3,7]", "c"},
		"n[1-2]m[3,4],%gr": {"n[1-2]m[3,4]", "%gr"},
		"":                 nil,
		"a],b[,c":          {"a]", "b[,c"},
	} {
		got := splitTop(in)
		if diff := cmp.Diff(want, got); diff != "" && (len(want) > 0 || len(got) > 0) {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestMaskArgsHidesWhatGivesItselfAway(t *testing.T) {
	t.Parallel()
	in := []string{
		"-u", "ann:pw", "--user=ann:pw", "-uann:pw", "-vu", "bob:pw", "--user", "ann", "set", "_bmc_pass=pw", "power_uri=ipmi://u:pw@h",
		"mac=08:00:27:00:00:01", "--content", `{"name": "x", "password": "p\"w", "n": 1}`, "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "-in0:x",
		"--base-url", "http://u:pw@head/api", "--outfile=manager.token", "token",
	}
	want := []string{
		"-u", "ann:***", "--user=ann:***", "-uann:***", "-vu", "bob:***", "--user", "ann", "set", "_bmc_pass=***", "power_uri=***",
		"mac=08:00:27:00:00:01", "--content", `{"name": "x", "password": "***", "n": 1}`, "***", "-in0:x",
		"--base-url", "http://u:***@head/api", "--outfile=manager.token", "token",
	}
	if diff := cmp.Diff(want, maskArgs(in)); diff != "" {
		t.Error(diff)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-42*time.Minute - 47*time.Second: "0:42:47 ago",
		-24 * time.Hour:                  "1 day, 0:00:00 ago",
		-49*time.Hour - time.Second/2:    "2 days, 1:00:00 ago",
		24*time.Hour - time.Second:       "in 23:59:59",
		0:                                "0:00:00 ago",
	} {
		if got := age(now, now.Add(d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 123456: "120.6 KiB", 5 << 30: "5.0 GiB", 1 << 60: "1024.0 PiB"} {
		if got := size(n); got != want {
			t.Errorf("%v: %q, want %q", n, got, want)
		}
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]bool{
		"": false, "localhost:8080/api/v1": false, "http://127.0.0.1/api/v1": false, "https://[::1]:8443": false,
		"http://head1/api/v1": true, "10.0.0.1/api/v1": true, "::bad::": true,
	} {
		if got := elsewhere(base); got != want {
			t.Errorf("%q: %v, want %v", base, got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	status := func(code int) error { return fmt.Errorf("do: %w", &client.Error{Status: code}) }
	several := func(total int, errs ...error) error {
		e := &targetsError{total: total}
		for _, err := range errs {
			e.failed = append(e.failed, targetError{"n", err})
		}
		return e
	}
	cases := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{status(409), 1},
		{usagef("no"), 2},
		{status(400), 2},
		{status(401), 3},
		{status(403), 3},
		{&client.ExpiredError{}, 3},
		{&loginError{}, 3},
		{status(404), 4},
		{status(500), 5},
		{status(429), 5},
		{&client.UnreachableError{Cause: errors.New("refused")}, 5},
		{context.DeadlineExceeded, 5},
		{several(1, status(404)), 4},
		{several(2, status(403), status(403)), 3},
		{several(3, status(403), status(403)), 1},
		{several(2, status(403), status(404)), 1},
	}
	for _, c := range cases {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestAssignmentsGetTheTypeOfTheirField(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte("from a file\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tl := &tool{}
	got, err := tl.assignments([]string{
		"name=x=y", "roles=a, b,", "groups=", "index=7", "disabled=true", "description=@" + file, "note=@@home",
		"attributes.a=1", "attributes.b=", "keys=k1, comment\n# no\nk2",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "x=y", "roles": []string{"a", "b"}, "groups": []string{}, "index": 7, "disabled": true, "description": "from a file",
		"note": "@home", "attributes": map[string]any{"a": "1", "b": ""}, "keys": []string{"k1, comment", "k2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = tl.assignments([]string{`attributes={"a": "1"}`, "attributes.b=2"})
	if diff := cmp.Diff(map[string]any{"attributes": map[string]any{"a": "1", "b": "2"}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, bad := range []string{"x", "=x", "index=1.5", "disabled=perhaps", "attributes=[1]", "x=@" + file + "-gone"} {
		if _, err := tl.assignments([]string{bad}); exitCode(err) != exitUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseIDs(f *testing.F) {
	for _, s := range []string{"n[0-3,7-9]", "n0,^n0", "%gpu", "08:00:27:00:00:01,10.0.0.1", "n[1-2]-[3", "^", "[]", "^n[1-3],n[2-4]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "@-") && !strings.Contains(s, "[") {
			return // files and stdin
		}
		tl := &tool{env: Env{Stdin: strings.NewReader("")}}
		l, err := tl.parseIDs([]string{strings.ReplaceAll(s, "@", "")})
		if err != nil {
			if exitCode(err) != exitUsage {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, id := range l.items {
			if id == "" || seen[id] || slices.Contains(l.exclude, id) {
				t.Errorf("%q: %q is empty, twice or excluded", s, id)
			}
			seen[id] = true
		}
	})
}

func TestPrefixerKeepsLinesWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var mu sync.Mutex
	a, b := &prefixer{w: &out, mu: &mu, prefix: "a: "}, &prefixer{w: &out, mu: &mu, prefix: "b: "}
	for _, w := range []struct {
		to   *prefixer
		text string
	}{{a, "one\ntw"}, {b, "eins\nzwei\n"}, {a, "o\n\nthr"}, {b, ""}, {a, "ee"}} {
		if n, err := w.to.Write([]byte(w.text)); n != len(w.text) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := errors.Join(a.flush(), b.flush()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("a: one\nb: eins\nb: zwei\na: two\na: \na: three\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestProgressIsForOneLargeFileAndAPerson(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tl := &tool{env: Env{Stderr: &out, Terminal: true}}
	p := tl.progress("n0", false)
	p("small", 1, 1)
	for done := int64(0); done <= 8<<20; done += 1 << 20 {
		p("large", done, 8<<20)
		p("large", done, 8<<20)
	}
	if got := out.String(); strings.Contains(got, "small") || strings.Count(got, "\r") != 9 || !strings.HasSuffix(got, "100% of 8.0 MiB\n") {
		t.Errorf("shown %q", got)
	}
	if tl.progress("n0", true) != nil {
		t.Error("progress of several nodes at once")
	}
	tl.env.Terminal = false
	if tl.progress("n0", false) != nil {
		t.Error("progress into a file")
	}
}

func TestEachActsOnAllAndKeepsTheLimit(t *testing.T) {
	t.Parallel()
	var running, peak, done atomic.Int64
	targets := make([]target, 50)
	err := each(t.Context(), targets, 3, func(_ context.Context, i int, _ target) error {
		peak.Store(max(peak.Load(), running.Add(1)))
		defer running.Add(-1)
		done.Add(1)
		if i%10 == 0 {
			return errors.New("no")
		}
		return nil
	})
	var failed *targetsError
	if !errors.As(err, &failed) || len(failed.failed) != 5 || failed.total != 50 || done.Load() != 50 || peak.Load() > 3 {
		t.Errorf("%v, %d done, at most %d at once", err, done.Load(), peak.Load())
	}
	if err := each(t.Context(), nil, 3, nil); err != nil {
		t.Error(err)
	}
	if err := each(t.Context(), targets[:1], 1, func(context.Context, int, target) error { panic("boom") }); err == nil {
		t.Error("a panic was taken for success")
	}
}
