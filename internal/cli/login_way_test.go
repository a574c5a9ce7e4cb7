package cli_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// remote makes a session from elsewhere: there is no local socket, and head answers at its address.
func remote(t *testing.T) *session {
	t.Helper()
	s := newSession(t)
	url, _ := s.head.start(t, t.TempDir())
	s.vars["CW_SOCKET"], s.vars["CW_BASE_URL"] = filepath.Join(t.TempDir(), "none"), url
	return s
}

// typed answers questions in their order, and remembers them.
func (s *session) typed(answers ...string) *[]string {
	var asked []string
	s.env.Ask = func(_ context.Context, prompt string) (string, error) {
		asked = append(asked, prompt)
		if len(asked) > len(answers) {
			return "", errors.New("there is no terminal to ask on")
		}
		return answers[len(asked)-1], nil
	}
	return &asked
}

func TestCodeIsAskedForWhenTheHeadWantsOne(t *testing.T) {
	t.Parallel()
	s := remote(t)
	s.head.codes["ann"] = "123456"
	asked := s.typed("secret-ann", " 123456 ")
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann", "whoami"); code != 0 || strings.Join(*asked, "|") != "Password for ann: |One-time code: " {
		t.Errorf("exit %d, asked %q: %s", code, *asked, &s.err)
	}
	s.typed("000000")
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann:secret-ann", "whoami"); code != 3 || !strings.Contains(s.err.String(), "the one-time code is wrong") {
		t.Errorf("a wrong code: exit %d: %s", code, &s.err)
	}
	s.typed()
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann:secret-ann", "whoami"); code == 0 || !strings.Contains(s.err.String(), "a one-time code is needed: there is no terminal") {
		t.Errorf("nobody to ask: exit %d: %s", code, &s.err)
	}
	asked = s.typed()
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann:wrong", "whoami"); code != 3 || len(*asked) != 0 {
		t.Errorf("after a wrong password: exit %d, asked %q", code, *asked)
	}
}

// keyFile writes a private key and returns its file and the line of its public half.
func keyFile(t *testing.T, passphrase string) (file, line string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return file, string(ssh.MarshalAuthorizedKey(key))
}

func TestKeysLogInWithoutAPassword(t *testing.T) {
	t.Parallel()
	s := remote(t)
	plain, first := keyFile(t, "")
	locked, second := keyFile(t, "open sesame")
	stranger, _ := keyFile(t, "")
	s.head.admins["ann"]["keys"] = []string{first, second}
	for _, c := range []struct {
		key, answer string
		code        int
		says        string
	}{
		{plain, "", 0, ""},
		{locked, "open sesame", 0, ""},
		{locked, "wrong", 1, "the passphrase does not fit"},
		{stranger, "", 3, "the user, the challenge or the signature is not good"},
		{filepath.Join(t.TempDir(), "none"), "", 1, "no such file"},
		{os.Args[0], "", 1, "it is not a private key"},
		{"agent", "", 3, "no ssh-agent is running"},
	} {
		s.env.Home = t.TempDir() // no login is kept from before
		asked := s.typed(c.answer)
		code := s.run(t.Context(), "cw-adminctl", "-u", "ann", "--ssh-key", c.key, "whoami")
		if code != c.code || !strings.Contains(s.err.String(), c.says) || (len(*asked) > 0) != (c.key == locked) {
			t.Errorf("%s: exit %d, asked %q: %s", c.key, code, *asked, &s.err)
		}
	}
	s.vars["SSH_AUTH_SOCK"] = filepath.Join(t.TempDir(), "none")
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann", "--ssh-key", "agent", "whoami"); code != 3 || !strings.Contains(s.err.String(), "does not answer") {
		t.Errorf("exit %d: %s", code, &s.err)
	}
	// A password that is given is used, whatever the settings say.
	s.vars["CW_SSH_KEY"] = stranger
	if code := s.run(t.Context(), "cw-adminctl", "-u", "ann:secret-ann", "whoami"); code != 0 {
		t.Errorf("exit %d: %s", code, &s.err)
	}
}
