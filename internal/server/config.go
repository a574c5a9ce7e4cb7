package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is config.json: the sections and keys of contract clustercockpit 5.2, and ours, which are marked. A key that is
// absent keeps the value of DefaultConfig.
type Config struct {
	Main        MainConfig        `json:"main"`
	Auth        AuthConfig        `json:"auth"`
	Archive     ArchiveConfig     `json:"archive"`
	MetricStore MetricStoreConfig `json:"metric-store"`
}

// MainConfig is the section main.
type MainConfig struct {
	// Addr is the listen address.
	Addr string `json:"addr"`
	// AlsoAddr (ours) is a second listen address, such as ":80", where scripts expect the API of ClusterWare.
	AlsoAddr string `json:"also-addr"`
	// AuthSocket (ours) is the path of the local socket; "none" switches it off.
	AuthSocket string `json:"auth-socket"`
	// APIAllowedIPs are addresses or CIDR ranges from which tokens are accepted below /api; empty or "*" is everywhere.
	APIAllowedIPs []string `json:"api-allowed-ips"`
	// TrustedProxies (ours) are the peers whose forwarding headers are believed.
	TrustedProxies []string `json:"trusted-proxies"`
	// DisableAuthentication lets everybody do everything. It is refused on a non-loopback address.
	DisableAuthentication bool `json:"disable-authentication"`
	// DB is the path of the SQLite database.
	DB string `json:"db"`
	// SessionMaxAge is how long a browser login lasts at most.
	SessionMaxAge Duration `json:"session-max-age"`
	// SessionIdle (ours) is how long a browser login lasts without use.
	SessionIdle Duration `json:"session-idle"`
	// HTTPSCertFile and HTTPSKeyFile switch on TLS.
	HTTPSCertFile string `json:"https-cert-file"`
	HTTPSKeyFile  string `json:"https-key-file"`
	// NamingPattern (ours) makes the names of nodes from their index.
	NamingPattern string `json:"naming-pattern"`
}

// AuthConfig is the section auth.
type AuthConfig struct {
	JWTs JWTConfig `json:"jwts"`
}

// JWTConfig is auth.jwts.
type JWTConfig struct {
	// MaxAge is the longest life of a token, and what -jwt gives one.
	MaxAge Duration `json:"max-age"`
	// ValidateUser is accepted and always on: rights come from the database at every request.
	ValidateUser *bool `json:"validate-user"`
	// AllowUnexpiring (ours) accepts foreign tokens without exp while a site migrates. It warns at every start.
	AllowUnexpiring bool `json:"allow-unexpiring"`
}

// ArchiveConfig is the section archive.
type ArchiveConfig struct {
	// Kind is "file".
	Kind string `json:"kind"`
	// Path is the root of the job archive.
	Path string `json:"path"`
}

// MetricStoreConfig is the section metric-store.
type MetricStoreConfig struct {
	// RetentionInMemory is how long samples stay.
	RetentionInMemory Duration `json:"retention-in-memory"`
	// MemoryCap is how many GB of samples are kept at most; 0 is no limit.
	MemoryCap int `json:"memory-cap"`
	// CheckpointInterval is the time between two checkpoints.
	CheckpointInterval Duration `json:"checkpoint-interval"`
	// Checkpoints says where they are.
	Checkpoints CheckpointsConfig `json:"checkpoints"`
	// SyncInterval (ours) is how long an acknowledged sample may be lost to a power cut; none is lost to a crash.
	SyncInterval Duration `json:"sync-interval"`
	// NumWorkers and Cleanup are accepted for compatibility.
	NumWorkers int             `json:"num-workers"`
	Cleanup    json.RawMessage `json:"cleanup"`
}

// CheckpointsConfig is metric-store.checkpoints.
type CheckpointsConfig struct {
	Directory string `json:"directory"`
	// FileFormat is accepted for compatibility.
	FileFormat string `json:"file-format"`
	// MaxWALSize makes for an earlier checkpoint when the log is larger, in bytes; 0 is one GiB.
	MaxWALSize int64 `json:"max-wal-size"`
}

// Duration is a time.Duration written as Go writes it: "168h", "5m".
type Duration time.Duration

// UnmarshalText parses a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as \"168h\" or \"5m\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// DefaultConfig is the configuration of a file that says nothing.
func DefaultConfig() Config {
	return Config{
		Main: MainConfig{
			Addr: "localhost:8080", DB: "./var/job.db", AuthSocket: "./var/auth.sock",
			SessionMaxAge: Duration(168 * time.Hour), SessionIdle: Duration(24 * time.Hour), NamingPattern: "n{}",
		},
		Auth:    AuthConfig{JWTs: JWTConfig{MaxAge: Duration(2000 * time.Hour)}},
		Archive: ArchiveConfig{Kind: "file", Path: "./var/job-archive"},
		MetricStore: MetricStoreConfig{
			RetentionInMemory: Duration(48 * time.Hour), CheckpointInterval: Duration(12 * time.Hour),
			Checkpoints: CheckpointsConfig{Directory: "./var/checkpoints"}, SyncInterval: Duration(time.Second),
		},
	}
}

