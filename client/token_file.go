package client

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// TokenFile is a token as it is handed out and kept in a file. It is a secret.
type TokenFile struct {
	AccessToken    string `json:"access_token"`
	RefreshToken   string `json:"refresh_token,omitempty"`
	TokenType      string `json:"token_type,omitempty"`
	Expires        Time   `json:"expires"`
	RefreshExpires *Time  `json:"refresh_expires,omitempty"`
	User           string `json:"user,omitempty"`
	IssuedBy       string `json:"issued_by,omitempty"`
	// Warnings say what may not be meant, as that there is no such cluster.
	Warnings []string `json:"warnings,omitempty"`
	// Raw is the object as the head sent it or the file holds it, with members that this version does not know.
	Raw json.RawMessage `json:"-"`
}

// String keeps the secret out of logs and messages.
func (t TokenFile) String() string { return fmt.Sprintf("token of %q", t.User) }

// UnmarshalJSON decodes a token and keeps the whole object.
func (t *TokenFile) UnmarshalJSON(data []byte) error {
	type plain TokenFile
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.Raw = append(json.RawMessage(nil), data...)
	return nil
}

// ReadTokenFile reads a token from a file.
func ReadTokenFile(path string) (TokenFile, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return TokenFile{}, fmt.Errorf("read token: %w", err)
	}
	var t TokenFile
	if err := json.Unmarshal(data, &t); err != nil || t.AccessToken == "" {
		return TokenFile{}, fmt.Errorf("%s is not a token file: it holds no JSON object with an access_token", path)
	}
	return t, nil
}

// WriteFile writes the token to a file that only its owner can read. A reader sees the old content or the new one, and
// the token is never in a file with wider permissions, even when the file that it replaces had them.
func (t TokenFile) WriteFile(path string) (err error) {
	data, err := t.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the first error tells more
			_ = os.Remove(f.Name()) // likewise
			err = fmt.Errorf("write token: %w", err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Encode returns the token as the JSON text of a token file.
func (t TokenFile) Encode() ([]byte, error) {
	var object any = t
	if len(t.Raw) > 0 {
		object = t.Raw
	}
	data, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	return append(data, '\n'), nil
}
