package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminSessions(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "sessions", Short: "Show and end logins of browsers", Args: cobra.NoArgs,
		Example: "  cw-adminctl sessions ls\n  cw-adminctl sessions revoke 5f0c1d22a7b39e84\n  cw-adminctl -i ann sessions revoke --all",
		RunE: func(*cobra.Command, []string) error {
			return usagef("an action is missing: cw-adminctl sessions ls, or cw-adminctl sessions revoke ID")
		},
	}
	cmd.AddCommand(sessionsList(t), sessionsRevoke(t))
	return cmd
}

func sessionsList(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs,
		Short:   "Show your browser sessions; with -i those of other users",
		Example: "  cw-adminctl sessions ls\n  cw-adminctl -i ann,bob sessions ls -l\n  cw-adminctl --json sessions ls",
	}
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, users, err := t.sessionUsers()
		if err != nil {
			return err
		}
		lists, err := gather(cmd.Context(), users, c.ListSessions)
		return t.showFound(sessionListing(slices.Concat(lists...)), level(), err)
	}
	return cmd
}

// sessionUsers connects and returns the users that -i selects; without it the caller, whose name the head knows.
func (t *tool) sessionUsers() (*client.Client, []target, error) {
	wanted, err := t.parseIDs(t.opts.ids)
	if err != nil {
		return nil, nil, err
	}
	c, err := t.connect()
	if len(wanted.items) == 0 {
		return c, []target{{"", "your own"}}, err
	}
	return c, named(wanted.items), err
}

func sessionListing(sessions []client.Session) listing {
	l := listing{title: "Sessions", key: "id", columns: []string{"user", "actor", "method", "created", "seen", "addr", "current"}, tabular: true}
	for _, s := range sessions {
		l.records = append(l.records, record{s.ID, "", s.Fields})
	}
	return l
}

func sessionsRevoke(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke ID ... | --all", Args: cobra.ArbitraryArgs,
		Short: "End browser sessions at once",
		Example: `  cw-adminctl sessions revoke 5f0c1d22a7b39e84
  cw-adminctl sessions revoke --all
  cw-adminctl -i ann sessions revoke --all`,
	}
	// Not the tools' common --all, which is everybody's and goes without -i.
	all := cmd.Flags().Bool("all", false, "all of your own sessions, or with -i all of those users")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *all == (len(args) > 0) {
			return usagef("name the sessions to end, or end all of your own with --all, or with -i all of others")
		}
		if !*all {
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), named(args), "ended", c.RevokeSession)
		}
		return t.revokeSessions(cmd.Context())
	}
	return cmd
}

// revokeSessions ends all sessions of the selected users and says how many those were.
func (t *tool) revokeSessions(ctx context.Context) error {
	c, users, err := t.sessionUsers()
	if err != nil {
		return err
	}
	counts, err := gather(ctx, users, c.RevokeSessions)
	sum := 0
	for _, n := range counts {
		sum += n
	}
	t.say("sessions ended: %d", sum)
	return err
}
