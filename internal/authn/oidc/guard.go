package oidc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	replyTime = 10 * time.Second
	replySize = 1 << 20
)

// guarded returns a client that speaks to the provider's own hosts and nobody else, whatever a document of the provider
// or a redirect names: a head stands where it reaches what the world outside does not. Nor does it matter what the name
// of such a host comes to mean, see dialer.
func guarded(scheme string, hosts []string, names *net.Resolver) *http.Client {
	return &http.Client{
		Timeout: replyTime, Transport: guard{scheme, hosts, &http.Transport{
			DialContext: dialer{hostNames(hosts), names}.dial,
			Proxy:       http.ProxyFromEnvironment, TLSHandshakeTimeout: replyTime, ResponseHeaderTimeout: replyTime,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the provider redirects, which is not followed")
		},
	}
}

type guard struct {
	scheme string
	hosts  []string
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != g.scheme || !slices.Contains(g.hosts, r.URL.Host) || r.URL.User != nil {
		return nil, fmt.Errorf("%s://%s is not a host of the provider; auth.oidc.hosts can name more", r.URL.Scheme, r.URL.Host)
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = limited{io.LimitReader(resp.Body, replySize+1), resp.Body, new(int64)}
	return resp, nil
}

// limited is a body that ends with an error when it is too large.
type limited struct {
	io.Reader
	io.Closer
	read *int64
}

// Read implements io.Reader.
func (l limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if *l.read += int64(n); *l.read > replySize {
		return n, errors.New("the provider's answer is too large")
	}
	return n, err
}
