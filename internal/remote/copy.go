package remote

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// Progress is told how far the copying of a file is. It is called often.
type Progress func(name string, done, total int64)

// remotePath reads "" and "~/" as the login directory, where SFTP sessions begin.
func remotePath(p string) string {
	switch p = strings.TrimPrefix(p, "~/"); p {
	case "", "~":
		return "."
	default:
		return p
	}
}

// cause drops the operation and path from an error whose message names them already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// file is where a copy goes, here or on the node.
type file interface {
	io.WriteCloser
	Chmod(mode fs.FileMode) error
}

// fill copies the content of in, gives out its permission bits and closes it.
func fill(ctx context.Context, out file, in io.Reader, info fs.FileInfo, tell func(n int)) error {
	if err := transfer(ctx, out, in, tell); err != nil {
		return err
	}
	if err := out.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	return out.Close()
}

// transfer copies until the end, an error, or the end of ctx. io.Copy would do, but it picks sftp's own loops, which
// know neither.
func transfer(ctx context.Context, out io.Writer, in io.Reader, tell func(n int)) error {
	buf := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(in, buf)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
			tell(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// meter adds up what was copied and passes it on.
func meter(p Progress, name string, total int64) func(n int) {
	var done int64
	return func(n int) {
		done += int64(n)
		if p != nil {
			p(name, done, total)
		}
	}
}