// later are sections and keys of a real installation that this version reads without acting on them. Each is named in a
// warning at start, so that nobody believes it to be in force.
var later = []string{
	"auth.ldap", "auth.oidc", "auth.jwts.cookie-name", "auth.jwts.trusted-issuer", "auth.jwts.sync-user-on-login",
	"auth.jwts.update-user-on-login", "archive.compression", "archive.retention", "main.user", "main.group", "main.static-files",
	"main.embed-static-files", "main.validate", "main.redirect-http-to", "main.machine-state-dir", "main.enable-job-taggers",
	"main.stop-jobs-exceeding-walltime", "main.short-running-jobs-duration", "main.emission-constant", "main.systemd-unit",
	"main.resampling", "main.api-subjects", "main.nodestate-retention", "main.db-config", "metric-store.nats-subscriptions",
}

// ignorable are top-level sections without effect here; others are unknown.
var ignorable = []string{"main", "auth", "archive", "metric-store", "cron", "nats", "ui", "metric-store-external"}

// ReadConfig reads path over the defaults. notes names what the file asks for and this version does not do yet. An error
// says which key is wrong and what would be right.
func ReadConfig(path string) (c Config, notes []string, err error) {
	c = DefaultConfig()
	data, err := os.ReadFile(path) //nolint:gosec // the administrator says which file
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil, fmt.Errorf("there is no configuration file %s; cc-backend -init makes one", path)
	}
	if err != nil {
		return c, nil, fmt.Errorf("read configuration: %w", err)
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(data, &sections); err != nil {
		return c, nil, fmt.Errorf("%s is not valid JSON: %s", path, jsonProblem(data, err))
	}
	if _, ok := sections["main"]; !ok {
		if !isFlat(sections) {
			return c, nil, fmt.Errorf("%s has no section \"main\"; cc-backend -init in an empty folder shows how a configuration looks", path)
		}
		if sections, notes, err = fromFlat(sections); err != nil {
			return c, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	more, rest := setAside(sections)
	notes = append(notes, more...)
	for name, into := range map[string]any{"main": &c.Main, "auth": &c.Auth, "archive": &c.Archive, "metric-store": &c.MetricStore} {
		if raw, ok := rest[name]; ok {
			if err := decodeSection(raw, into); err != nil {
				return c, nil, fmt.Errorf("%s, section %q: %w", path, name, err)
			}
		}
	}
	return c, notes, c.validate()
}

// setAside takes the keys that this version does not act on out of the sections, and names them.
func setAside(sections map[string]json.RawMessage) (notes []string, rest map[string]json.RawMessage) {
	rest = map[string]json.RawMessage{}
	for name, raw := range sections {
		if !slices.Contains(ignorable, name) {
			notes = append(notes, "section "+name+" is unknown and ignored")
			continue
		}
		rest[name] = strip(raw, name, &notes)
	}
	for _, name := range []string{"cron", "nats", "ui", "metric-store-external"} {
		if _, ok := rest[name]; ok {
			notes = append(notes, "section "+name+" is not acted on by this version")
		}
	}
	slices.Sort(notes)
	return notes, rest
}

// strip returns the object raw without the members that later names.
func strip(raw json.RawMessage, prefix string, notes *[]string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw // not an object; decoding it will say so
	}
	for key, value := range members {
		path := prefix + "." + key
		switch {
		case slices.Contains(later, path):
			*notes = append(*notes, path+" is not acted on by this version")
			delete(members, key)
		case path == "auth.jwts":
			members[key] = strip(value, path, notes)
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return out
}

func decodeSection(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// jsonProblem says where in data the syntax error is.
func jsonProblem(data []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return "it ends too early"
		}
		return err.Error()
	}
	before := data[:min(int(syntax.Offset), len(data))]
	return fmt.Sprintf("line %d: %s", 1+bytes.Count(before, []byte("\n")), syntax.Error())
}

func (c Config) validate() error {
	if c.Archive.Kind != "file" {
		return fmt.Errorf("archive.kind %q is not supported; \"file\" is", c.Archive.Kind)
	}
	if c.MetricStore.RetentionInMemory <= 0 {
		return errors.New("metric-store.retention-in-memory must be longer than nothing, for example \"48h\"")
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
	return nil
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
		if addr != "" && !loopback(addr) {
			return addr
		}
	}
	return ""
}

// loopback reports whether a listen address can only be reached from this machine.
func loopback(addr string) bool {
	host := addr
	if i := strings.LastIndex(addr, ":"); i >= 0 {
		host = strings.Trim(addr[:i], "[]")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
