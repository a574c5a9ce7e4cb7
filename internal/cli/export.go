package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
)

// csv writes comma-separated values. Lists and maps are JSON in their cell; times are seconds, as in JSON.
func (p printer) csv(l listing, columns []string) error {
	w := csv.NewWriter(p.w)
	rows := [][]string{append([]string{cmp.Or(l.key, "name")}, columns...)}
	for _, r := range l.records {
		row := []string{r.name}
		for _, c := range columns {
			text, err := csvCell(r.fields, c)
			if err != nil {
				return err
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// csvCell returns one field as text. What a spreadsheet would take for a formula gets an apostrophe before it: records say
// what their users have written.
func csvCell(fields map[string]any, name string) (string, error) {
	v, ok := lookUp(fields, name)
	if !ok || v == nil {
		return "", nil
	}
	switch v := v.(type) {
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			return "'" + v, nil
		}
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	text, err := encode(v)
	return string(text), err
}

// json writes an object of the records by name, in the order of the listing.
func (p printer) json(l listing, indent bool) error {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, r := range l.records {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(r.name)
		if err != nil {
			return err
		}
		fields, err := encode(r.fields)
		if err != nil {
			return err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(fields)
	}
	b.WriteByte('}')
	return p.writeJSON(b.Bytes(), indent)
}

func (p printer) writeJSON(text []byte, indent bool) error {
	var b bytes.Buffer
	if indent {
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return fmt.Errorf("indent JSON: %w", err)
		}
	} else {
		b.Write(text)
	}
	b.WriteByte('\n')
	_, err := p.w.Write(b.Bytes())
	return err
}

// encode is json.Marshal without the escapes that only HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
