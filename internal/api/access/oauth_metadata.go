package access

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

const metadataPath = "/.well-known/oauth-authorization-server"

// metadata is how a standard client finds everything else (RFC 8414, 2). There is no authorization endpoint: people log
// in with the pages or the tools.
type metadata struct {
	Issuer            string   `json:"issuer" doc:"The URL of this head. The claim iss of tokens is another name; see the manual."`
	TokenEndpoint     string   `json:"token_endpoint"`
	JWKS              string   `json:"jwks_uri"`
	Introspection     string   `json:"introspection_endpoint"`
	Revocation        string   `json:"revocation_endpoint"`
	GrantTypes        []string `json:"grant_types_supported"`
	ResponseTypes     []string `json:"response_types_supported" doc:"None: there is no authorization endpoint."`
	Scopes            []string `json:"scopes_supported" doc:"The names of all permissions."`
	TokenAuth         []string `json:"token_endpoint_auth_methods_supported" doc:"none: clients are public."`
	IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported" doc:"Bearer: a token of ours."`
	RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported" doc:"none: the token is the right to revoke it."`
	Algorithms        []string `json:"access_token_signing_alg_values_supported" doc:"How access tokens are signed."`
	Documentation     string   `json:"service_documentation"`
}

func (d door) metadata(_ context.Context, r api.Request[api.None, api.None]) (metadata, error) {
	issuer, err := d.issuer(r.HTTP)
	if err != nil {
		return metadata{}, err
	}
	return metadata{
		Issuer: issuer, TokenEndpoint: issuer + "/oauth/token", JWKS: issuer + "/.well-known/jwks.json",
		Introspection: issuer + "/oauth/introspect", Revocation: issuer + "/oauth/revoke",
		GrantTypes: []string{grantRefresh, grantExchange}, ResponseTypes: []string{}, Scopes: identity.All().Names(),
		TokenAuth: []string{"none"}, IntrospectionAuth: []string{"Bearer"}, RevocationAuth: []string{"none"},
		Algorithms: []string{"EdDSA"}, Documentation: issuer + "/api/v1/docs",
	}, nil
}

// issuer returns the URL by which this head is known: the configured one, otherwise the one that the client used, as long
// as its host is one that we know to be ours. A client that is told what it has said itself must not be told it by us.
func (d door) issuer(r *http.Request) (string, error) {
	if d.PublicURL != "" {
		return d.PublicURL, nil
	}
	if !d.isOurs(r) {
		return "", fault.New(fault.NotFound, "the address of this head is not configured: main.public-url, as in https://head.example.org")
	}
	if underTLS(r) {
		return "https://" + r.Host, nil
	}
	return "http://" + r.Host, nil
}

// isOurs reports whether a request's host is this machine: by loopback, by its name, or by the address that was dialled.
func (d door) isOurs(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	short, _, _ := strings.Cut(d.Head, ".")
	if slices.ContainsFunc([]string{"localhost", d.Head, short}, func(name string) bool { return name != "" && strings.EqualFold(name, host) }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ip.IsLoopback() || ok && local.AddrPort().Addr().Unmap() == ip.Unmap()
}
