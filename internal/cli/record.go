package cli

import (
	"context"
)

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

// notTriedError stands for a record that was not reached because one before it failed.
type notTriedError struct{ cause error }

// Error says that nothing was tried.
func (e *notTriedError) Error() string { return "not created, since one before it failed" }

// Unwrap returns the failure of the one before.
func (e *notTriedError) Unwrap() error { return e.cause }
