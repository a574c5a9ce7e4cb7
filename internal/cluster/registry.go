package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const fileName = "cluster.json"

// Registry is all clusters, by name. It is read-only after it has been made.
type Registry struct {
	list []*Cluster
}

// NewRegistry returns a registry of valid clusters with different names.
func NewRegistry(clusters ...*Cluster) (*Registry, error) {
	r := &Registry{}
	var errs []error
	for _, c := range clusters {
		if err := c.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("cluster %q: %w", c.Name, err))
		}
		if _, ok := r.Get(c.Name); ok {
			errs = append(errs, fmt.Errorf("cluster %q is there twice", c.Name))
		}
		r.list = append(r.list, c)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(r.list, func(a, b *Cluster) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// LoadDir reads <archiveRoot>/<cluster>/cluster.json of every cluster. A folder that is empty or missing is no error: a
// server may start before it has a cluster. Folders without cluster.json are passed over.
func LoadDir(archiveRoot string) (*Registry, error) {
	entries, err := os.ReadDir(archiveRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load clusters: %w", err)
	}
	var clusters []*Cluster
	var errs []error
	for _, e := range entries {
		c, err := loadFile(filepath.Join(archiveRoot, e.Name(), fileName))
		switch {
		case err != nil:
			errs = append(errs, err)
		case c == nil:
		case c.Name != e.Name():
			errs = append(errs, fmt.Errorf("%s: name: is %q, but the folder is %q",
				filepath.Join(archiveRoot, e.Name(), fileName), c.Name, e.Name()))
		default:
			clusters = append(clusters, c)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("load clusters: %w", err)
	}
	return NewRegistry(clusters...)
}

// loadFile returns nil without an error when there is no such file.
func loadFile(path string) (*Cluster, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is below the archive folder that the operator configured
	if err != nil {
		if info, statErr := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) || statErr == nil && !info.IsDir() {
			return nil, nil //nolint:nilnil // neither a cluster nor a failure
		}
		return nil, fmt.Errorf("read cluster: %w", err)
	}
	c, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// WriteDir writes <archiveRoot>/<cluster>/cluster.json, making the folders, and replaces what is there in one step.
func WriteDir(archiveRoot string, c *Cluster) error {
	text, err := Format(c)
	if err != nil {
		return fmt.Errorf("write cluster %q: %w", c.Name, err)
	}
	dir := filepath.Join(archiveRoot, c.Name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("write cluster %q: %w", c.Name, err)
	}
	tmp := filepath.Join(dir, fileName+".tmp")
	if err := writeSynced(tmp, text); err != nil {
		return fmt.Errorf("write cluster %q: %w", c.Name, err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, fileName)); err != nil {
		return fmt.Errorf("write cluster %q: %w", c.Name, err)
	}
	for _, folder := range []string{dir, archiveRoot} { // without it a power cut may undo the renaming
		if err := syncFolder(folder); err != nil {
			return fmt.Errorf("write cluster %q: %w", c.Name, err)
		}
	}
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // below the archive folder that the operator configured
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640) //nolint:gosec // below the archive folder that the operator configured
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// List returns the clusters by name.
func (r *Registry) List() []*Cluster { return slices.Clone(r.list) }

// Get returns the cluster with that name.
func (r *Registry) Get(name string) (*Cluster, bool) {
	for _, c := range r.list {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}
