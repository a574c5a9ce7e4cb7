package netlimit

import "golang.org/x/sys/unix"

// Connections returns how many connections the limit of this process to open files leaves room for, beside its own files:
// the database, its log, the segments of the metric store, and what it opens itself. With that as Limits.Total nobody
// outside can keep the head from its own files.
func Connections() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fewest
	}
	const most = 1 << 20 // where there is no limit to speak of
	files := int(min(limit.Cur, most))
	return max(fewest, files-max(files/4, ownFiles))
}

const (
	ownFiles = 256
	fewest   = 16 // where the limit is so small that nothing is left
)
