package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// rootOf cuts a base URL down to what comes before /api.
func rootOf(base string) (string, error) {
	if base == "" {
		base = DefaultBaseURL
	}
	full := base
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("base URL %q is not valid: it looks like http://head1/api/v1", base)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("base URL %q is not valid: it begins with http:// or https://", base)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("a base URL has neither user, query nor fragment: it looks like http://head1/api/v1")
	}
	path := strings.TrimRight(u.Path, "/")
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/v1"), "/api")
	return u.Scheme + "://" + u.Host + path, nil
}

// transport builds the way to the head: the network, or the local socket.
func transport(c Config) (*http.Transport, error) {
	tr := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}
	if c.Socket != "" {
		tr.Proxy = nil
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unix", c.Socket)
		}
		return tr, nil
	}
	tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure} //nolint:gosec // the caller's explicit wish
	if c.CAFile == "" {
		return tr, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !tr.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read certificates: %s holds no PEM certificate", c.CAFile)
	}
	return tr, nil
}
