package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

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
