package server

import (
	"encoding/json"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

// otherFiles reads the sections that are in files of their own: "<section>-file" names one in place of the section
// (contract clustercockpit 5.2).
func otherFiles(sections map[string]json.RawMessage) error {
	for _, name := range ignorable {
		data, path, err := jsonfile.Section(sections, name)
		switch {
		case err != nil:
			return err
		case path == "": // it is in place, if anywhere
			continue
		case !json.Valid(data):
			return fmt.Errorf("%s-file: %s is not valid JSON", name, path)
		}
		sections[name] = data
		delete(sections, name+"-file")
	}
	return nil
}
