package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func tokensInspect(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "inspect [FILE]", Args: cobra.MaximumNArgs(1),
		Short: "Tell what a token is that was found",
		Long: `Tell what a token is that was found: whose it is, how far it reaches, and whether it is still good. It is read from FILE or
from stdin, never from the command line, which everybody on this machine can read. The head keeps it nowhere.`,
		Example: "  cw-adminctl tokens inspect < found.txt\n  cw-adminctl tokens inspect prodeng.token",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := t.foundToken(args)
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			i, err := c.InspectToken(cmd.Context(), text)
			if err != nil {
				return err
			}
			return t.show(listing{title: "Inspection", records: []record{{i.What, "", i.Fields}}}, long)
		},
	}
}

// maxFound is how much of a file is looked at: more than the longest token, in the file that the tools keep it in.
const maxFound = 32 << 10

func (t *tool) foundToken(args []string) (string, error) {
	in := t.env.Stdin
	if len(args) == 1 && args[0] != "-" {
		if strings.Count(args[0], ".") == 2 && strings.HasPrefix(args[0], "eyJ") || strings.HasPrefix(args[0], "bhs_") {
			return "", usagef("a token on the command line can be read by everybody on this machine, and stays in your shell's history: give it on stdin")
		}
		f, err := os.Open(filepath.Clean(expandHome(t.env, args[0])))
		if err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxFound))
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", usagef("there is nothing to inspect: give the token on stdin, or name the file that it is in")
	}
	return string(text), nil
}
