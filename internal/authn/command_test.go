package authn_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/authn"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// program writes a program and returns its path.
func program(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "check")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func command(t *testing.T, text string) *authn.Command {
	t.Helper()
	c, err := authn.NewCommand(program(t, text, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ware(name string) *identity.User {
	return &identity.User{ID: "x", Name: name, Roles: []identity.Role{"role.AuthUser"}}
}

func TestProgramGetsTwoLinesAndNothingElse(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	c := command(t, "{ echo args $#; cat; env | cut -d= -f1 | grep -v '^_$' | grep -v ^PWD$ | grep -v ^SHLVL$ | sort; pwd; } > "+out+"\n")
	if v, err := c.Check(t.Context(), ware("ann"), "ann", "pass word"); err != nil || !v.Applies || v.Reason != "" {
		t.Errorf("%+v, %v", v, err)
	}
	got, err := os.ReadFile(out)
	if want := "args 0\nann\npass word\nLC_ALL\nPATH\n/\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestProgramDecidesAboutAccountsWithoutPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Backends = []authn.Backend{command(t, "read n; read p; [ \"$n:$p\" = ann:good ] || [ \"$n:$p\" = loc:good ] || [ \"$n:$p\" = api:good ]\n")}
	w.add(t, identity.NewUser{Name: "ann", Roles: []identity.Role{"role.Manager"}})
	w.add(t, identity.NewUser{Name: "loc", Roles: []identity.Role{"role.Manager"}, Password: "local"})
	w.add(t, identity.NewUser{Name: "api", Roles: []identity.Role{"api"}})
	for _, c := range []struct {
		name, password string
		ok             bool
	}{
		{"ann", "good", true},
		{"ann", "bad", false},
		{"ann", "", false},
		{"ann", "bad\ngood", false},
		{"loc", "good", false},
		{"loc", "local", true}, // an account with a password here is decided here
		{"api", "good", false},
		{"nobody", "good", false},
	} {
		v, err := w.Backends[0].Check(t.Context(), w.account(t, c.name), c.name, c.password)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Applies {
			if c.name == "ann" {
				t.Errorf("%s is not decided about", c.name)
			}
			continue
		}
		if (v.Reason == "") != c.ok {
			t.Errorf("%s %q: %+v", c.name, c.password, v)
		}
	}
}

// account returns the record of a user, nil when there is none.
func (w *world) account(t *testing.T, name string) *identity.User {
	t.Helper()
	u, err := w.users.Account(t.Context(), name)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return &u
}

func TestNameCannotBringItsOwnPassword(t *testing.T) {
	t.Parallel()
	c := command(t, "exit 0\n")
	for _, pair := range [][2]string{{"ann\ngood", "x"}, {"ann", "x\n"}, {"ann", "x\r"}, {"ann\x00", "x"}, {"ann", ""}, {"ann", strings.Repeat("x", 1025)}} {
		if v, err := c.Check(t.Context(), ware("ann"), pair[0], pair[1]); err != nil || v.Reason != "wrong password" {
			t.Errorf("%q: %+v, %v", pair, v, err)
		}
	}
}

func TestProgramThatDoesNotEndIsEnded(t *testing.T) {
	t.Parallel()
	left := filepath.Join(t.TempDir(), "left")
	c := command(t, "sleep 77 & echo $! > "+left+"; yes | head -c 10000000; sleep 60\n")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if v, err := c.Check(ctx, ware("ann"), "ann", "x"); err == nil || v.Reason == "" {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := command(t, "kill -9 $$\n").Check(t.Context(), ware("ann"), "ann", "x"); !fault.Is(err, fault.Unavailable) || v.Reason == "" {
		t.Errorf("a crash: %+v, %v", v, err)
	}
	if v, err := command(t, "exit 7\n").Check(t.Context(), ware("ann"), "ann", "x"); err != nil || v.Reason != "wrong password" {
		t.Errorf("a no: %+v, %v", v, err)
	}
	pid, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/cmdline"); err == nil && len(line) > 0 {
		t.Errorf("what it had started goes on: %q", line)
	}
}

func TestProgramsThatOthersCouldReplaceAreRefused(t *testing.T) {
	t.Parallel()
	for want, path := range map[string]string{
		"does not begin with a slash": "check", "no such file": "/nonexistent/check", "no program that can be run": program(t, "", 0o644),
		"chmod go-w": program(t, "", 0o775), "no program": t.TempDir(),
	} {
		if _, err := authn.NewCommand(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
