package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Fields is a record as the head sends it, for those who show it: nothing that a newer head adds is lost. Numbers are
// of type json.Number.
type Fields map[string]any

// Time is a moment as the management interface writes it: seconds since 1970, with fractions. The zero time stands for
// "never".
type Time struct{ time.Time }

// UnmarshalJSON reads a number of seconds or null.
func (t *Time) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		t.Time = time.Time{}
		return nil
	}
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return fmt.Errorf("time %.40q is not a number of seconds", data)
	}
	t.Time = time.Time{}
	if seconds != 0 {
		t.Time = time.UnixMicro(int64(seconds * 1e6)).UTC()
	}
	return nil
}

// MarshalJSON writes a number of seconds.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("0"), nil
	}
	return json.Marshal(float64(t.UnixMicro()) / 1e6)
}

// Strings is a list of texts. Heads send it as a list; a text with commas is understood as well.
type Strings []string

// UnmarshalJSON reads a list, a text with commas, or null.
func (s *Strings) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*s = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*s = append(*s, part)
			}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// decodeRecord fills typed and keeps all fields.
func decodeRecord(data []byte, typed any, all *Fields) error {
	if err := json.Unmarshal(data, typed); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(all)
}

// get asks for one record.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (record T, err error) {
	err = c.ware(ctx, request{method: http.MethodGet, path: path, query: query}, &record)
	return record, err
}

// list asks for all records of a class and sorts them.
func list[T any](ctx context.Context, c *Client, path string, compare func(a, b T) int) ([]T, error) {
	data, err := get[json.RawMessage](ctx, c, path, nil)
	if err != nil {
		return nil, err
	}
	records, err := listOf[T](data)
	slices.SortFunc(records, compare)
	return records, err
}

// listOf decodes the reply to a list call, which is a map from UID to record for some classes and an array for others.
func listOf[T any](data json.RawMessage) ([]T, error) {
	var list []T
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
		var byUID map[string]T
		if err := json.Unmarshal(data, &byUID); err != nil {
			return nil, fmt.Errorf("decode list: %w", err)
		}
		for _, record := range byUID {
			list = append(list, record)
		}
	} else if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("decode list: %w", err)
	}
	return list, nil
}

// segment makes an identifier safe for a path. "." and ".." would change the path, so they are refused by the head as
// unknown, encoded.
func segment(id string) string {
	switch id {
	case ".", "..":
		return strings.ReplaceAll(id, ".", "%2E")
	default:
		return url.PathEscape(id)
	}
}
