package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func adminLogout(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Args: cobra.NoArgs,
		Short: "End the login that was kept after a password was asked for",
		Long: `End the login that was kept after a password was asked for.

After a login with -u USER or client.authuser, tools keep the tokens that they got in ~/.scyldcw/, so that they need not
ask again while the head lets the login live. logout revokes them and removes the file. The setting
client.keep_login = false keeps none.`,
		Example: "  cw-adminctl -u ann logout",
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.logout(cmd.Context()) },
	}
}

func (t *tool) logout(ctx context.Context) error {
	way, err := t.chooseLogin()
	if err != nil {
		return err
	}
	if way.user == "" {
		return usagef("there is no login with a password to end; a token is revoked by 'cw-adminctl tokens revoke ID'")
	}
	path := t.keptLogin(way.user)
	kept, err := client.ReadTokenFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.say("%s is not logged in", way.user)
		return nil
	}
	if err != nil {
		return err
	}
	// Used as a token file, it is never renewed by asking for the password.
	t.settings.layers = append([]layer{{"the kept login", map[string]string{keyToken: path}}}, t.settings.layers...)
	c, err := t.connect()
	if err != nil {
		return err
	}
	// A login that the head has forgotten has ended as well.
	if err := c.Logout(ctx, kept.RefreshToken); err != nil && !errors.Is(err, client.ErrUnauthenticated) {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("forget the login: %w", err)
	}
	t.say("%s logged out", way.user)
	return nil
}
