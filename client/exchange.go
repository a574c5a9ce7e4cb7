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
	"strconv"
	"strings"
	"time"
)

// maxReply bounds what is read of one reply.
const maxReply = 256 << 20

// request is one call: its path below the root, and what goes with it.
type request struct {
	method, path string
	query        url.Values
	body         any    // encoded as JSON, unless it is an io.Reader; nil sends none
	bearer       string // overrides the credential
	anonymous    bool   // sends no credential
}

// envelope is how the management interface wraps every reply.
type envelope struct {
	Success   bool            `json:"success"`
	Data      json.RawMessage `json:"data"`
	Reason    string          `json:"reason"`
	Code      string          `json:"code"`
	Details   []string        `json:"details"`
	RequestID string          `json:"request_id"`
}

// ware calls the management interface and decodes the data of the reply into out, unless out is nil.
func (c *Client) ware(ctx context.Context, r request, out any) error {
	r.path = "/api/v1" + r.path
	reply, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	var env envelope
	if json.Unmarshal(reply.body, &env) != nil || !env.Success && env.Reason == "" {
		return reply.failure(r, fmt.Sprintf("%s does not answer like a head node (%s); is the base URL right?", c.Address(), reply.status()))
	}
	if !env.Success || reply.code >= 300 {
		e := reply.failure(r, env.Reason)
		e.Code, e.Details = env.Code, env.Details
		if env.RequestID != "" {
			e.RequestID = env.RequestID
		}
		return e
	}
	if out == nil || len(env.Data) == 0 {
		return nil
	}
	return decode(env.Data, out, r)
}

// cockpit calls ClusterCockpit's interface and decodes the reply into out, unless out is nil.
func (c *Client) cockpit(ctx context.Context, r request, out any) error {
	r.path = "/api" + r.path
	reply, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	if reply.code >= 300 {
		var e struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(reply.body, &e) != nil || e.Error == "" {
			e.Error = fmt.Sprintf("%s answers %s", c.Address(), reply.status())
		}
		return reply.failure(r, e.Error)
	}
	if out == nil {
		return nil
	}
	return decode(reply.body, out, r)
}

func decode(data []byte, out any, r request) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("decode the reply to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

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

// reply is what came back.
type reply struct {
	code   int
	header http.Header
	body   []byte
}

func (r *reply) status() string { return fmt.Sprintf("%d %s", r.code, http.StatusText(r.code)) }

// failure makes an *Error of a reply.
func (r *reply) failure(req request, reason string) *Error {
	e := &Error{
		Status: r.code, Reason: strings.TrimSpace(reason), Method: req.method, Path: req.path,
		RequestID: r.header.Get("X-Request-Id"),
	}
	if to := r.header.Get("Location"); r.code >= 300 && r.code < 400 && to != "" {
		e.Reason = "the head points to " + to + "; use that as the base URL"
	}
	if s, err := strconv.Atoi(r.header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}
