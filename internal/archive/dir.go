// Package archive keeps finished jobs in files, in the layout of ClusterCockpit's job archive (contract clustercockpit
// 5.8, docs/format/archive.md).
package archive

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strconv"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

const (
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
