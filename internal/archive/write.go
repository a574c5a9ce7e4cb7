package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// WriteJob stores a finished job with its samples and replaces what is there. Each file is complete or absent, whenever
// the machine stops; meta.json is written last, so that a job that has it has its data as well.
func (d *Dir) WriteJob(ctx context.Context, j job.Job, data job.Data) (err error) {
	defer fault.Wrap(&err, "archive job %d of cluster %s", j.JobID, j.Cluster)
	dir, err := folder(keyOf(j))
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.makeFolder(dir); err != nil {
		return err
	}
	if err := d.writeData(dir, data); err != nil {
		return err
	}
	return d.replace(path.Join(dir, metaFile), func(w io.Writer) error { return encodeMeta(w, j) })
}

// makeFolder makes dir, durably: each new folder is synced into its parent.
func (d *Dir) makeFolder(dir string) error {
	if _, err := d.root.Stat(dir); err == nil {
		return nil
	}
	if err := d.root.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	for dir != "." {
		dir = path.Dir(dir)
		if err := d.syncFolder(dir); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) syncFolder(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// replace writes a file beside its place and moves it there when it is on the disk.
func (d *Dir) replace(name string, write func(io.Writer) error) error {
	tmp := name + tempSuffix
	f, err := d.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.root.Remove(tmp))
	}
	if err := d.root.Rename(tmp, name); err != nil {
		return err
	}
	return d.syncFolder(path.Dir(name))
}

// writeData chooses the file by the size of its content and removes the other one.
func (d *Dir) writeData(dir string, data job.Data) error {
	name, other := path.Join(dir, dataFile), path.Join(dir, gzippedFile)
	var head limitedBuffer
	err := encodeData(&head, data)
	switch {
	case err == nil:
		err = d.replace(name, func(w io.Writer) error {
			_, err := head.WriteTo(w)
			return err
		})
	case errors.Is(err, errLarge):
		name, other = other, name
		err = d.replace(name, func(w io.Writer) error { return gzipped(w, data) })
	}
	if err != nil {
		return err
	}
	if err := d.root.Remove(other); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// maxPlain is how large a data.json may be before it is compressed.
const maxPlain = 2000

var errLarge = errors.New("too large to stay uncompressed")

// limitedBuffer holds up to maxPlain bytes.
type limitedBuffer struct{ bytes.Buffer }

// Write implements io.Writer; errLarge when p does not fit.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPlain {
		return 0, errLarge
	}
	return b.Buffer.Write(p)
}
