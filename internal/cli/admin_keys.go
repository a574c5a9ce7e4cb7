package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminKeys(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Show and change the keys that sign tokens", Args: cobra.NoArgs,
		Example: `  cw-adminctl keys ls
  cw-adminctl keys rotate
  cw-adminctl keys export kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --pem
  cw-adminctl keys rm kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --dry-run`,
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-adminctl keys ls, rotate, import, export or rm")
		},
	}
	cmd.AddCommand(keysList(t), keysRotate(t), keysImport(t), keysExport(t), keysRemove(t))
	return cmd
}

func keysList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short:   "Show the keys: the one that signs, the next one, and those that only verify",
		Example: "  cw-adminctl keys ls\n  cw-adminctl --json keys ls",
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		keys, err := c.ListKeys(cmd.Context())
		if err != nil {
			return err
		}
		l := listing{title: "Keys", key: "kid", columns: []string{"state", "origin", "created", "activated", "retired", "can_sign"}, tabular: true}
		for _, k := range keys {
			l.records = append(l.records, record{k.ID, "", k.Fields})
		}
		return t.show(l, level())
	}
	return cmd
}

func keysRotate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Args: cobra.NoArgs,
		Short:   "Have the next key sign from now on; the one that signed still verifies",
		Example: "  cw-adminctl keys rotate",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			k, err := c.RotateKeys(cmd.Context())
			if err == nil {
				t.say("%s signs from now on", k.ID)
			}
			return err
		},
	}
}

// maxKeyFile is how much is read of a file that is said to be a key.
const maxKeyFile = 64 << 10

func keysImport(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import FILE", Args: cobra.ExactArgs(1),
		Short: "Bring a key in from a file, - for the standard input: PEM, or base64 as gen-keypair prints it",
		Example: `  cw-adminctl keys import old-head.pem
  cw-adminctl keys import --next new.pem`,
	}
	next := cmd.Flags().Bool("next", false, "as the next one to sign, for which it has to be the private half; without this it only verifies")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, err := t.readKey(args[0])
		if err != nil {
			return err
		}
		c, err := t.connect()
		if err != nil {
			return err
		}
		as := "retired"
		if *next {
			as = "next"
		}
		k, err := c.ImportKey(cmd.Context(), text, as)
		if err == nil {
			t.say("%s is here as %s", k.ID, k.State)
		}
		return err
	}
	return cmd
}

// readKey returns what stands in a file. No error shows any of it.
func (t *tool) readKey(name string) (string, error) {
	in := t.env.Stdin
	if name != "-" {
		f, err := os.Open(expandHome(t.env, name))
		if err != nil {
			return "", fmt.Errorf("read key: %w", err)
		}
		defer func() { _ = f.Close() }() // only read from
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxKeyFile+1))
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	if len(text) > maxKeyFile {
		return "", usagef("%s is no key: it is longer than %d bytes", name, maxKeyFile)
	}
	return string(text), nil
}

func keysExport(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export KID", Args: cobra.ExactArgs(1), ValidArgsFunction: t.completeKeys,
		Short: "Write the public half of a key, for programs that verify tokens",
		Example: `  cw-adminctl keys export kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
  cw-adminctl keys export kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --pem > head.pem`,
	}
	flags := cmd.Flags()
	pem, jwk := flags.Bool("pem", false, "as PEM"), flags.Bool("jwk", false, "as a JSON Web Key")
	raw := flags.Bool("raw", false, "as base64, as jwt-public-key and JWT_PUBLIC_KEY take it; the default")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *pem && *jwk || *raw && (*pem || *jwk) {
			return usagef("one form at a time: --raw, --pem or --jwk")
		}
		c, err := t.connect()
		if err != nil {
			return err
		}
		k, err := c.GetKey(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		text := k.Public
		switch {
		case *pem:
			text = strings.TrimSuffix(k.PEM, "\n")
		case *jwk:
			text = k.JWK
		}
		t.print("%s", text)
		return nil
	}
	return cmd
}

func keysRemove(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove KID", Aliases: []string{"rm"}, Args: cobra.ExactArgs(1), ValidArgsFunction: t.completeKeys,
		Short: "Remove a key that does not sign, for good, and revoke the tokens that it has signed",
		Example: `  cw-adminctl keys rm kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --dry-run
  cw-adminctl keys rm kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --yes`,
	}
	dryRun := cmd.Flags().Bool("dry-run", false, "only count the tokens that would be revoked")
	yes := cmd.Flags().Bool("yes", false, "do it; without this only what would happen is said")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.connect()
		if err != nil {
			return err
		}
		return t.removeKey(cmd.Context(), c, args[0], *dryRun, *yes)
	}
	return cmd
}

func (t *tool) removeKey(ctx context.Context, c *client.Client, id string, dryRun, yes bool) error {
	n, err := c.RemoveKey(ctx, id, dryRun || !yes)
	switch {
	case err != nil:
		return err
	case dryRun:
		t.say("tokens that would be revoked: %d", n)
	case !yes:
		return usagef("nothing was done: %d live tokens would be revoked, beside those that scripts have signed with the private half themselves; say --yes", n)
	default:
		t.say("%s removed; tokens revoked: %d", id, n)
	}
	return nil
}

// completeKeys completes ids of keys.
func (t *tool) completeKeys(cmd *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	c := t.quietly()
	if c == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	keys, err := c.ListKeys(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, k := range keys {
		if strings.HasPrefix(k.ID, toComplete) {
			ids = append(ids, k.ID+"\t"+k.State)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
