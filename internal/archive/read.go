package archive

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// ReadData returns the samples of an archived job; fault.NotFound when there are none, fault.TooLarge when there are
// more than the archive reads.
func (d *Dir) ReadData(ctx context.Context, j job.Job) (data job.Data, err error) {
	defer fault.Wrap(&err, "read archived samples of job %d of cluster %s", j.JobID, j.Cluster)
	dir, err := folder(keyOf(j))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{gzippedFile, dataFile} {
		f, err := d.root.Open(path.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		data, err = readData(ctx, f, name == gzippedFile, d.maxData)
		return data, errors.Join(err, f.Close())
	}
	return nil, fault.New(fault.NotFound, "job %d has no archived samples", j.JobID)
}

// ReadJob returns the archived record of a job; fault.NotFound. Jobs of older versions are understood.
func (d *Dir) ReadJob(k job.Key) (j job.Job, err error) {
	defer fault.Wrap(&err, "read archived job %d of cluster %s", k.JobID, k.Cluster)
	dir, err := folder(k)
	if err != nil {
		return job.Job{}, err
	}
	f, err := d.root.Open(path.Join(dir, metaFile))
	if errors.Is(err, fs.ErrNotExist) {
		return job.Job{}, fault.New(fault.NotFound, "job %d is not archived", k.JobID)
	}
	if err != nil {
		return job.Job{}, err
	}
	j, err = decodeMeta(f)
	return j, errors.Join(err, f.Close())
}
