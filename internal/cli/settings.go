package cli

import (
	"errors"
	"io/fs"
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
	keySSHKey    = "client.ssh_key"
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
	flags.set(keySSHKey, o.sshKey)
	flags.set(keyFormat, o.form())
	environment := layer{"the environment", map[string]string{}}
	environment.set(keyBaseURL, env.Getenv("CW_BASE_URL"))
	environment.set(keyToken, env.Getenv("CW_TOKEN_FILE"))
	environment.set(keySocket, env.Getenv("CW_SOCKET"))
	environment.set(keySSHKey, env.Getenv("CW_SSH_KEY"))
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
