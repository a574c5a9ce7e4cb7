package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// revokeOptions are the options of cw-adminctl tokens revoke.
type revokeOptions struct {
	client.TokenSelection
	dryRun, yes bool
}

func tokensRevoke(t *tool) *cobra.Command {
	var o revokeOptions
	cmd := &cobra.Command{
		Use: "revoke ID ... | --user NAME | --issuer NAME | --key KID | --all", Args: cobra.ArbitraryArgs,
		Short: "Make tokens useless at once",
		Long: `Make tokens useless at once: those that are named, or all of a user, of whoever had them made, of a key, or of
everybody. Many at once are counted first and, without --yes, asked about. --all includes your own.`,
		Example: `  cw-adminctl tokens revoke 4be0643f1d98573b97cdca98a65347dd
  cw-adminctl tokens revoke --user ProdEng --dry-run
  cw-adminctl tokens revoke --issuer ann --type impersonation --yes
  cw-adminctl tokens revoke --all`,
	}
	f := cmd.Flags()
	f.StringVar(&o.User, "user", "", "all tokens of `NAME`")
	f.StringVar(&o.Issuer, "issuer", "", "all tokens that `NAME` had made")
	f.StringVar(&o.Key, "key", "", "all tokens that the key `KID` signed")
	f.StringVar(&o.Type, "type", "", "of those only access, refresh, service or impersonation tokens (`TYPE`)")
	// Not the tools' common --all, which is everybody's and goes without -i.
	f.BoolVar(&o.All, "all", false, "all tokens of everybody, your own too")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say how many it would be")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return t.revokeTokens(cmd.Context(), o, args) }
	return cmd
}

// check refuses options that do not say clearly what is to be revoked.
func (o revokeOptions) check(ids []string) error {
	many := o.TokenSelection != client.TokenSelection{}
	switch {
	case len(ids) == 0 && !many:
		return usagef("name the tokens to revoke, or say --user, --issuer, --key or --all")
	case len(ids) > 0 && many:
		return usagef("tokens by their ids, or all that --user, --issuer, --key or --all select: not both")
	case o.All && o.TokenSelection != client.TokenSelection{All: true}:
		return usagef("--all is every token of everybody and goes with none of --user, --issuer, --key and --type")
	case len(ids) > 0 && o.dryRun:
		return usagef("--dry-run counts what --user, --issuer, --key or --all select; cw-adminctl tokens show looks at single ones")
	}
	return nil
}

func (t *tool) revokeTokens(ctx context.Context, o revokeOptions, ids []string) error {
	if err := o.check(ids); err != nil {
		return err
	}
	c, err := t.connect()
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		return t.eachSaying(ctx, named(ids), "revoked", c.RevokeToken)
	}
	n, err := c.RevokeTokens(ctx, o.TokenSelection, true)
	if err != nil {
		return err
	}
	if o.dryRun {
		t.print("%s would be revoked", tokenCount(n))
		return nil
	}
	if n > 0 {
		err = t.sure(ctx, o, n)
	}
	if err != nil {
		return err
	}
	if n, err = c.RevokeTokens(ctx, o.TokenSelection, false); err != nil {
		return err
	}
	t.say("%s revoked", tokenCount(n))
	return nil
}

// sure asks whether so many tokens are to be revoked.
func (t *tool) sure(ctx context.Context, o revokeOptions, n int) error {
	if o.yes {
		return nil
	}
	answer, err := t.env.Ask(ctx, fmt.Sprintf("Revoke %s? Type yes: ", tokenCount(n)))
	if err != nil {
		return usagef("%s would be revoked; there is nobody to ask, so say --yes: %v", tokenCount(n), err)
	}
	if answer = strings.TrimSpace(answer); !strings.EqualFold(answer, "yes") {
		return usagef("nothing has been revoked")
	}
	return nil
}

func tokenCount(n int) string {
	if n == 1 {
		return "1 token"
	}
	return fmt.Sprintf("%d tokens", n)
}
