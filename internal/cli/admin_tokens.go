package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminTokens(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "tokens", Short: "Show and revoke tokens", Args: cobra.NoArgs,
		Example: "  cw-adminctl tokens ls\n  cw-adminctl tokens revoke 01J9Z3",
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-adminctl tokens ls, or cw-adminctl tokens revoke ID")
		},
	}
	cmd.AddCommand(tokensList(t), tokensRevoke(t))
	return cmd
}

func tokensList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short:   "Show your tokens; with -i those for other administrators, with -a everybody's",
		Example: "  cw-adminctl tokens ls\n  cw-adminctl -i ProdEng tokens ls -l\n  cw-adminctl -a --csv tokens ls --dead",
	}
	dead := cmd.Flags().Bool("dead", false, "also those that have expired or been revoked")
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		wanted, err := t.parseIDs(t.opts.ids)
		if err != nil {
			return err
		}
		c, err := t.connect()
		if err != nil {
			return err
		}
		tokens, err := tokensOf(cmd.Context(), c, client.TokenFilter{All: t.opts.all, Dead: *dead}, wanted.items)
		return t.showFound(tokenListing(tokens), level(), err)
	}
	return cmd
}

// tokensOf lists the tokens of each user, or what the filter selects when there are none given.
func tokensOf(ctx context.Context, c *client.Client, f client.TokenFilter, users []string) ([]client.Token, error) {
	if len(users) == 0 {
		return c.ListTokens(ctx, f)
	}
	lists, err := gather(ctx, named(users), func(ctx context.Context, user string) ([]client.Token, error) {
		f := f
		f.User = user
		return c.ListTokens(ctx, f)
	})
	return slices.Concat(lists...), err
}

func tokenListing(tokens []client.Token) listing {
	l := listing{title: "Tokens", key: "jti", columns: []string{"user", "type", "name", "issued_by", "expires", "last_used"}, tabular: true}
	for _, tok := range tokens {
		l.records = append(l.records, record{tok.ID, "", tok.Fields})
	}
	return l
}

func tokensRevoke(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID ...", Args: cobra.MinimumNArgs(1),
		Short:   "Make tokens useless at once",
		Example: "  cw-adminctl tokens revoke 4be0643f1d98573b97cdca98a65347dd",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), named(args), "revoked", c.RevokeToken)
		},
	}
}
