package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/netlimit"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// Config is config.json: the sections and keys of contract clustercockpit 5.2, and ours, which are marked. A key that is
// absent keeps the value of DefaultConfig.
type Config struct {
	Main        MainConfig        `json:"main"`
	Auth        AuthConfig        `json:"auth"`
	Archive     ArchiveConfig     `json:"archive"`
	MetricStore MetricStoreConfig `json:"metric-store"`
	Audit       AuditConfig       `json:"audit"`
	NATS        *NATSConfig       `json:"nats"`
	Prometheus  PrometheusConfig  `json:"prometheus"`
}

// MainConfig is the section main.
type MainConfig struct {
	// Addr is the listen address.
	Addr string `json:"addr"`
	// AlsoAddr (ours) is a second listen address, such as ":80", where scripts expect the API of ClusterWare.
	AlsoAddr string `json:"also-addr"`
	// AuthSocket (ours) is the path of the local socket; "none" switches it off.
	AuthSocket string `json:"auth-socket"`
	// APIAllowedIPs are addresses or CIDR ranges from which tokens are accepted below /api, and at the
	// /write and /query of InfluxDB 1; empty or "*" is everywhere.
	APIAllowedIPs []string `json:"api-allowed-ips"`
	// TrustedProxies (ours) are the peers whose forwarding headers are believed.
	TrustedProxies []string `json:"trusted-proxies"`
	// ConnectionsPerAddress (ours) is how many connections an address may have open at once, trusted-proxies excepted; 0 is
	// no limit.
	ConnectionsPerAddress int `json:"connections-per-address"`
	// DisableAuthentication lets everybody do everything. It is refused on a non-loopback address.
	DisableAuthentication bool `json:"disable-authentication"`
	// DB is the path of the SQLite database.
	DB string `json:"db"`
	// SessionMaxAge is how long a browser login lasts at most.
	SessionMaxAge Duration `json:"session-max-age"`
	// SessionIdle (ours) is how long a browser login lasts without use.
	SessionIdle Duration `json:"session-idle"`
	// SessionLimit (ours) is how many browser logins a user may have at once; one more ends the one that was not used for
	// longest. 0 is no limit.
	SessionLimit int `json:"session-limit"`
	// ImpersonationMaxAge (ours) is how long somebody may act as another user in the browser before he has to log in again.
	ImpersonationMaxAge Duration `json:"impersonation-max-age"`
	// PublicURL (ours) is where clients reach this head, as in https://head.example.org. OAuth metadata and the status
	// list of tokens name it.
	PublicURL string `json:"public-url"`
	// HTTPSCertFile and HTTPSKeyFile switch on TLS.
	HTTPSCertFile string `json:"https-cert-file"`
	HTTPSKeyFile  string `json:"https-key-file"`
	// APISubjects are where schedulers publish events on the server of section nats.
	APISubjects *APISubjectsConfig `json:"api-subjects"`
	// Resampling is how plots are thinned out.
	Resampling ResamplingConfig `json:"resampling"`
	// NamingPattern (ours) makes the names of nodes from their index.
	NamingPattern string `json:"naming-pattern"`
}

// AuthConfig is the section auth.
type AuthConfig struct {
	JWTs JWTConfig `json:"jwts"`
	// Tokens (ours) is how long tokens live.
	Tokens TokensConfig `json:"tokens"`
	LDAP   *LDAPConfig  `json:"ldap"`
	OIDC   *OIDCConfig  `json:"oidc"`
	// TOTP (ours) is who needs one-time codes.
	TOTP TOTPConfig `json:"totp"`
	Exec ExecConfig `json:"exec"`
}

// JWTConfig is auth.jwts.
type JWTConfig struct {
	// MaxAge is the longest life of a token, and what -jwt gives one.
	MaxAge Duration `json:"max-age"`
	// ValidateUser is always on for tokens: rights come from the database at every request. For logins with a token of
	// another site it asks for an account that exists, and admits accounts with a local password as well.
	ValidateUser bool `json:"validate-user"`
	// CookieName is the cookie that brings a token of another site for a login.
	CookieName string `json:"cookie-name"`
	// TrustedIssuer is whose tokens CROSS_LOGIN_JWT_PUBLIC_KEY verifies.
	TrustedIssuer string `json:"trusted-issuer"`
	// SyncUserOnLogin makes an account for who logs in with such a token and has none; UpdateUserOnLogin brings one up to
	// date.
	SyncUserOnLogin   bool `json:"sync-user-on-login"`
	UpdateUserOnLogin bool `json:"update-user-on-login"`
	// TrustedRoles (ours) are the roles that tokens of other sites may give; user and manager where nothing is said.
	TrustedRoles []string `json:"trusted-roles"`
	// AllowUnexpiring (ours) accepts foreign tokens without exp while a site migrates. It warns at every start.
	AllowUnexpiring bool `json:"allow-unexpiring"`
	// StatusTTL (ours) is how long others may keep the list of revoked tokens before they ask for it again.
	StatusTTL Duration `json:"status-ttl"`
}

// ArchiveConfig is the section archive.
type ArchiveConfig struct {
	// Kind is "file".
	Kind string `json:"kind"`
	// Path is the root of the job archive.
	Path string `json:"path"`
	// Grace (ours) is how long the archiver waits after a job's end for its last samples. Collectors send in batches.
	Grace Duration `json:"grace"`
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
	// SyncInterval (ours) is how long an acknowledged sample may be lost to a power cut; none is lost to a crash. With 0 none
	// is lost to a power cut either, and every write waits for the disk.
	SyncInterval Duration `json:"sync-interval"`
	// NATSSubscriptions are the subjects on which samples come from the server of section nats.
	NATSSubscriptions []NATSSubscription `json:"nats-subscriptions"`
	// NumWorkers is accepted for compatibility.
	NumWorkers int `json:"num-workers"`
	// Cleanup says what becomes of samples beyond the retention.
	Cleanup CleanupConfig `json:"cleanup"`
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

// MarshalText writes a duration as people do, without the parts that are zero: "168h", not "168h0m0s".
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return []byte(text), nil
}

// DefaultConfig is the configuration of a file that says nothing.
func DefaultConfig() Config {
	return Config{
		Main: MainConfig{
			Addr: "localhost:8080", DB: "./var/job.db", AuthSocket: "./var/auth.sock",
			SessionMaxAge: Duration(168 * time.Hour), SessionIdle: Duration(24 * time.Hour), NamingPattern: "n{}",
			SessionLimit: 20, ConnectionsPerAddress: netlimit.DefaultPerAddress, ImpersonationMaxAge: Duration(time.Hour),
		},
		Auth:    AuthConfig{Tokens: defaultTokens(), JWTs: JWTConfig{MaxAge: Duration(2000 * time.Hour), StatusTTL: Duration(token.DefaultStatusTTL)}},
		Archive: ArchiveConfig{Kind: "file", Path: "./var/job-archive", Grace: Duration(10 * time.Second)},
		MetricStore: MetricStoreConfig{
			RetentionInMemory: Duration(48 * time.Hour), CheckpointInterval: Duration(12 * time.Hour),
			Checkpoints: CheckpointsConfig{Directory: "./var/checkpoints"}, SyncInterval: Duration(time.Second),
		},
	}
}
