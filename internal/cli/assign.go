package cli

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The fields that are not text. The head checks them all the same; here they only get the right JSON type.
var (
	listFields    = []string{"roles", "keys", "projects", "groups", "permissions", "delegates"}
	numberFields  = []string{"index"}
	booleanFields = []string{"disabled"}
)

// assignment splits field=value; a value that begins with @ is the content of that file, @@ stands for an @.
func (t *tool) assignment(arg string) (field, value string, err error) {
	field, value, ok := strings.Cut(arg, "=")
	if !ok || field == "" {
		return "", "", usagef("%q is not of the form field=value", arg)
	}
	if literal, ok := strings.CutPrefix(value, "@@"); ok {
		return field, "@" + literal, nil
	}
	path, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return field, value, nil
	}
	data, err := os.ReadFile(expandHome(t.env, path))
	if err != nil {
		return "", "", usagef("read the value of %s: %w", field, err)
	}
	return field, strings.TrimRight(string(data), "\r\n"), nil
}

// assignments reads field=value arguments into a record for the head.
func (t *tool) assignments(args []string) (map[string]any, error) {
	record := map[string]any{}
	for _, arg := range args {
		field, value, err := t.assignment(arg)
		if err != nil {
			return nil, err
		}
		if key, ok := strings.CutPrefix(field, "attributes."); ok {
			err = setAttribute(record, key, value)
		} else {
			record[field], err = typed(field, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return record, nil
}

// setAttribute puts attributes.key=value into the record's map of attributes.
func setAttribute(record map[string]any, key, value string) error {
	if record["attributes"] == nil {
		record["attributes"] = map[string]any{}
	}
	attributes, ok := record["attributes"].(map[string]any)
	if !ok {
		return usagef("attributes.%s cannot be combined with an attributes= that is no JSON object", key)
	}
	attributes[key] = value
	return nil
}

// typed gives a value the JSON type that its field has.
func typed(field, value string) (any, error) {
	switch {
	case field == "keys":
		return lines(value), nil
	case slices.Contains(listFields, field):
		return words(value), nil
	case slices.Contains(numberFields, field):
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, usagef("%s is a whole number, not %q", field, value)
		}
		return n, nil
	case slices.Contains(booleanFields, field):
		b, err := strconv.ParseBool(value)
		if err != nil {
			return nil, usagef("%s is true or false, not %q", field, value)
		}
		return b, nil
	case field == "attributes":
		var object map[string]any
		if err := json.Unmarshal([]byte(value), &object); err != nil {
			return nil, usagef(`attributes is a JSON object such as {"key": "value"}, or given one by one as attributes.key=value`)
		}
		return object, nil
	default:
		return value, nil
	}
}

// lines splits a file of keys; # begins a comment line.
func lines(text string) []string {
	list := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// words splits at commas.
func words(text string) []string {
	list := []string{}
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w != "" {
			list = append(list, w)
		}
	}
	return list
}
