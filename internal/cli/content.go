package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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
		if err := decodeStrict(text, &list[0]); err != nil {
			return nil, usagef("%s: %w", source, err)
		}
		return list, nil
	}
	if err := decodeStrict(text, &list); err != nil {
		return nil, usagef("%s holds neither a JSON object nor an array of them: %w", source, err)
	}
	for i, record := range list {
		if record == nil {
			return nil, usagef("%s: element %d is not an object", source, i+1)
		}
	}
	return list, nil
}

// decodeStrict reads one JSON value and nothing behind it. Large numbers stay as they are written.
func decodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return jsonProblem(data, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the JSON value")
	}
	return nil
}

// jsonProblem says where in the text the mistake is.
func jsonProblem(data []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n")), err)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("line %d: a JSON %s is not expected here", 1+bytes.Count(data[:min(int(kind.Offset), len(data))], []byte("\n")), kind.Value)
	}
	return err
}
