package cli

import (
	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// auditOptions are the options of cw-adminctl audit.
type auditOptions struct {
	filter client.AuditFilter
	follow bool
	verify bool
	head   string
}

func adminAudit(t *tool) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use: "audit", Args: cobra.NoArgs,
		Short: "Show and verify the audit trail: who did what, as whom, and how it ended",
		Long: `Show and verify the audit trail: who did what, as whom, and how it ended.

Without permission AuditRead it shows what you did yourself, and what others did as you. The newest 100 records are
shown, the last one at the end; -a shows all. --json prints a line for each record, as the head keeps it: such a file can
be verified anywhere (cw-adminctl audit verify FILE).

--verify reads the whole trail and recomputes its hashes here, without believing the head. Note the head that it prints
down in another place: with --head, a later run proves that everything up to there is still the same.`,
		Example: `  cw-adminctl audit --who ProdEng --since 2h
  cw-adminctl audit --action token. --outcome refused --limit 20
  cw-adminctl audit --follow
  cw-adminctl -a --json audit > trail.jsonl && cw-adminctl audit verify trail.jsonl
  cw-adminctl audit --verify --head 4711:9f86d081884c7d65...`,
	}
	auditFlags(cmd, &o)
	level := detailFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return t.audit(cmd, o, level()) }
	cmd.AddCommand(auditVerify(t))
	return cmd
}

func auditFlags(cmd *cobra.Command, o *auditOptions) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.filter.Who, "who", "", "only what `NAME` did, or what was done as him")
	f.StringVar(&o.filter.Actor, "actor", "", "only what `NAME` did, as himself or as others")
	f.StringVar(&o.filter.Subject, "subject", "", "only what was done as `NAME`, by himself or by others")
	f.StringVar(&o.filter.Action, "action", "", "only `ACTION`, as in token.create; with a dot at its end, all that begin with it")
	f.StringVar(&o.filter.Object, "object", "", "only what was done to `OBJECT`, as in node/n1; with a slash at its end, all that begin with it")
	f.StringVar(&o.filter.Outcome, "outcome", "", "only `OUTCOME`: done, refused or failed")
	f.StringVar(&o.filter.TokenID, "token", "", "only what was done with the token of that `ID`")
	f.StringVar(&o.filter.RequestID, "request", "", "only what the request of that `ID` did")
	f.StringVar(&o.filter.Text, "text", "", "only records that have `TEXT` in action, object, reason or details")
	f.StringVar(&o.filter.Since, "since", "", "not before `TIME`: how long ago, as in 2h or 1d, or 2026-03-01T12:00:00Z")
	f.StringVar(&o.filter.Until, "until", "", "not after `TIME`")
	f.IntVar(&o.filter.Limit, "limit", 100, "the newest `N` records")
	f.BoolVar(&o.follow, "follow", false, "go on with new records as they come, until Ctrl-C")
	f.BoolVar(&o.verify, "verify", false, "read the whole trail and recompute its hashes")
	f.StringVar(&o.head, "head", "", "with --verify: a head that was noted down, as `SEQ:HASH`")
}

func (t *tool) audit(cmd *cobra.Command, o auditOptions, d detail) error {
	out := &auditPrinter{tool: t, form: t.settings.get(keyFormat)}
	if err := o.check(out.whole(d)); err != nil {
		return err
	}
	noted, err := parseHead(o.head)
	if err != nil {
		return err
	}
	c, err := t.connect()
	if err != nil {
		return err
	}
	if o.verify {
		return t.verifyTrail(cmd.Context(), c, noted)
	}
	last, err := t.showTrail(cmd.Context(), c, o.filter, d, out)
	if err != nil || !o.follow {
		return err
	}
	o.filter.After = last
	return c.FollowAudit(cmd.Context(), o.filter, func(r client.AuditRecord) error { return out.print([]client.AuditRecord{r}) })
}

// check refuses what makes no sense together. whole says that the form of the output needs all records at once.
func (o *auditOptions) check(whole bool) error {
	switch {
	case o.head != "" && !o.verify:
		return usagef("--head goes with --verify")
	case o.verify && (o.follow || filtered(o.filter)):
		return usagef("--verify reads the whole trail; filters and --follow have no place beside it")
	case o.filter.Limit < 1:
		return usagef("--limit is a number of records; -a shows all")
	case o.follow && whole:
		return usagef("--follow shows a line for each record; -l, --table and --csv wait for all of them")
	}
	return nil
}

// filtered reports whether a filter leaves anything out.
func filtered(f client.AuditFilter) bool {
	f.Limit = 0
	return f != client.AuditFilter{}
}
