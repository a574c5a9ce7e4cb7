package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// localSocket makes a socket that nobody answers at.
func localSocket(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.sock")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return path
}

// from makes a layer of a setting file.
func from(source string, pairs ...string) layer {
	l := layer{source, map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		l.values[pairs[i]] = pairs[i+1]
	}
	return l
}

func TestTheWayInThatIsNearestToTheCommandLineIsChosen(t *testing.T) {
	t.Parallel()
	socket := localSocket(t)
	tests := []struct {
		name   string
		layers []layer
		want   login
	}{
		{"a user", []layer{from("line", keyUser, "ann")}, login{user: "ann"}},
		{"a user with a password", []layer{from("line", keyUser, "ann:a:b")}, login{user: "ann", password: "a:b"}},
		{"a token file", []layer{from("line"), from("environment", keyToken, "~/x.token")}, login{tokenFile: "/home/ann/x.token"}},
		{"a user before a token", []layer{from("line", keyUser, "ann"), from("environment", keyToken, "x")}, login{user: "ann"}},
		{"a token before a user", []layer{from("environment", keyToken, "x"), from("file", keyUser, "ann")}, login{tokenFile: "x"}},
		{"a token and a user in one file", []layer{from("file", keyUser, "ann", keyToken, "x")}, login{tokenFile: "x"}},
		{"an empty line sets nothing", []layer{from("file", keyToken, ""), from("system", keyUser, "ann")}, login{user: "ann"}},
		{"the socket", []layer{from("file", keySocket, socket)}, login{socket: socket}},
		{"the socket of the head here", []layer{from("file", keySocket, socket, keyBaseURL, "127.0.0.1:8080")}, login{socket: socket}},
		{"a user rather than the socket", []layer{from("file", keySocket, socket), from("system", keyUser, "ann")}, login{user: "ann"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{settings: settings{tt.layers}, env: Env{Home: "/home/ann"}}
			got, err := tl.chooseLogin()
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestNoWayInSaysWhy(t *testing.T) {
	t.Parallel()
	socket := localSocket(t)
	tests := []struct {
		name   string
		values []string
		want   string
	}{
		{"no socket", []string{keySocket, "/nowhere.sock"}, "/nowhere.sock is not there"},
		{"a file that is none", []string{keySocket, "/etc/hosts"}, "/etc/hosts is not there"},
		{"another machine", []string{keySocket, socket, keyBaseURL, "https://head9/api/v1"}, "it does not reach the head at https://head9/api/v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := &tool{settings: settings{[]layer{from("file", tt.values...)}}}
			_, err := tl.connect()
			if exitCode(err) != exitAuth || !strings.Contains(tl.hint(err), tt.want) {
				t.Errorf("%v with the hint %q, want %q", err, tl.hint(err), tt.want)
			}
		})
	}
}

func TestTheCertificateIsCheckedUnlessTheSettingsSayOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value, base string
		quiet       bool
		want        client.Config
		warns       bool
	}{
		{value: "", base: "https://h", want: client.Config{}},
		{value: "true", base: "https://h", want: client.Config{}},
		{value: "Yes", base: "https://h", want: client.Config{}},
		{value: "false", base: "https://h", want: client.Config{Insecure: true}, warns: true},
		{value: "no", base: "https://h", quiet: true, want: client.Config{Insecure: true}},
		{value: "off", base: "http://h", want: client.Config{Insecure: true}},
		{value: "quiet", base: "https://h", want: client.Config{Insecure: true}},
		{value: "~/ca.pem", base: "https://h", want: client.Config{CAFile: "/home/ann/ca.pem"}},
	}
	for _, tt := range tests {
		t.Run(tt.value+" "+tt.base, func(t *testing.T) {
			t.Parallel()
			var told bytes.Buffer
			tl := &tool{settings: settings{[]layer{from("file", keySSLVerify, tt.value)}}, env: Env{Home: "/home/ann", Stderr: &told}}
			tl.opts.quiet = tt.quiet
			got := client.Config{BaseURL: tt.base}
			tl.trust(&got)
			if got.Insecure != tt.want.Insecure || got.CAFile != tt.want.CAFile {
				t.Errorf("insecure %v, CA %q; want %v, %q", got.Insecure, got.CAFile, tt.want.Insecure, tt.want.CAFile)
			}
			if warned := strings.Contains(told.String(), "certificate is not checked"); warned != tt.warns {
				t.Errorf("told %q", told.String())
			}
		})
	}
}

func TestLoginsAreKeptApartByUserAndHead(t *testing.T) {
	t.Parallel()
	kept := func(user, base string) string {
		tl := &tool{env: Env{Home: "/home/ann"}, settings: settings{[]layer{from("file", keyBaseURL, base)}}}
		return tl.keptLogin(user)
	}
	seen := map[string]string{}
	for _, c := range [][2]string{{"ann", ""}, {"bob", ""}, {"ann", "head1"}, {"ann", "https://head1/api/v1"}, {"../ann", ""}, {"a@b", "c"}, {"a", "c"}} {
		file := kept(c[0], c[1])
		if filepath.Dir(file) != "/home/ann/.scyldcw" {
			t.Errorf("%q is kept in %s", c, file)
		}
		if before, twice := seen[file]; twice {
			t.Errorf("%q and %s share %s", c, before, file)
		}
		seen[file] = strings.Join(c[:], " ")
	}
}

func TestThePasswordIsAskedForOnlyWhenItWasNotGiven(t *testing.T) {
	t.Parallel()
	var prompts []string
	tl := &tool{env: Env{Ask: func(_ context.Context, prompt string) (string, error) {
		prompts = append(prompts, prompt)
		if strings.Contains(prompt, "bob") {
			return "", errors.New("no terminal")
		}
		return "typed", nil
	}}}
	for _, tt := range []struct{ user, given, want string }{{"ann", "given", "given"}, {"ann", "", "typed"}} {
		if got, err := tl.askPassword(login{user: tt.user, password: tt.given})(t.Context()); got != tt.want || err != nil {
			t.Errorf("%+v: %q, %v", tt, got, err)
		}
	}
	_, err := tl.askPassword(login{user: "bob"})(t.Context())
	if exitCode(err) != exitAuth || err.Error() != "the password of bob is needed: no terminal" || !strings.Contains(tl.hint(err), "CW_TOKEN_FILE") {
		t.Errorf("%v, hint %q", err, tl.hint(err))
	}
	if diff := cmp.Diff([]string{"Password for ann: ", "Password for bob: "}, prompts); diff != "" {
		t.Error(diff)
	}
}
