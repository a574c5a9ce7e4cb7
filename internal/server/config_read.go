package server

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
)

// later are sections and keys of a real installation that this version reads without acting on them. Each is named in a
// warning at start, so that nobody believes it to be in force.
var later = []string{
	"archive.compression", "archive.retention", "main.user", "main.group", "main.static-files",
	"main.embed-static-files", "main.validate", "main.redirect-http-to", "main.machine-state-dir", "main.enable-job-taggers",
	"main.stop-jobs-exceeding-walltime", "main.short-running-jobs-duration", "main.emission-constant", "main.systemd-unit",
	"main.resampling.trigger", "main.resampling.resolutions", "main.nodestate-retention", "main.db-config",
}

// ignorable are top-level sections without effect here; others are unknown.
var ignorable = []string{"main", "auth", "archive", "metric-store", "audit", "cron", "nats", "prometheus", "ui", "metric-store-external"}

// ReadConfig reads path over the defaults. notes names what the file asks for and this version does not do yet. An error
// says which key is wrong and what would be right.
func ReadConfig(path string) (c Config, notes []string, err error) {
	c = DefaultConfig()
	data, err := os.ReadFile(path) //nolint:gosec // the administrator says which file
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil, fmt.Errorf("there is no configuration file %s; cc-backend -init makes one", path)
	}
	if err != nil {
		return c, nil, fmt.Errorf("read configuration: %w", err)
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(data, &sections); err != nil {
		return c, nil, fmt.Errorf("%s is not valid JSON: %s", path, jsonProblem(data, err))
	}
	if _, ok := sections["main"]; !ok {
		if !isFlat(sections) {
			return c, nil, fmt.Errorf("%s has no section \"main\"; cc-backend -init in an empty folder shows how a configuration looks", path)
		}
		if sections, notes, err = fromFlat(sections); err != nil {
			return c, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if auth, ok := sections["auth"]; ok {
		sections["auth"] = todaysAuth(auth)
	}
	more, rest := setAside(sections)
	notes = append(notes, more...)
	for name, into := range map[string]any{"main": &c.Main, "auth": &c.Auth, "archive": &c.Archive, "metric-store": &c.MetricStore, "audit": &c.Audit, "nats": &c.NATS, "prometheus": &c.Prometheus} {
		if raw, ok := rest[name]; ok {
			if err := decodeSection(raw, into); err != nil {
				return c, nil, fmt.Errorf("%s, section %q: %w", path, name, err)
			}
		}
	}
	return c, append(notes, c.natsNotes()...), c.validate()
}

// setAside takes the keys that this version does not act on out of the sections, and names them.
func setAside(sections map[string]json.RawMessage) (notes []string, rest map[string]json.RawMessage) {
	rest = map[string]json.RawMessage{}
	for name, raw := range sections {
		if !slices.Contains(ignorable, name) {
			notes = append(notes, "section "+name+" is unknown and ignored")
			continue
		}
		rest[name] = strip(raw, name, &notes)
	}
	for _, name := range []string{"cron", "ui", "metric-store-external"} {
		if _, ok := rest[name]; ok {
			notes = append(notes, "section "+name+" is not acted on by this version")
		}
	}
	slices.Sort(notes)
	return notes, rest
}

// strip returns the object raw without the members that later names.
func strip(raw json.RawMessage, prefix string, notes *[]string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw // not an object; decoding it will say so
	}
	for key, value := range members {
		path := prefix + "." + key
		switch {
		case slices.Contains(later, path):
			*notes = append(*notes, path+" is not acted on by this version")
			delete(members, key)
		case path == "auth.jwts", path == "main.resampling":
			members[key] = strip(value, path, notes)
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return out
}

func decodeSection(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s: %s expected, %s found", kind.Field, jsonName(kind.Type), kind.Value)
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if key, ok := strings.CutPrefix(text, "unknown field "); ok {
		return fmt.Errorf("unknown key %s; the keys here are %s", key, strings.Join(keysOf(reflect.TypeOf(into)), ", "))
	}
	return errors.New(text)
}

// jsonName is what JSON calls a Go type.
func jsonName(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Slice:
		return "array"
	case reflect.Struct:
		return "object"
	case reflect.String:
		return "string"
	default:
		return "number"
	}
}

// keysOf lists the keys that a section can have, those of its own sections included.
func keysOf(t reflect.Type) (keys []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, name)
		if inner := f.Type; inner.Kind() == reflect.Struct || inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner)...)
		}
	}
	return keys
}

// jsonProblem says where in data the syntax error is.
func jsonProblem(data []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return "it ends too early"
		}
		return err.Error()
	}
	before := data[:min(int(syntax.Offset), len(data))]
	return fmt.Sprintf("line %d: %s", 1+bytes.Count(before, []byte("\n")), syntax.Error())
}
