package server

import (
	"encoding/json"
	"fmt"
	"os"
)

// otherFiles reads the sections that are in files of their own: "<section>-file" names one in place of the section
// (contract clustercockpit 5.2).
func otherFiles(sections map[string]json.RawMessage) error {
	for _, name := range ignorable {
		raw, elsewhere := sections[name+"-file"]
		if !elsewhere {
			continue
		}
		var path string
		if err := json.Unmarshal(raw, &path); err != nil {
			return fmt.Errorf("%s-file: the name of a file is expected", name)
		}
		data, err := os.ReadFile(path) //nolint:gosec // the administrator says which file
		if err != nil {
			return fmt.Errorf("%s-file: %w", name, err)
		}
		if !json.Valid(data) {
			return fmt.Errorf("%s-file: %s is not valid JSON", name, path)
		}
		sections[name] = data
		delete(sections, name+"-file")
	}
	return nil
}
