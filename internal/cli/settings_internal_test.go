package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world is a home, a system's folder and an environment with settings.
type world struct {
	env  Env
	vars map[string]string
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{vars: map[string]string{}}
	w.env = Env{Home: t.TempDir(), Etc: t.TempDir(), Getenv: func(key string) string { return w.vars[key] }}
	return w
}

func (w world) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheNearestSourceOfASettingCounts(t *testing.T) {
	t.Parallel()
	// Each source, from the strongest to the weakest, and how it is set.
	sources := []struct {
		name string
		set  func(t *testing.T, w *world, o *options)
	}{
		{"option", func(_ *testing.T, _ *world, o *options) { o.baseURL = "option" }},
		{"environment", func(_ *testing.T, w *world, _ *options) { w.vars["CW_BASE_URL"] = "environment" }},
		{"-c", func(t *testing.T, w *world, o *options) {
			t.Helper()
			o.config = "~/extra.ini"
			w.write(t, filepath.Join(w.env.Home, "extra.ini"), "client.base_url = -c\n")
		}},
		{"user", func(t *testing.T, w *world, _ *options) {
			t.Helper()
			w.write(t, filepath.Join(w.env.Home, ".scyldcw", "settings.ini"), "client.base_url = user\n")
		}},
		{"system", func(t *testing.T, w *world, _ *options) {
			t.Helper()
			w.write(t, filepath.Join(w.env.Etc, "settings.ini"), "client.base_url = system\n")
		}},
	}
	for strongest := range sources {
		t.Run(sources[strongest].name, func(t *testing.T) {
			t.Parallel()
			w, o := newWorld(t), options{}
			for _, s := range sources[strongest:] {
				s.set(t, &w, &o)
			}
			got, err := loadSettings(w.env, o)
			if err != nil {
				t.Fatal(err)
			}
			if v := got.get(keyBaseURL); v != sources[strongest].name {
				t.Errorf("base_url = %q, want that of the %s", v, sources[strongest].name)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		got, err := loadSettings(newWorld(t).env, options{})
		if err != nil || got.get(keyBaseURL) != "" {
			t.Errorf("base_url = %q, %v", got.get(keyBaseURL), err)
		}
	})
}

func TestASourceWithoutAKeyLeavesItToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, filepath.Join(w.env.Home, ".scyldcw", "settings.ini"), "client.authuser = ann\nclient.format =\n")
	w.write(t, filepath.Join(w.env.Etc, "settings.ini"), "client.authuser = root\nclient.format = json\nssh_runner.fanout = 3\n")
	w.vars["CW_SOCKET"] = "/run/x"
	got, err := loadSettings(w.env, options{csv: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{keyUser: "ann", keyFormat: "csv", keyFanout: "3", keySocket: "/run/x", keyToken: ""}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if v := got.get(key); v != want[key] {
			t.Errorf("%s = %q, want %q", key, v, want[key])
		}
	}
	// A key that is set to nothing hides what a weaker source says.
	got, err = loadSettings(w.env, options{})
	if err != nil || got.get(keyFormat) != "" {
		t.Errorf("format = %q, %v: the user's empty line was overlooked", got.get(keyFormat), err)
	}
}

func TestSettingsFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config string
		make   func(t *testing.T, w *world)
		want   string
	}{
		{"-c names nothing", "~/gone.ini", nil, "read settings: open HOME/gone.ini: no such file"},
		{"-c names a folder", "~/", nil, "read settings: read HOME: is a directory"},
		{"the user's file has a mistake", "", func(t *testing.T, w *world) {
			t.Helper()
			w.write(t, filepath.Join(w.env.Home, ".scyldcw", "settings.ini"), "# fine\n\nclient.authuser ann:hunter2\n")
		}, "HOME/.scyldcw/settings.ini:3: a line looks like"},
		{"the system's file has a mistake", "", func(t *testing.T, w *world) {
			t.Helper()
			w.write(t, filepath.Join(w.env.Etc, "settings.ini"), "=\n")
		}, "ETC/settings.ini:1: a line looks like"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.make != nil {
				tt.make(t, &w)
			}
			_, err := loadSettings(w.env, options{config: tt.config})
			want := strings.NewReplacer("HOME", w.env.Home, "ETC", w.env.Etc).Replace(tt.want)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the line: %v", err)
			}
		})
	}
}

func TestWithoutAHomeThereAreNoPersonalSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, filepath.Join(w.env.Etc, "settings.ini"), "client.authuser = root\n")
	w.env.Home = ""
	got, err := loadSettings(w.env, options{})
	if err != nil || got.get(keyUser) != "root" || len(got.layers) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if file := userFile(w.env, "x"); file != "" {
		t.Errorf("a file %q in no home", file)
	}
}

func TestNumbersAndSwitchesInSettings(t *testing.T) {
	t.Parallel()
	const key = "k"
	of := func(v string) settings { return settings{[]layer{{"a file", map[string]string{key: v}}}} }
	for v, want := range map[string]int{"": 7, "0": 0, "-1": -1, "64": 64} {
		if got, err := of(v).integer(key, 7); got != want || err != nil {
			t.Errorf("integer %q: %d, %v; want %d", v, got, err, want)
		}
	}
	for _, v := range []string{"many", "1.5", "0x10", "9999999999999999999"} {
		if got, err := of(v).integer(key, 7); err == nil || exitCode(err) != exitUsage || got != 0 {
			t.Errorf("integer %q: %d, %v", v, got, err)
		}
	}
	on := []string{"true", "True", "yes", "YES", "on", "1", "t"}
	off := []string{"false", "No", "off", "0", "F"}
	for _, v := range slices.Concat(on, off) {
		if got, err := of(v).boolean(key, false); got != slices.Contains(on, v) || err != nil {
			t.Errorf("boolean %q: %v, %v", v, got, err)
		}
	}
	if got, err := of("").boolean(key, true); !got || err != nil {
		t.Errorf("boolean that is not set: %v, %v", got, err)
	}
	for _, v := range []string{"perhaps", "2", "yes please"} {
		if _, err := of(v).boolean(key, true); err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), key) {
			t.Errorf("boolean %q: %v", v, err)
		}
	}
}

func TestExpandHome(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"~/a/b": "/home/ann/a/b", "~": "~", "~bob/x": "~bob/x", "/etc/x": "/etc/x", "a~/b": "a~/b", "": "",
	} {
		if got := expandHome(Env{Home: "/home/ann"}, path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	if got := expandHome(Env{}, "~/a"); got != "~/a" {
		t.Errorf("without a home: %q", got)
	}
}

func TestOptionsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    options
		want string // "" means that they do not
	}{
		{"none", options{}, ""},
		{"two forms", options{json: true, table: true}, "only one of"},
		{"all forms", options{json: true, table: true, csv: true, human: true}, "only one of"},
		{"pretty and not", options{pretty: true, noPretty: true}, "--pretty and --no-pretty"},
		{"all and some", options{all: true, ids: []string{"n0"}}, "-i has nothing to add"},
		{"all of them at once", options{all: true, csv: true, pretty: true, quiet: true, verbose: 2}, ""},
	}
	for _, tt := range tests {
		err := tt.o.check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || exitCode(err) != exitUsage) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	o := options{fields: []string{" mac", "ip ", "a.b"}}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mac", "ip", "a.b"}, o.fields); diff != "" {
		t.Errorf("fields with blanks: %s", diff)
	}
}
