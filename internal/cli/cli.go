// Package cli is what the cw-* tools share: options, settings, login, node lists, output forms and exit codes, and the
// tools themselves.
//
// A tool is a function of an Env, so that tests run it as a user does. It speaks to the head through package client
// and nothing else: what a tool can do, a script with a token can do as well.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Env is what a tool sees of the world.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Home           string // the user's home folder, "" when there is none
	Etc            string // folder of the system-wide settings.ini
	Clock          clock.Clock
	// Ask prompts on the terminal and reads a secret without showing it.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Terminal tells that Stderr is watched by a person, who likes to see progress.
	Terminal bool
}

// System returns the Env of this process.
func System() Env {
	home, _ := os.UserHomeDir() // without a home there are no personal settings
	return Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Home: home, Etc: "/etc/clusterware", Clock: clock.System{}, Ask: askTerminal,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// AdminCtl runs cw-adminctl and returns its exit code.
func AdminCtl(ctx context.Context, env Env) int {
	t := &tool{name: "cw-adminctl", env: env}
	return t.run(ctx, newAdminCtl(t))
}

// NodeCtl runs cw-nodectl and returns its exit code.
func NodeCtl(ctx context.Context, env Env) int {
	t := &tool{name: "cw-nodectl", env: env}
	return t.run(ctx, newNodeCtl(t))
}

// askTerminal reads a secret from the controlling terminal, which is there even when stdin is a pipe.
func askTerminal(ctx context.Context, prompt string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errors.New("there is no terminal to ask on")
	}
	defer func() { _ = tty.Close() }() // nothing is buffered
	fd := int(tty.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", errors.New("there is no terminal to ask on")
	}
	if _, err := fmt.Fprint(tty, prompt); err != nil {
		return "", fmt.Errorf("ask on the terminal: %w", err)
	}
	type answer struct {
		text []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() { // a read of a terminal cannot be interrupted; after Ctrl-C it ends with the process
		text, err := term.ReadPassword(fd)
		got <- answer{text, err}
	}()
	defer func() { _, _ = fmt.Fprintln(tty) }() // the typed line break was not shown either
	select {
	case a := <-got:
		return string(a.text), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, state) // or the shell would stay blind
		return "", ctx.Err()
	}
}
