package fault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// disk is a file system whose power can be cut: an ext4 in an image file, which lies on a btrfs. What btrfs copies of the
// image in an instant is what a disk holds on which the power fails in that instant.
type disk struct {
	outer string // where the btrfs is mounted
	image string
	dir   string // where the ext4 is mounted
	cuts  int
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	needRoot(t, "mkfs.btrfs", "mkfs.ext4")
	base := t.TempDir()
	back := filepath.Join(base, "btrfs.img")
	d := &disk{outer: filepath.Join(base, "outer"), dir: filepath.Join(base, "disk")}
	d.image = filepath.Join(d.outer, "disk.img")
	must(t, os.Mkdir(d.outer, 0o700))
	must(t, os.Mkdir(d.dir, 0o700))
	sparse(t, back, 8<<30)
	tool(t, "mkfs.btrfs", "-q", back)
	mount(t, back, d.outer, "loop,noatime")
	sparse(t, d.image, 256<<20)
	tool(t, "mkfs.ext4", "-q", d.image)
	mount(t, d.image, d.dir, "loop,noatime")
	return d
}

// cut cuts the power and returns the image of the disk.
func (d *disk) cut() (image string, err error) {
	d.cuts++
	image = filepath.Join(d.outer, fmt.Sprintf("cut%d.img", d.cuts))
	_, err = command("cp", "--reflink=always", d.image, image)
	return image, err
}

func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, size))
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := command(name, args...); err != nil {
		t.Fatal(err)
	}
}

// mount mounts something, until the test ends or the returned function is called.
func mount(t *testing.T, what, where, options string, more ...string) (unmount func()) {
	t.Helper()
	if _, err := command("mount", append(append(more, "-o", options), what, where)...); err != nil {
		t.Skipf("file systems cannot be mounted here (a container needs privileges and loop devices): %v", err)
	}
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		if _, err := command("umount", where); err == nil {
			return
		}
		if _, err := command("umount", "-l", where); err != nil { // whoever uses it still is about to end
			t.Error(err)
		}
	}
	t.Cleanup(unmount)
	return unmount
}
