package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

// margin is how long before its end a token is not used any more, so that it does not expire on the way.
const margin = 30 * time.Second

// renewable is a token with a way to get the next one.
type renewable struct {
	stored func() TokenFile // nil, or what an earlier program left; it is looked at once
	begin  func(ctx context.Context, c *Client) (TokenFile, error)
	keep   func(TokenFile) // nil keeps it in memory only
	source string
	again  bool // begin gives another token when called again

	mu    sync.Mutex // guards token; held while a new one is fetched, so that a burst of requests logs in once
	token TokenFile
}

// Bearer returns a token that is good for a while.
func (r *renewable) Bearer(ctx context.Context, c *Client) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token.AccessToken == "" {
		if err := r.first(ctx, c); err != nil {
			return "", err
		}
	}
	now := c.clock.Now()
	if r.token.Expires.IsZero() || now.Before(r.token.Expires.Add(-margin)) {
		return r.token.AccessToken, nil
	}
	fresh, err := r.next(ctx, c)
	if err != nil {
		return "", err
	}
	if fresh != "" {
		return fresh, nil
	}
	if now.Before(r.token.Expires.Time) {
		return r.token.AccessToken, nil
	}
	return "", &ExpiredError{Source: r.source, Since: r.token.Expires.Time, IssuedBy: r.token.IssuedBy, User: r.token.User}
}

// first finds the token to begin with.
func (r *renewable) first(ctx context.Context, c *Client) error {
	if r.stored != nil {
		if r.token = r.stored(); r.token.AccessToken != "" {
			return nil
		}
	}
	t, err := r.begin(ctx, c)
	if err != nil {
		return err
	}
	r.token = t
	if r.keep != nil && r.again {
		r.keep(t)
	}
	return nil
}

// Renew replaces a token that the head refused, unless another request has already done so.
func (r *renewable) Renew(ctx context.Context, c *Client, token string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token.AccessToken != token {
		return r.token.AccessToken, nil
	}
	return r.next(ctx, c)
}

// next refreshes the token, or starts over where that is possible. It returns "" when neither works.
func (r *renewable) next(ctx context.Context, c *Client) (string, error) {
	t, err := r.refresh(ctx, c)
	if err != nil {
		return "", err
	}
	if t.AccessToken == "" && r.again {
		if t, err = r.begin(ctx, c); err != nil {
			return "", err
		}
	}
	if t.AccessToken == "" {
		return "", nil
	}
	r.token = t
	if r.keep != nil {
		r.keep(t)
	}
	return t.AccessToken, nil
}

// refresh asks for a new access token. A refresh token that the head does not accept any more is no error.
func (r *renewable) refresh(ctx context.Context, c *Client) (TokenFile, error) {
	old := r.token
	if old.RefreshToken == "" {
		return TokenFile{}, nil
	}
	t, err := c.Refresh(ctx, old.RefreshToken)
	if errors.Is(err, ErrUnauthenticated) {
		return TokenFile{}, nil
	}
	if err != nil {
		return TokenFile{}, err
	}
	if t.RefreshToken == "" { // it stays good
		t.RefreshToken, t.RefreshExpires, t.Raw = old.RefreshToken, old.RefreshExpires, nil
	}
	if t.User == "" {
		t.User, t.Raw = old.User, nil
	}
	return t, nil
}
