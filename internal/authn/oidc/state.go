package oidc

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/bridgehead-hpc/bridgehead/internal/seal"
)

// stateTime is how long somebody may take to log in at the provider.
const stateTime = 10 * time.Minute

// state is what a login needs to know when the browser comes back.
type state struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // PKCE
	Back     string    `json:"b"` // to where the browser came back
	To       string    `json:"t"` // where it goes then
	Until    time.Time `json:"u"`
}

func newState(back, to string, until time.Time) state {
	return state{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back, To: to, Until: until}
}

const stateName = "oidc"

func (s state) seal(box *seal.Box) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("keep the state of a login: %w", err)
	}
	return box.Seal(stateName, text), nil
}

func openState(box *seal.Box, cookie string, now time.Time) (s state, err error) {
	if cookie == "" {
		return s, errors.New("this browser has not begun to log in")
	}
	text, err := box.Open(stateName, cookie)
	if err != nil {
		return s, errors.New("the cookie of the login is not ours")
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read the state of a login: %w", err)
	}
	if !now.Before(s.Until) {
		return s, errors.New("the login took too long")
	}
	return s, nil
}
