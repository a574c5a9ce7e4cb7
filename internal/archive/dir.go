// Package archive keeps finished jobs in files, in the layout of ClusterCockpit's job archive (contract clustercockpit
// 5.8, docs/format/archive.md).
package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// Version is the version of the layout, as version.txt holds it.
const Version = "3"

const (
	versionFile = "version.txt"
	metaFile    = "meta.json"
	dataFile    = "data.json"
	gzippedFile = "data.json.gz"
	tempSuffix  = ".tmp"

	dirMode  = 0o750
	fileMode = 0o640
)

// Options are the choices of OpenDir. The zero value is what programs use.
type Options struct {
	// MaxData is how many bytes of data.json are read at most, counted after decompression, so that a small file cannot
	// fill the memory. 0 means 4 GiB.
	MaxData int64
}

// Dir is an archive in a folder. It is safe for concurrent use as long as no two calls write the same job.
type Dir struct {
	root    *os.Root
	maxData int64
}

var _ job.Archive = (*Dir)(nil)

// OpenDir opens the archive in the folder root. A folder that is missing or has no jobs becomes an archive of this
// version; one of another version is refused.
func OpenDir(root string, opts Options) (*Dir, error) {
	if opts.MaxData == 0 {
		opts.MaxData = 4 << 30
	}
	if err := os.MkdirAll(root, dirMode); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	d := &Dir{root: r, maxData: opts.MaxData}
	if err := d.checkVersion(); err != nil {
		return nil, errors.Join(fmt.Errorf("open archive %s: %w", root, err), r.Close())
	}
	return d, nil
}

// Close releases the folder.
func (d *Dir) Close() error { return d.root.Close() }

func (d *Dir) checkVersion() error {
	text, err := d.root.ReadFile(versionFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.checkEmpty(); err != nil {
			return err
		}
		return d.replace(versionFile, func(w io.Writer) error {
			_, err := io.WriteString(w, Version+"\n")
			return err
		})
	}
	if err != nil {
		return err
	}
	if found := strings.TrimSpace(string(text)); found != Version {
		return fmt.Errorf("%s says version %q, but this program needs version %s: run archive-migration on the folder first",
			versionFile, found[:min(len(found), 20)], Version)
	}
	return nil
}

var number = regexp.MustCompile(`^[0-9]+$`)

// checkEmpty reports the first job folder: jobs without a version come from an archive that is too old to have one.
// Folders of clusters without jobs do no harm.
func (d *Dir) checkEmpty() error {
	clusters, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, c := range clusters {
		if !c.IsDir() {
			continue
		}
		entries, err := fs.ReadDir(d.root.FS(), c.Name())
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() && number.MatchString(e.Name()) {
				return fmt.Errorf("there are jobs in %s, but no %s: run archive-migration on the folder first", c.Name(), versionFile)
			}
		}
	}
	return nil
}

var clusterName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// folder returns where a job is kept, relative to the root.
func folder(k job.Key) (string, error) {
	if !clusterName.MatchString(k.Cluster) || k.JobID < 0 || k.Start.Unix() < 0 {
		return "", fault.New(fault.Invalid, "job %d of cluster %q, started at %d, has no place in an archive", k.JobID, k.Cluster, k.Start.Unix())
	}
	return path.Join(k.Cluster, strconv.FormatInt(k.JobID/1000, 10), fmt.Sprintf("%03d", k.JobID%1000),
		strconv.FormatInt(k.Start.Unix(), 10)), nil
}

func keyOf(j job.Job) job.Key { return job.Key{JobID: j.JobID, Cluster: j.Cluster, Start: j.Start} }

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

// unix returns the time of a whole second, zero for 0.
func unix(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
