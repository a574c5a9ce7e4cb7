package jsonfile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

func TestSectionsAreInPlaceOrInFilesOfTheirOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "nats.json")
	if err := os.WriteFile(path, []byte(`{"there": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sections   map[string]json.RawMessage
		data, file string
		says       string
	}{
		"nowhere":         {nil, "", "", ""},
		"in place":        {map[string]json.RawMessage{"nats": []byte(`{"here": 1}`)}, `{"here": 1}`, "", ""},
		"in a file":       {map[string]json.RawMessage{"nats-file": quoted}, `{"there": 1}`, path, ""},
		"in both":         {map[string]json.RawMessage{"nats": []byte(`{"here": 1}`), "nats-file": quoted}, `{"there": 1}`, path, ""},
		"no name":         {map[string]json.RawMessage{"nats-file": []byte("1")}, "", "", "nats-file: the name of a file is expected"},
		"no such file":    {map[string]json.RawMessage{"nats-file": []byte(`"` + dir + `/none"`)}, "", dir + "/none", "nats-file: open " + dir},
		"another section": {map[string]json.RawMessage{"main-file": []byte("1")}, "", "", ""},
	} {
		data, file, err := jsonfile.Section(c.sections, "nats")
		if string(data) != c.data || file != c.file || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s, %s, %v", name, data, file, err)
		}
	}
}
