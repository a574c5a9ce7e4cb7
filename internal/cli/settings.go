package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The settings that the tools know (contract clusterware 2.6).
const (
	keyToken     = "client.authtkn" //nolint:gosec // the name of a setting
	keyUser      = "client.authuser"
	keyBaseURL   = "client.base_url"
	keySocket    = "client.socket"
	keySSLVerify = "client.sslverify"
	keyKeepLogin = "client.keep_login"
	keyFormat    = "client.format"
	keyPretty    = "client.pretty"
	keyFanout    = "ssh_runner.fanout"
	keySSHPort   = "ssh_runner.port"
	keyIdentity  = "ssh_runner.identity"
	keyHosts     = "ssh_runner.known_hosts"
	keyAcceptNew = "ssh_runner.accept_new"
	keyUserLogs  = "logging.max_user_logs"
)

// settings are layers of key and value; the first layer that has a key decides.
type settings struct{ layers []layer }

// layer is the settings of one source.
type layer struct {
	source string // for messages: a file, "the command line" or "the environment"
	values map[string]string
}

// loadSettings stacks command line, environment, the -c file, the user's file and the system's file.
func loadSettings(env Env, o options) (settings, error) {
	flags := layer{"the command line", map[string]string{}}
	flags.set(keyUser, o.user)
	flags.set(keyBaseURL, o.baseURL)
	flags.set(keyFormat, o.form())
	environment := layer{"the environment", map[string]string{}}
	environment.set(keyBaseURL, env.Getenv("CW_BASE_URL"))
	environment.set(keyToken, env.Getenv("CW_TOKEN_FILE"))
	environment.set(keySocket, env.Getenv("CW_SOCKET"))
	s := settings{[]layer{flags, environment}}

	type source struct {
		path string
		must bool
	}
	files := []source{{o.config, true}, {userFile(env, "settings.ini"), false}, {filepath.Join(env.Etc, "settings.ini"), false}}
	for _, f := range files {
		if f.path == "" {
			continue
		}
		l, err := readSettings(expandHome(env, f.path))
		if errors.Is(err, fs.ErrNotExist) && !f.must {
			continue
		}
		if err != nil {
			return settings{}, err
		}
		s.layers = append(s.layers, l)
	}
	return s, nil
}

func (l layer) set(key, value string) {
	if value != "" {
		l.values[key] = value
	}
}

// userFile returns the path of a file in the user's folder of settings, "" without a home.
func userFile(env Env, name string) string {
	if env.Home == "" {
		return ""
	}
	return filepath.Join(env.Home, ".scyldcw", name)
}

// expandHome replaces a leading ~/ by the user's home, as the shell does for words but not behind a "=".
func expandHome(env Env, path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && env.Home != "" {
		return filepath.Join(env.Home, rest)
	}
	return path
}

func readSettings(path string) (layer, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return layer{}, fmt.Errorf("read settings: %w", err)
	}
	values, err := parseSettings(data)
	if err != nil {
		return layer{}, fmt.Errorf("%s:%w", path, err)
	}
	return layer{path, values}, nil
}

// parseSettings reads lines of key = value. A [section] is allowed and prefixes nothing; # and ; begin a comment line.
// The last of several lines for a key counts, so that a line can be appended without looking.
func parseSettings(data []byte) (map[string]string, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || line[0] == ';' || line[0] == '[' && strings.HasSuffix(line, "]") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key == "" || strings.ContainsAny(key, " \t") {
			// The line itself may hold a password, so it is not repeated.
			return nil, usagef("%d: a line looks like 'client.base_url = http://head1/api/v1'", n)
		}
		values[canonical(key)] = unquote(strings.TrimSpace(value))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf(" %w", err)
	}
	return values, nil
}

// canonical maps the spellings that sites use for the same setting.
func canonical(key string) string {
	if key == "client.ssl_verify" || key == "client.ssl.verify" {
		return keySSLVerify
	}
	return key
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// get returns the value of a key, "" when no layer has it.
func (s settings) get(key string) string {
	for _, l := range s.layers {
		if v, ok := l.values[key]; ok {
			return v
		}
	}
	return ""
}

// integer returns a number, or def when the key is not set.
func (s settings) integer(key string, def int) (int, error) {
	v := s.get(key)
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, usagef("setting %s is a whole number, not %q", key, v)
	}
	return n, nil
}

// boolean returns a switch, or def when the key is not set.
func (s settings) boolean(key string, def bool) (bool, error) {
	v := s.get(key)
	if v == "" {
		return def, nil
	}
	switch strings.ToLower(v) {
	case "yes", "on":
		return true, nil
	case "no", "off":
		return false, nil
	}
	b, err := strconv.ParseBool(strings.ToLower(v))
	if err != nil {
		return false, usagef("setting %s is true or false, not %q", key, v)
	}
	return b, nil
}
