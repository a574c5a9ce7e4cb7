package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
)

func adminCreate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "create name=NAME [field=value ...]", Aliases: []string{"mk"},
		Short: "Add an administrator",
		Long: `Add an administrator.

The name is the user's name in the operating system. Fields: name, roles (divided by commas; without it the new
administrator gets yours), keys (SSH public keys), description. A value @FILE is read from that file.`,
		Example: `  cw-adminctl create name=Manager roles=role.Manager
  cw-adminctl create name=ann roles=role.ImageEngineer,role.OnsiteEngineer keys=@~/ann.pub description='Ann, racks'
  cw-adminctl create --content '{"name": "bob", "roles": ["role.AuthUser"]}'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			records, err := t.newRecords(args, "name")
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			return t.createAll(cmd.Context(), records, "name", c.CreateAdmin)
		},
	}
}

// newRecords reads what to create from the arguments, or from --content when there are none.
func (t *tool) newRecords(args []string, must string) ([]map[string]any, error) {
	var records []map[string]any
	var err error
	switch {
	case len(args) > 0 && t.opts.content != "":
		return nil, usagef("give either field=value arguments or --content")
	case t.opts.content != "":
		records, err = t.contents()
	case len(args) > 0:
		var record map[string]any
		record, err = t.assignments(args)
		records = []map[string]any{record}
	}
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, usagef("nothing to create: give at least %s=", must)
	}
	for i, r := range records {
		if text, _ := r[must].(string); text == "" {
			if len(records) > 1 {
				return nil, usagef("element %d has no %s", i+1, must)
			}
			return nil, usagef("%s= is missing", must)
		}
	}
	return records, nil
}

// createAll creates the records in their order, since order may decide names. It ends at the first failure and says
// what was made before it.
func (t *tool) createAll(ctx context.Context, records []map[string]any, by string,
	create func(context.Context, map[string]any) (string, error),
) error {
	for i, r := range records {
		label, _ := r[by].(string)
		uid, err := create(ctx, r)
		if err != nil && len(records) > 1 {
			return &targetsError{total: len(records), failed: notMade(records[i:], by, err)}
		}
		if err != nil {
			return err
		}
		if name, ok := r["name"].(string); ok && name != "" {
			label = name
		}
		t.say("%s created (uid %s)", label, uid)
	}
	return nil
}

// notMade lists the record that failed and those behind it, which were not tried.
func notMade(rest []map[string]any, by string, err error) []targetError {
	list := make([]targetError, len(rest))
	for i, r := range rest {
		label, _ := r[by].(string)
		list[i] = targetError{label, err}
		if i > 0 {
			list[i].err = &notTriedError{err}
		}
	}
	return list
}

func adminUpdate(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "update field=value ...", Aliases: []string{"up"},
		Short: "Change administrators; without -i, your own keys or description",
		Example: `  cw-adminctl -i ann update roles=role.ProductionEngineer
  cw-adminctl up keys=@~/.ssh/id_ed25519.pub`,
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := t.change(args)
			if err != nil {
				return err
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			targets, err := t.admins(cmd.Context(), c, "self")
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), targets, "updated", func(ctx context.Context, id string) error {
				return c.UpdateAdmin(ctx, id, change)
			})
		},
	}
}

// change reads what to change from the arguments or from --content.
func (t *tool) change(args []string) (map[string]any, error) {
	if len(args) == 0 && t.opts.content == "" {
		return nil, usagef("nothing to change: give field=value")
	}
	if t.opts.content == "" {
		return t.assignments(args)
	}
	records, err := t.contents()
	if err != nil {
		return nil, err
	}
	if len(args) > 0 || len(records) != 1 {
		return nil, usagef("an update takes either field=value arguments or one object as --content")
	}
	return records[0], nil
}

// eachSaying acts on all targets and says for which it succeeded.
func (t *tool) eachSaying(ctx context.Context, targets []target, done string, act func(ctx context.Context, id string) error) error {
	ok := make([]bool, len(targets))
	err := each(ctx, targets, requestsAtOnce, func(ctx context.Context, i int, t target) error {
		err := act(ctx, t.id)
		ok[i] = err == nil
		return err
	})
	for i, target := range targets {
		if ok[i] {
			t.say("%s %s", target.label, done)
		}
	}
	return err
}

func adminDelete(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "delete [NAME ...]", Aliases: []string{"rm"},
		Short:   "Remove administrators and revoke their tokens",
		Example: "  cw-adminctl -i ann,bob delete\n  cw-adminctl rm ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			t.opts.ids = slices.Concat(t.opts.ids, args)
			if t.opts.all {
				return usagef("-a would remove yourself as well; name the administrators")
			}
			c, err := t.connect()
			if err != nil {
				return err
			}
			targets, err := t.admins(cmd.Context(), c, "")
			if err != nil {
				return err
			}
			return t.eachSaying(cmd.Context(), targets, "deleted", c.DeleteAdmin)
		},
	}
}

// notTriedError stands for a record that was not reached because one before it failed.
type notTriedError struct{ cause error }

// Error says that nothing was tried.
func (e *notTriedError) Error() string { return "not created, since one before it failed" }

// Unwrap returns the failure of the one before.
func (e *notTriedError) Unwrap() error { return e.cause }
