package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The kinds of file.
const (
	logName        = "current.wal"
	jsonSuffix     = ".json"
	snapshotSuffix = ".bin"
)

// maxFile is how large a JSON file or a snapshot may be: it is in memory as a whole. A day of 20,000 series is 115 MB.
const maxFile = 256 << 20

// file is one of a host's files.
type file struct {
	name string
	from int64 // from its name
}

// list returns the names of the host's files in the order in which they are to be read: by the time in the name, the log
// last. others are the names of those of which it is not known what they are.
func list(dir string) (files []file, others []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read folder: %w", err)
	}
	log := false
	for _, e := range entries {
		name := e.Name()
		from, ok := fromName(name)
		switch {
		case !e.Type().IsRegular():
			others = append(others, name)
		case name == logName:
			log = true
		case ok:
			files = append(files, file{name, from})
		default:
			others = append(others, name)
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return int(min(max(a.from-b.from, -1), 1)) })
	if log {
		files = append(files, file{name: logName})
	}
	return files, others, nil
}

// fromName returns the time in the name of a file that is no log.
func fromName(name string) (from int64, ok bool) {
	for _, suffix := range []string{jsonSuffix, snapshotSuffix} {
		if digits, found := strings.CutSuffix(name, suffix); found {
			from, err := strconv.ParseInt(digits, 10, 64)
			return from, err == nil && from >= 0
		}
	}
	return 0, false
}

// Present reports whether there are files of ClusterCockpit's metric store below the folder. It looks at few folders only.
func Present(dir string) bool {
	const most = 20
	clusters, err := folders(dir)
	if err != nil {
		return false
	}
	for _, cluster := range clusters[:min(len(clusters), most)] {
		hosts, _ := folders(filepath.Join(dir, cluster)) // what cannot be read is not found
		for _, host := range hosts[:min(len(hosts), most)] {
			if files, _, err := list(filepath.Join(dir, cluster, host)); err == nil && len(files) > 0 {
				return true
			}
		}
	}
	return false
}

// folders returns the names of the folders in dir, sorted. Links to folders are folders.
func folders(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read folder: %w", err)
	}
	for _, e := range entries {
		is := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(dir, e.Name()))
			is = err == nil && info.IsDir()
		}
		if is {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// read returns the content of a JSON file or a snapshot.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if info.Size() > maxFile {
		return nil, damaged("it has %d MB, and no more than %d are read", info.Size()>>20, maxFile>>20)
	}
	data, err := os.ReadFile(path) //nolint:gosec // below the folder that the administrator names
	if err != nil {
		return nil, plain(err)
	}
	return data, nil
}

// plain leaves out of an error the path, which stands before it already.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// printable quotes a path in which something would not be seen on a terminal, or would be obeyed.
func printable(path string) string {
	if quoted := strconv.Quote(path); quoted != `"`+path+`"` {
		return quoted
	}
	return path
}
