// Package client speaks to a Bridgehead head node: the management interface below /api/v1 (nodes, attributes,
// administrators, tokens) and ClusterCockpit's interface below /api (jobs, node states, samples).
//
// A Client reaches the head by HTTP, HTTPS or the head's local socket, and carries one Credential. It is safe for
// concurrent use. Failures that the head reports are of type *Error; a head that cannot be reached gives an
// *UnreachableError.
package client

import (
	"net/http"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// DefaultBaseURL is where a head on the same machine listens.
const DefaultBaseURL = "http://localhost:8080/api/v1"

// Config says how to reach a head and as whom.
type Config struct {
	// BaseURL is the address of the head's interface, with or without /api/v1 at its end and with or without http://
	// before it. "" means DefaultBaseURL.
	BaseURL string
	// Socket is the path of the head's local socket. When it is set, no network is used, and the operating system
	// vouches for the user.
	Socket string
	// Credential proves who asks. nil sends none, which is right for the local socket and public resources.
	Credential Credential
	// CAFile names a file of PEM certificates to trust instead of the system's.
	CAFile string
	// Insecure accepts any certificate.
	Insecure bool
	// UserAgent names the program in the head's log.
	UserAgent string
	// Timeout limits one request; 0 means 30 seconds.
	Timeout time.Duration
	// Clock tells when tokens expire; nil means the system's.
	Clock clock.Clock
	// Observe, when set, is told of every request after it ended. It never sees headers or bodies.
	Observe func(Exchange)
}

// Exchange is one request and how it ended.
type Exchange struct {
	Method, Path string
	Status       int // 0 when there was no reply
	Took         time.Duration
	Err          error
}

// Client is a connection to a head.
type Client struct {
	root    string // scheme and host, and what comes before /api
	http    *http.Client
	cred    Credential
	agent   string
	clock   clock.Clock
	observe func(Exchange)
	socket  string
}

// New returns a client. Nothing is sent until it is used.
func New(c Config) (*Client, error) {
	root, err := rootOf(c.BaseURL)
	if err != nil {
		return nil, err
	}
	tr, err := transport(c)
	if err != nil {
		return nil, err
	}
	cl := &Client{root: root, cred: c.Credential, agent: c.UserAgent, clock: c.Clock, observe: c.Observe, socket: c.Socket}
	if c.Socket != "" {
		cl.root = "http://localhost"
	}
	if cl.clock == nil {
		cl.clock = clock.System{}
	}
	if cl.agent == "" {
		cl.agent = "bridgehead-client"
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	cl.http = &http.Client{
		Transport: tr,
		Timeout:   timeout,
		// A redirect would turn a POST into a GET, and might carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return cl, nil
}

// Address returns where the client sends its requests, for messages.
func (c *Client) Address() string {
	if c.socket != "" {
		return c.socket
	}
	return c.root
}
