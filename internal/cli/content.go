package cli

import (
	"bytes"
	"os"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

// contents reads --content: one JSON object or an array of them, as text or in a file.
func (t *tool) contents() ([]map[string]any, error) {
	text, source := []byte(t.opts.content), "--content"
	if path, ok := strings.CutPrefix(t.opts.content, "@"); ok {
		data, err := os.ReadFile(expandHome(t.env, path))
		if err != nil {
			return nil, usagef("read the content: %w", err)
		}
		text, source = data, path
	}
	var list []map[string]any
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("{")) {
		list = []map[string]any{nil}
		if err := jsonfile.Decode(text, &list[0]); err != nil {
			return nil, usagef("%s: %w", source, err)
		}
		return list, nil
	}
	if err := jsonfile.Decode(text, &list); err != nil {
		return nil, usagef("%s holds neither a JSON object nor an array of them: %w", source, err)
	}
	for i, record := range list {
		if record == nil {
			return nil, usagef("%s: element %d is not an object", source, i+1)
		}
	}
	return list, nil
}
