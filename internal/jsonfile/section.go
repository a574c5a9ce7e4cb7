package jsonfile

import (
	"encoding/json"
	"fmt"
	"os"
)

// Section returns a section of a configuration, nil when there is none. A key "<name>-file" names another file in which it
// is, and counts more than a section in place (contract clustercockpit 5.2); path is that file, "" for a section in place.
func Section(sections map[string]json.RawMessage, name string) (data []byte, path string, err error) {
	named, elsewhere := sections[name+"-file"]
	if !elsewhere {
		return sections[name], "", nil
	}
	if err := json.Unmarshal(named, &path); err != nil {
		return nil, "", fmt.Errorf("%s-file: the name of a file is expected", name)
	}
	if data, err = os.ReadFile(path); err != nil { //nolint:gosec // the administrator says which file
		return nil, path, fmt.Errorf("%s-file: %w", name, err)
	}
	return data, path, nil
}
