package server

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
)

func (c Config) validate() error {
	if c.Archive.Kind != "file" {
		return fmt.Errorf("archive.kind %q is not supported; \"file\" is", c.Archive.Kind)
	}
	if err := c.MetricStore.check(); err != nil {
		return err
	}
	if (c.Main.HTTPSCertFile == "") != (c.Main.HTTPSKeyFile == "") {
		return errors.New("main.https-cert-file and main.https-key-file belong together; one of them is missing")
	}
	if outside := c.Main.outside(); c.Main.DisableAuthentication && outside != "" {
		return fmt.Errorf("main.disable-authentication opens everything to everybody; it is refused on %s, which is not a loopback address", outside)
	}
	if _, err := parsePrefixes(c.Main.APIAllowedIPs); err != nil {
		return fmt.Errorf("main.api-allowed-ips: %w", err)
	}
	if _, err := parsePrefixes(c.Main.TrustedProxies); err != nil {
		return fmt.Errorf("main.trusted-proxies: %w", err)
	}
	if err := c.Main.checkSessions(); err != nil {
		return err
	}
	if err := c.Audit.check(); err != nil {
		return err
	}
	if err := c.checkNATS(); err != nil {
		return err
	}
	if err := c.checkQueries(); err != nil {
		return err
	}
	if err := c.Auth.JWTs.checkStatus(); err != nil {
		return err
	}
	if err := c.Auth.Tokens.check(); err != nil {
		return err
	}
	if err := c.Auth.check(); err != nil {
		return err
	}
	return checkPublicURL(c.Main.PublicURL)
}

func (c JWTConfig) checkStatus() error {
	if ttl := time.Duration(c.StatusTTL); ttl < time.Second || ttl > 24*time.Hour {
		return fmt.Errorf("auth.jwts.status-ttl is %s; it is between \"1s\" and \"24h\", and \"1m\" where nothing is said", ttl)
	}
	return nil
}

func (m MainConfig) checkSessions() error {
	if m.SessionLimit < 0 {
		return errors.New("main.session-limit is a number of logins, or 0 for no limit")
	}
	if m.ConnectionsPerAddress < 0 {
		return errors.New("main.connections-per-address is a number of connections, or 0 for no limit")
	}
	if m.ImpersonationMaxAge <= 0 {
		return errors.New("main.impersonation-max-age must be longer than nothing, for example \"1h\"")
	}
	return nil
}

// checkPublicURL accepts nothing but a scheme and a host: paths of this server are put behind it.
func checkPublicURL(text string) error {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && text == u.Scheme+"://"+u.Host {
		return nil
	}
	return fmt.Errorf("main.public-url %q is not where clients reach this head: a scheme and a host, as in https://head.example.org", text)
}

// parsePrefixes reads addresses and CIDR ranges. "*" in the first place means everything, as an empty list does.
func parsePrefixes(list []string) ([]netip.Prefix, error) {
	if len(list) == 0 || list[0] == "*" {
		return nil, nil
	}
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
			continue
		}
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/8", s)
		}
		out = append(out, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return out, nil
}

// outside returns a listen address that others can reach, "" when there is none.
func (m MainConfig) outside() string {
	for _, addr := range []string{m.Addr, m.AlsoAddr} {
		if addr != "" && !access.IsLoopback(addr) {
			return addr
		}
	}
	return ""
}
