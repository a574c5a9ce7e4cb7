package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
)

// Push copies local files to the node. With one source, dst is a file name or an existing directory; with several it is
// an existing directory. A file keeps its permission bits. It appears under its name when it is complete, and is never
// readable by more people than its permission bits say.
func (h *Host) Push(ctx context.Context, sources []string, dst string, p Progress) error {
	for _, src := range sources {
		if err := localFile(src); err != nil {
			return err
		}
	}
	c, err := h.files()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // every file has been closed and renamed by then
	dir, isDir, err := h.destination(c, dst, len(sources))
	if err != nil {
		return err
	}
	for _, src := range sources {
		name := dir
		if isDir {
			name = path.Join(dir, filepath.Base(src))
		}
		if err := h.pushFile(ctx, c, src, name, p); err != nil {
			return fmt.Errorf("copy %s to %s on %s: %w", src, name, h.target.Name, cause(err))
		}
	}
	return nil
}

func localFile(src string) error {
	info, err := os.Stat(src)
	if err != nil {
		return fmt.Errorf("read %s: %w", src, cause(err))
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a directory; only files are copied", src)
	}
	return nil
}

// destination resolves where to put n files on the node.
func (h *Host) destination(c *sftp.Client, dst string, n int) (name string, isDir bool, err error) {
	dst = remotePath(dst)
	info, err := c.Stat(dst)
	switch {
	case err == nil && info.IsDir():
		return dst, true, nil
	case err == nil && n == 1 && !strings.HasSuffix(dst, "/"):
		real, err := c.RealPath(dst) // through a link, as cp does
		if err != nil {
			return "", false, fmt.Errorf("look up %s on %s: %w", dst, h.target.Name, err)
		}
		return real, false, nil
	case err == nil:
		return "", false, fmt.Errorf("%s on %s is not a directory", dst, h.target.Name)
	case !errors.Is(err, fs.ErrNotExist):
		return "", false, fmt.Errorf("look up %s on %s: %w", dst, h.target.Name, err)
	case strings.HasSuffix(dst, "/") || n > 1:
		return "", false, fmt.Errorf("there is no directory %s on %s; make it first", dst, h.target.Name)
	}
	if parent, err := c.Stat(path.Dir(dst)); err != nil || !parent.IsDir() {
		return "", false, fmt.Errorf("there is no directory %s on %s; make it first", path.Dir(dst), h.target.Name)
	}
	return dst, false, nil
}

// pushFile writes beside the destination and renames.
func (h *Host) pushFile(ctx context.Context, c *sftp.Client, src, dst string, p Progress) (err error) {
	in, err := os.Open(src) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read from
	info, err := in.Stat()
	if err != nil {
		return err
	}
	part := path.Join(path.Dir(dst), "."+path.Base(dst)+"."+rand.Text()[:8])
	out, err := c.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close()    // the first error tells more
			_ = c.Remove(part) // likewise
		}
	}()
	if err := out.Chmod(0o600); err != nil { // while it is empty: the server's umask may have been generous
		return err
	}
	if err := fill(ctx, out, in, info, meter(p, filepath.Base(src), info.Size())); err != nil {
		return err
	}
	return rename(c, part, dst)
}

// rename puts a finished file into its place. A server without the POSIX way has a moment in which there is no file.
func rename(c *sftp.Client, from, to string) error {
	if _, ok := c.HasExtension("posix-rename@openssh.com"); ok {
		return c.PosixRename(from, to)
	}
	if err := c.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.Rename(from, to)
}
