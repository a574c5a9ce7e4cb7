package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

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
