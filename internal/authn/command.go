package authn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

const (
	parallelCommands = 4
	commandTime      = 10 * time.Second
)

// Command is a program that checks passwords, as ClusterWare's appauth.app_path names one: it reads name and password as
// two lines and ends with 0 when they belong together. It decides about accounts of ClusterWare's family (with a role
// that begins with role.) that have no password of their own. It is safe for concurrent use.
type Command struct {
	path string
	gate *gate
}

// NewCommand returns the program at path. It fails when the program is not there, or could be replaced by others than its
// owner.
func NewCommand(path string) (*Command, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("the path %q does not begin with a slash", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular() || mode.Perm()&0o111 == 0:
		return nil, fmt.Errorf("%s is no program that can be run", path)
	case mode.Perm()&0o022 != 0:
		return nil, fmt.Errorf("others than its owner may change %s (mode %04o); run: chmod go-w %s", path, mode.Perm(), path)
	}
	return &Command{path, newGate(parallelCommands)}, nil
}

// Check implements Backend.
func (c *Command) Check(ctx context.Context, acc *identity.User, name, password string) (Verdict, error) {
	if acc == nil || acc.Source != identity.AuthLocal || acc.Password != "" || !slices.ContainsFunc(acc.Roles, ofWare) {
		return Verdict{}, nil
	}
	v := Verdict{Applies: true, User: *acc, Reason: WrongPassword}
	// A line break would let a name bring its own password along.
	if password == "" || len(password) > maxPassword || strings.ContainsAny(name+password, "\n\r\x00") {
		return v, nil
	}
	var ok bool
	var failed error
	if err := c.gate.do(ctx, func() { ok, failed = c.run(ctx, name+"\n"+password+"\n") }); err != nil {
		return v, err
	}
	if ok {
		v.Reason = ""
	}
	return v, failed
}

func ofWare(r identity.Role) bool { return strings.HasPrefix(string(r), "role.") }

// run runs the program with nothing but its input: no argument, no open file, no environment of ours. What it writes is
// dropped, and what it leaves running is ended with it.
func (c *Command) run(ctx context.Context, input string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path) //nolint:gosec // the administrator says which program
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, fault.Because(fault.Unavailable, ctx.Err(), "%s did not end within %v", c.path, commandTime)
	case errors.As(err, &exit) && exit.Exited():
		return false, nil
	default:
		return false, fault.Because(fault.Unavailable, err, "%s could not be run", c.path)
	}
}
