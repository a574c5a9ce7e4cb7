package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
)

// Pull copies files of the node to this machine, by the rules of Push.
func (h *Host) Pull(ctx context.Context, sources []string, dst string, p Progress) error {
	info, err := os.Stat(dst)
	isDir := err == nil && info.IsDir()
	if !isDir && (len(sources) > 1 || strings.HasSuffix(dst, "/")) {
		return fmt.Errorf("there is no directory %s here; make it first", dst)
	}
	c, err := h.files()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // only read from
	for _, src := range sources {
		src = remotePath(src)
		name := dst
		if isDir {
			name = filepath.Join(dst, path.Base(src))
		}
		if real, err := filepath.EvalSymlinks(name); err == nil { // through a link, as cp does
			name = real
		}
		if err := h.pullFile(ctx, c, src, name, p); err != nil {
			return fmt.Errorf("copy %s on %s to %s: %w", src, h.target.Name, name, cause(err))
		}
	}
	return nil
}

func (h *Host) pullFile(ctx context.Context, c *sftp.Client, src, dst string, p Progress) (err error) {
	in, err := c.Open(src)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read from
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("it is a directory; only files are copied")
	}
	out, err := os.CreateTemp(filepath.Dir(dst), "."+filepath.Base(dst)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close()           // the first error tells more
			_ = os.Remove(out.Name()) // likewise
		}
	}()
	if err := fill(ctx, out, in, info, meter(p, path.Base(src), info.Size())); err != nil {
		return err
	}
	return os.Rename(out.Name(), dst)
}
