package server

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/api/access"
	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/api/ware"
	"github.com/bridgehead-hpc/bridgehead/internal/webui"
	"github.com/bridgehead-hpc/bridgehead/web"
)

// openDoors builds the dialects over the services and puts them into one handler.
func (s *Server) openDoors() error {
	if err := s.openGate(); err != nil {
		return err
	}
	files, err := web.Files()
	if err != nil {
		return fmt.Errorf("open web interface: %w", err)
	}
	pages, err := webui.New(files)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find out this head's name: %w", err)
	}
	cockpitDoor, err := cockpit.New(cockpit.Config{
		Jobs: s.jobs, Users: s.users, Clusters: s.clusters, Nodes: s.nodes, Tokens: s.tokens, Version: version, Log: s.log,
		TokenLifetime: time.Duration(s.config.Auth.JWTs.MaxAge),
	})
	if err != nil {
		return err
	}
	wareDoor, err := ware.New(ware.Config{
		Users: s.users, Logins: s.logins.service, SSH: s.logins.keys, Factors: s.logins.factors, SingleSignOn: s.logins.label, Tokens: s.tokens, Keys: s.signing, Sessions: s.sessions, Audit: s.trail, Nodes: s.nodes, Clock: s.clock, Log: s.log, Head: host, Version: version,
		Clusters: s.clusterNames, ClientAddr: s.gate.ClientAddr, RequestID: access.RequestID,
	})
	if err != nil {
		return err
	}
	accessDoor := access.New(access.Config{
		Gate: s.gate, Logins: s.logins.service, SingleSignOn: s.logins.provider, CrossLogins: s.logins.cross, CrossCookie: s.config.Auth.JWTs.CookieName, Sessions: s.sessions, Page: pages, OAuth: s.tokens, JWKS: s.signing.Ring().JWKS, Status: s.tokens, Clock: s.clock, Log: s.log,
		PublicURL: s.config.Main.PublicURL, Head: host,
	})
	ingestDoor := ingest.New(ingest.Config{Metrics: s.samples, Log: s.log, Freeing: s.recordFree})
	influxDoor := ingest.NewInflux(s.samples, s.log)
	promqlDoor := promql.New(promql.Config{Metrics: s.samples, Clock: s.clock, Log: s.log, Limits: s.config.Prometheus.limits()})
	for at, d := range map[string]*api.Dialect{"/access": accessDoor, "/metricstore": ingestDoor, "/influx": influxDoor, "/prometheus": promqlDoor} {
		if err := d.Documented(at+"/openapi.json", at+"/docs"); err != nil {
			return err
		}
	}
	s.dialects = []*api.Dialect{cockpitDoor, wareDoor, accessDoor, ingestDoor, influxDoor, promqlDoor, s.statusDialect()}
	for _, d := range s.dialects {
		if err := d.Check(); err != nil {
			return fmt.Errorf("routes of %s: %w", d.Name, err)
		}
	}
	s.refused = newRefusals(s.store.Audit(), s.clock, s.log, s.gate)
	s.handler, err = s.stack(pages)
	return err
}

func (s *Server) openGate() error {
	proxies, err := parsePrefixes(s.config.Main.TrustedProxies)
	if err != nil {
		return fmt.Errorf("main.trusted-proxies: %w", err)
	}
	allowed, err := parsePrefixes(s.config.Main.APIAllowedIPs)
	if err != nil {
		return fmt.Errorf("main.api-allowed-ips: %w", err)
	}
	s.gate = &access.Gate{Tokens: s.tokens, Sessions: s.sessions, Users: s.users, Clock: s.clock, Proxies: proxies, APIAllowed: allowed}
	if s.config.Main.DisableAuthentication {
		s.log.Warn("authentication is switched off: everybody who reaches this machine may do everything")
		s.gate.Open = opened()
	}
	return nil
}

func (s *Server) clusterNames() []string {
	var names []string
	for _, c := range s.clusters.List() {
		names = append(names, c.Name)
	}
	return names
}

// stack is what a request passes on its way: id, log, headers, cross-site check, compression, then the dialect that its
// path belongs to, or the pages.
func (s *Server) stack(pages http.Handler) (http.Handler, error) {
	h, err := s.dispatch(pages)
	if err != nil {
		return nil, err
	}
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(5), gzhttp.ContentTypes([]string{"application/json", "text/plain", "text/html", "text/css"}))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	return withRequestID(withLog(withHeaders(crossOrigin().Handler(zip(h))), s.log, s.clock)), nil
}

// dispatch sends a path to the dialect that has a route for it. Paths below /api that nobody has go to the dialect whose
// shape the errors have there; everything else is a page.
func (s *Server) dispatch(pages http.Handler) (http.Handler, error) {
	muxes := map[string]http.Handler{}
	for _, d := range s.dialects {
		muxes[d.Name] = d.Mux(api.Guard{Auth: s.gate, Refused: s.refused.note})
	}
	owners, err := ownersOf(s.dialects)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := api.Canonical(r).URL.Path
		name, owned := owners.find(r.Method, p)
		switch {
		case below(p, "/api/v1"):
			muxes["ware"].ServeHTTP(w, r)
		case p == "/login" && r.Method == http.MethodGet:
			pages.ServeHTTP(w, r)
		case owned:
			muxes[name].ServeHTTP(w, r)
		case below(p, "/api", "/userapi", "/frontend") || strings.HasPrefix(p, "/config/"):
			muxes["cockpit"].ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}), nil
}

// owners says which dialect has a path: by its first words, and where two dialects have the same ones, by the method as
// well.
type owners map[string]string

func ownersOf(dialects []*api.Dialect) (owners, error) {
	o := owners{}
	for _, d := range dialects {
		for _, rt := range d.Routes {
			for _, p := range append([]string{rt.Path}, rt.Aliases...) {
				if err := o.add(d.Name, p, rt.Methods); err != nil {
					return nil, err
				}
			}
		}
	}
	return o, nil
}

func (o owners) add(dialect, path string, methods []string) error {
	words := firstWords(path)
	for _, m := range methods {
		key := m + " " + words
		if other, taken := o[key]; taken && other != dialect {
			return fmt.Errorf("routes: %s and %s both have paths that begin with %s /%s", other, dialect, m, words)
		}
		o[key] = dialect
	}
	if _, taken := o[words]; !taken {
		o[words] = dialect // answers methods that nobody has
	}
	return nil
}

func (o owners) find(method, path string) (dialect string, ok bool) {
	words := firstWords(path)
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if dialect, ok = o[method+" "+words]; !ok {
		dialect, ok = o[words]
	}
	return dialect, ok
}

func below(path string, prefixes ...string) bool {
	for _, p := range prefixes {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

// firstWords is the part of a path by which dialects are told apart: its first two words.
func firstWords(path string) string {
	words := strings.SplitN(strings.Trim(path, "/"), "/", 3)
	return strings.Join(words[:min(len(words), 2)], "/")
}
