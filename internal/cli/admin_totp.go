package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminTOTP(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "totp", Args: cobra.NoArgs,
		Short: "One-time codes as a second factor: show, enrol, confirm, disable",
		Long: `One-time codes as a second factor for logins with a password.

enrol shows a secret for a generator of codes, such as an app on a telephone or oathtool. confirm switches the second
factor on, with a first code, and shows recovery codes, each of which is good once in place of a code: keep them where
the generator is not. An administrator can disable the second factor of somebody who has lost both.`,
		Example: "  cw-adminctl -u ann totp enrol\n  cw-adminctl -u ann totp confirm 492039\n  cw-adminctl -i ann totp disable",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.onFactor(cmd.Context(), t.showFactor)
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "enrol", Aliases: []string{"enroll"}, Args: cobra.NoArgs, Short: "Make a secret for a generator of codes; it is shown once",
			Example: "  cw-adminctl -u ann totp enrol",
			RunE:    func(cmd *cobra.Command, _ []string) error { return t.onFactor(cmd.Context(), t.enrol) },
		},
		&cobra.Command{
			Use: "confirm [CODE]", Args: cobra.MaximumNArgs(1), Short: "Switch the second factor on with a first code",
			Example: "  cw-adminctl -u ann totp confirm 492039",
			RunE: func(cmd *cobra.Command, args []string) error {
				return t.onFactor(cmd.Context(), func(ctx context.Context, c *client.Client, who target) error {
					return t.confirmFactor(ctx, c, who, strings.Join(args, ""))
				})
			},
		},
		&cobra.Command{
			Use: "disable [CODE]", Args: cobra.MaximumNArgs(1), Short: "Remove the second factor; for your own, with a code or a recovery code",
			Example: "  cw-adminctl -u ann totp disable 492039\n  cw-adminctl -i ann totp disable",
			RunE: func(cmd *cobra.Command, args []string) error {
				return t.onFactor(cmd.Context(), func(ctx context.Context, c *client.Client, who target) error {
					return t.disableFactor(ctx, c, who, strings.Join(args, ""))
				})
			},
		})
	return cmd
}

// onFactor acts on the second factor of one account, without -i on that of the caller.
func (t *tool) onFactor(ctx context.Context, do func(ctx context.Context, c *client.Client, who target) error) error {
	c, targets, err := t.admins(ctx, true)
	if err != nil {
		return err
	}
	if len(targets) != 1 {
		return usagef("a second factor is that of one account, not of %d", len(targets))
	}
	return do(ctx, c, targets[0])
}

func (t *tool) showFactor(ctx context.Context, c *client.Client, who target) error {
	f, err := c.GetSecondFactor(ctx, who.id)
	if err != nil {
		return err
	}
	fields := client.Fields{"enabled": f.Enabled, "pending": f.Pending, "recovery_left": f.RecoveryLeft}
	return t.show(listing{title: "Second factors", records: []record{{who.label, who.label, fields}}}, long)
}

func (t *tool) enrol(ctx context.Context, c *client.Client, who target) error {
	e, err := c.BeginSecondFactor(ctx, who.id)
	if err != nil {
		return err
	}
	if t.opts.json {
		return t.show(listing{title: "Second factors", records: []record{{who.label, who.label, client.Fields{"secret": e.Secret, "uri": e.URI}}}}, long)
	}
	t.print("secret: %s\nuri:    %s", e.Secret, e.URI)
	t.say("Set up a generator with one of them; they are not shown again. Then: %s totp confirm CODE", t.name)
	return nil
}

func (t *tool) confirmFactor(ctx context.Context, c *client.Client, who target, code string) error {
	code, err := t.orAsk(ctx, code)
	if err != nil {
		return err
	}
	codes, err := c.ConfirmSecondFactor(ctx, who.id, code)
	if err != nil {
		return err
	}
	t.say("Logins of %s with a password need a code from now on. Recovery codes, each good once, not shown again:", who.label)
	for _, code := range codes {
		t.print("%s", code)
	}
	return nil
}

// disableFactor asks for a code where the head wants one, which is for one's own account.
func (t *tool) disableFactor(ctx context.Context, c *client.Client, who target, code string) error {
	err := c.DeleteSecondFactor(ctx, who.id, code)
	if code == "" && errors.Is(err, client.ErrInvalid) {
		if code, err = t.orAsk(ctx, ""); err != nil {
			return err
		}
		err = c.DeleteSecondFactor(ctx, who.id, code)
	}
	if err != nil {
		return err
	}
	t.say("%s has no second factor any more", who.label)
	return nil
}

// orAsk returns a code, and asks for it when it is not given.
func (t *tool) orAsk(ctx context.Context, code string) (string, error) {
	if code != "" {
		return code, nil
	}
	code, err := t.env.Ask(ctx, "One-time code: ")
	if err != nil {
		return "", usagef("a one-time code is needed: %v", err)
	}
	return strings.TrimSpace(code), nil
}
