package sqlstore

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// tagJob puts tags on a job and makes those that do not exist.
func tagJob(ctx context.Context, c conn, id job.ID, tags []job.Tag) error {
	for _, t := range tags {
		_, err := c.exec(ctx, `
			INSERT INTO tags (type, name, scope)
			VALUES (?, ?, ?)
			ON CONFLICT (type, name, scope) DO NOTHING`, t.Type, t.Name, t.Scope)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, `
			INSERT INTO job_tags (job, tag)
			SELECT CAST(? AS bigint), id
			FROM tags
			WHERE type = ? AND name = ? AND scope = ?
			ON CONFLICT (job, tag) DO NOTHING`, id, t.Type, t.Name, t.Scope)
		if err != nil {
			return err
		}
	}
	return nil
}

// taggedJob is a tag with the job that has it.
type taggedJob struct {
	job job.ID
	tag job.Tag
}

func scanTaggedJob(r row) (t taggedJob, err error) {
	err = r.Scan(&t.job, &t.tag.ID, &t.tag.Type, &t.tag.Name, &t.tag.Scope)
	return t, err
}

// fillTags fills in the tags of jobs, by type, name and scope.
func fillTags(ctx context.Context, c conn, all []job.Job) error {
	index := make(map[job.ID]int, len(all))
	ids := make([]any, len(all))
	for i, j := range all {
		index[j.ID] = i
		ids[i] = j.ID
	}
	for chunk := range slices.Chunk(ids, maxArgs) {
		found, err := list(ctx, c, scanTaggedJob, `
			SELECT l.job, t.id, t.type, t.name, t.scope
			FROM job_tags l JOIN tags t ON t.id = l.tag
			WHERE l.job IN (`+placeholders(len(chunk))+`)
			ORDER BY t.type, t.name, t.scope`, chunk...)
		if err != nil {
			return err
		}
		for _, f := range found {
			j := &all[index[f.job]]
			j.Tags = append(j.Tags, f.tag)
		}
	}
	return nil
}
