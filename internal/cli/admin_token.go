package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// tokenOptions are the options of cw-adminctl token.
type tokenOptions struct {
	lifetime, lifespan string
	outfile            string
	request            client.TokenRequest
}

func adminToken(t *tool) *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use: "token", Args: cobra.NoArgs,
		Short: "Make a token for yourself, or for another administrator with -i",
		Long: `Make a token for yourself, or with -i for another administrator, as whom its holder then acts.

The token is a JSON object whose access_token goes into the header "Authorization: Bearer ...". Tools use a token
file that client.authtkn in ~/.scyldcw/settings.ini, or CW_TOKEN_FILE, names. Whoever has the token has its rights
until it expires or is revoked (cw-adminctl tokens revoke).`,
		Example: `  cw-adminctl -i ProdEng token --lifetime 1d --outfile prodeng.token
  cw-adminctl token --lifetime 8h --read-only | jq -r .access_token
  cw-adminctl -i sched token --lifetime 4w --name 'job scheduler' --permissions JobsWrite,NodeStatesWrite
  cw-adminctl token --lifetime 12h --nodes 'rack3-n[1-40]' --cidr 10.3.0.0/16 --purpose 'change of the switch'
  cw-adminctl -i collector token --lifetime 4w --clusters alpha --permissions MetricsWrite`,
	}
	f := cmd.Flags()
	f.StringVar(&o.lifetime, "lifetime", "", "how long it lasts: seconds, or a number with s, m, h, d or w (`DURATION`)")
	f.StringVar(&o.lifespan, "lifespan", "", "the same as --lifetime (`DURATION`)")
	f.StringVar(&o.outfile, "outfile", "", "write it to `FILE`, readable by you only; without it, to stdout")
	f.StringVar(&o.request.Name, "name", "", "label, shown in lists of tokens")
	f.StringVar(&o.request.Purpose, "purpose", "", "what it is for, kept in the audit trail")
	f.StringSliceVar(&o.request.Permissions, "permissions", nil, "narrow it to these permissions, divided by commas")
	f.StringVar(&o.request.Nodes, "nodes", "", "narrow it to permissions about single nodes, and to these `NODES`, as in n[1-16],login*")
	f.StringSliceVar(&o.request.CIDR, "cidr", nil, "narrow it to requests from these networks, divided by commas")
	f.StringSliceVar(&o.request.Clusters, "clusters", nil, "narrow it to what is in these clusters, divided by commas")
	f.BoolVar(&o.request.ReadOnly, "read-only", false, "narrow it to permissions that only read")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return t.makeToken(cmd, o) }
	return cmd
}

func (t *tool) makeToken(cmd *cobra.Command, o tokenOptions) error {
	if o.lifetime != "" && o.lifespan != "" && o.lifetime != o.lifespan {
		return usagef("--lifetime and --lifespan are the same option; they were given as %s and %s", o.lifetime, o.lifespan)
	}
	o.request.Lifetime = o.lifetime + o.lifespan
	if o.lifetime != "" {
		o.request.Lifetime = o.lifetime
	}
	if t.opts.all {
		return usagef("a token is made for one administrator: name him with -i")
	}
	c, targets, err := t.admins(cmd.Context(), true)
	if err != nil {
		return err
	}
	if len(targets) != 1 {
		return usagef("a token is made for one administrator at a time, not for %d", len(targets))
	}
	token, err := c.MintToken(cmd.Context(), targets[0].id, o.request)
	if err != nil {
		return err
	}
	for _, w := range token.Warnings {
		if !t.opts.quiet {
			t.tell("WARNING: %s\n", w)
		}
	}
	return t.deliver(token, targets[0].label, o.outfile)
}

// deliver writes the token to its file, or prints it.
func (t *tool) deliver(token client.TokenFile, user, outfile string) error {
	if outfile == "" || outfile == "-" {
		text, err := token.Encode()
		if err == nil {
			_, err = t.env.Stdout.Write(text)
		}
		return err
	}
	path := expandHome(t.env, outfile)
	if err := token.WriteFile(path); err != nil {
		return fmt.Errorf("the token was made but could not be kept; revoke it with cw-adminctl tokens: %w", err)
	}
	until := "without end"
	if !token.Expires.IsZero() {
		until = "until " + token.Expires.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	t.say("token for %s written to %s, good %s", user, path, until)
	return nil
}
