package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminTokens(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "tokens", Short: "Show, rename, revoke and inspect tokens", Args: cobra.NoArgs,
		Example: "  cw-adminctl tokens ls\n  cw-adminctl tokens ls --expiring 30d\n  cw-adminctl tokens revoke --user ann --dry-run\n  cw-adminctl tokens inspect < found.txt",
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-adminctl tokens ls, or cw-adminctl tokens revoke ID")
		},
	}
	cmd.AddCommand(tokensList(t), tokensShow(t), tokensRename(t), tokensRevoke(t), tokensInspect(t))
	return cmd
}

func tokensList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short:   "Show your tokens; with -i those for other administrators, with -a everybody's",
		Example: "  cw-adminctl tokens ls\n  cw-adminctl -i ProdEng tokens ls -l\n  cw-adminctl -a tokens ls --expiring 30d\n  cw-adminctl -a --csv tokens ls --state any",
	}
	var filter client.TokenFilter
	f := cmd.Flags()
	f.BoolVar(&filter.Dead, "dead", false, "also those that have expired or been revoked")
	f.StringVar(&filter.State, "state", "", "only those that are live, expired, revoked, or any (`STATE`)")
	f.StringVar(&filter.Type, "type", "", "only access, refresh, service or impersonation tokens (`TYPE`)")
	f.StringVar(&filter.Expiring, "expiring", "", "only those that expire within this time, as in 30d (`DURATION`)")
	f.StringVar(&filter.Issuer, "issuer", "", "only those that this administrator had made (`NAME`)")
	f.StringVar(&filter.Key, "key", "", "only those that this key signed (`KID`)")
	f.StringVar(&filter.Text, "text", "", "only those with this in id, name, purpose, user or issuer (`TEXT`)")
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
		filter.All = t.opts.all
		tokens, err := tokensOf(cmd.Context(), c, filter, wanted.items)
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

func tokensShow(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "show ID ...", Args: cobra.MinimumNArgs(1),
		Short:   "Show everything that is known of tokens",
		Example: "  cw-adminctl tokens show 4be0643f1d98573b97cdca98a65347dd",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.connect()
			if err != nil {
				return err
			}
			tokens, err := gather(cmd.Context(), named(args), c.GetToken)
			l := tokenListing(tokens)
			l.tabular = false
			return t.showFound(l, long, err)
		},
	}
}

func tokensRename(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rename ID", Args: cobra.ExactArgs(1),
		Short:   "Change the name or the purpose of a token",
		Example: "  cw-adminctl tokens rename 4be0643f1d98573b97cdca98a65347dd --name 'job scheduler' --purpose 'slurm on head1'",
	}
	name := cmd.Flags().String("name", "", "label, shown in lists of tokens")
	purpose := cmd.Flags().String("purpose", "", "what it is for")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var l client.TokenLabels
		if cmd.Flags().Changed("name") {
			l.Name = name
		}
		if cmd.Flags().Changed("purpose") {
			l.Purpose = purpose
		}
		if l.Name == nil && l.Purpose == nil {
			return usagef("say what is to change: --name or --purpose")
		}
		c, err := t.connect()
		if err != nil {
			return err
		}
		return t.eachSaying(cmd.Context(), named(args), "renamed", func(ctx context.Context, id string) error { return c.RenameToken(ctx, id, l) })
	}
	return cmd
}
