package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// Version is the version of the layout, as version.txt holds it.
const Version = "3"

const versionFile = "version.txt"

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
