package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxReply bounds what is read of one reply.
const maxReply = 256 << 20

// send does the request with the credential. A token that the head refuses is renewed once, where that is possible.
func (c *Client) send(ctx context.Context, r request) (*reply, error) {
	body, err := encodeBody(r.body)
	if err != nil {
		return nil, fmt.Errorf("encode the body of %s %s: %w", r.method, r.path, err)
	}
	token := r.bearer
	useCredential := c.cred != nil && !r.anonymous && token == ""
	if useCredential {
		if token, err = c.cred.Bearer(ctx, c); err != nil {
			return nil, err
		}
	}
	res, err := c.roundTrip(ctx, r, body, token)
	if err != nil || res.code != http.StatusUnauthorized || !useCredential {
		return res, err
	}
	fresh, err := c.cred.Renew(ctx, c, token)
	if err != nil {
		return nil, err
	}
	if fresh == "" {
		return res, nil
	}
	return c.roundTrip(ctx, r, body, fresh)
}

func encodeBody(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case io.Reader:
		return io.ReadAll(b)
	default:
		return json.Marshal(b)
	}
}

func (c *Client) roundTrip(ctx context.Context, r request, body []byte, token string) (res *reply, err error) {
	start := c.clock.Now()
	defer func() {
		if c.observe == nil {
			return
		}
		x := Exchange{Method: r.method, Path: r.path, Took: c.clock.Now().Sub(start), Err: err}
		if res != nil {
			x.Status = res.code
		}
		c.observe(x)
	}()

	full := c.root + r.path
	if len(r.query) > 0 {
		full += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, full, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build the request %s %s: %w", r.method, r.path, err)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", contentType(r.body))
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.do(req)
}

func contentType(body any) string {
	if _, raw := body.(io.Reader); raw {
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}

func (c *Client) do(req *http.Request) (*reply, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(req.Context(), err)
	}
	defer func() { _ = res.Body.Close() }() // everything that matters has been read
	data, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if err != nil {
		return nil, c.unreachable(req.Context(), err)
	}
	if len(data) > maxReply {
		return nil, fmt.Errorf("the reply to %s %s is larger than %d MiB", req.Method, req.URL.Path, maxReply>>20)
	}
	return &reply{code: res.StatusCode, header: res.Header, body: data}, nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) { // it repeats the URL
		err = u.Err
	}
	return &UnreachableError{Address: c.Address(), Cause: err}
}
