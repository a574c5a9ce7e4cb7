package cli

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// defaultSocket is where the head listens for those who are logged in on it.
const defaultSocket = "/run/clusterware/auth.sock"

// login is the way in that was chosen.
type login struct {
	user      string // log in as this user with a password
	password  string // "" asks for it
	sshKey    string // or log in as this user with an SSH key: a file, or "agent"
	tokenFile string // or use this token
	socket    string // or the head's local socket
}

// connect returns the connection to the head, made at its first use.
func (t *tool) connect() (*client.Client, error) {
	if t.conn != nil {
		return t.conn, nil
	}
	way, err := t.chooseLogin()
	if err != nil {
		return nil, err
	}
	t.login = way
	c := client.Config{
		BaseURL: t.settings.get(keyBaseURL), Socket: way.socket, UserAgent: t.name, Clock: t.env.Clock, Observe: t.observe,
	}
	t.trust(&c)
	if c.Credential, err = t.credential(way); err != nil {
		return nil, err
	}
	conn, err := client.New(c)
	if err != nil {
		return nil, &usageError{cause: err}
	}
	t.conn = conn
	return conn, nil
}

// warnIfOpen says so when others can read a file with a token. It is used all the same: who copied it there may have no
// other way.
func (t *tool) warnIfOpen(path string) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 && !t.opts.quiet {
		t.tell("WARNING: others may read the token in %s; run: chmod 600 %s\n", path, path)
	}
}

// credential returns what the client proves the way in with; nil for the local socket.
func (t *tool) credential(way login) (client.Credential, error) {
	keep, err := t.settings.boolean(keyKeepLogin, true)
	switch {
	case err != nil:
		return nil, err
	case way.tokenFile != "":
		t.warnIfOpen(way.tokenFile)
		return client.FileToken(way.tokenFile), nil
	case way.user == "":
		return nil, nil //nolint:nilnil // the head knows the user of its socket without
	}
	l := client.Login{User: way.user, Password: t.askPassword(way), Code: func(ctx context.Context) (string, error) { return t.orAsk(ctx, "") }}
	if way.sshKey != "" {
		l.Keys = t.sshKeys(way.sshKey)
	}
	if way.password != "" || !keep || t.env.Home == "" {
		return l.Credential(), nil
	}
	l.Keep = t.keptLogin(way.user)
	if err := os.MkdirAll(filepath.Dir(l.Keep), 0o700); err != nil {
		return nil, fmt.Errorf("keep the login: %w", err)
	}
	return l.Credential(), nil
}

// keptLogin is the file in which a login that asked for a password is kept: one for each user and head.
func (t *tool) keptLogin(user string) string {
	head := cmp.Or(t.settings.get(keyBaseURL), client.DefaultBaseURL)
	return userFile(t.env, "login-"+url.PathEscape(user)+"@"+url.PathEscape(head)+".json")
}

// chooseLogin finds the way in: a user or token file, whichever is set nearest to the command line, else the local
// socket. In one file the token counts: it is the line that people append to settings which name a user already.
func (t *tool) chooseLogin() (login, error) {
	for _, l := range t.settings.layers {
		if file := l.values[keyToken]; file != "" {
			return login{tokenFile: expandHome(t.env, file)}, nil
		}
		if user := l.values[keyUser]; user != "" {
			name, password, _ := strings.Cut(user, ":")
			way := login{user: name, password: password}
			if password == "" {
				way.sshKey = t.settings.get(keySSHKey)
			}
			return way, nil
		}
	}
	socket := t.settings.get(keySocket)
	if socket == "" {
		socket = defaultSocket
	}
	if elsewhere(t.settings.get(keyBaseURL)) || !isSocket(socket) {
		return login{}, &loginError{socket: socket, baseURL: t.settings.get(keyBaseURL)}
	}
	return login{socket: socket}, nil
}

// elsewhere reports whether a base URL points to another machine, whose head the local socket does not reach.
func elsewhere(base string) bool {
	if base == "" {
		return false
	}
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeSocket != 0
}

// askPassword returns what gives the password when the client needs it.
func (t *tool) askPassword(way login) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if way.password != "" {
			return way.password, nil
		}
		password, err := t.env.Ask(ctx, "Password for "+way.user+": ")
		if err != nil {
			return "", &loginError{reason: fmt.Sprintf("the password of %s is needed: %v", way.user, err)}
		}
		return password, nil
	}
}

// trust applies client.sslverify: true, false, quiet, or a file of certificates.
func (t *tool) trust(c *client.Config) {
	switch v := t.settings.get(keySSLVerify); strings.ToLower(v) {
	case "", "true", "yes", "on", "1":
	case "quiet":
		c.Insecure = true
	case "false", "no", "off", "0":
		c.Insecure = true
		if strings.HasPrefix(c.BaseURL, "https:") && !t.opts.quiet {
			t.tell("WARNING: the head's certificate is not checked (%s = %s)\n", keySSLVerify, v)
		}
	default:
		c.CAFile = expandHome(t.env, v)
	}
}

// observe writes each request to the run's log, and shows it with -v.
func (t *tool) observe(x client.Exchange) {
	t.log.request(x)
	if t.opts.verbose == 0 {
		return
	}
	result := strconv.Itoa(x.Status)
	if x.Err != nil {
		result = x.Err.Error()
	}
	t.tell("%s %s: %s (%d ms)\n", x.Method, mask(x.Path), result, x.Took.Milliseconds())
}
