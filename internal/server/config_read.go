package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
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
	if err := jsonfile.Decode(data, &sections); err != nil {
		return c, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := otherFiles(sections); err != nil {
		return c, nil, fmt.Errorf("%s: %w", path, err)
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
			if err := jsonfile.DecodeStrict(raw, into); err != nil {
				return c, nil, fmt.Errorf("%s, section %q: %w", path, name, err)
			}
		}
	}
	notes = append(append(notes, c.MetricStore.notes()...), c.natsNotes()...)
	return c, notes, c.validate()
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
