package server

import (
	"errors"
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/receiver"
)

// AuditConfig is the section audit (ours): where the audit trail is passed on to. It is in the database in any case.
type AuditConfig struct {
	// Path is ClusterWare's spelling of file.path.
	Path string `json:"path"`
	// File appends the records to a file.
	File AuditFileConfig `json:"file"`
	// Syslog sends the records to a log daemon or log server.
	Syslog *AuditSyslogConfig `json:"syslog"`
	// NATS publishes the records.
	NATS *AuditNATSConfig `json:"nats"`
}

// AuditFileConfig is audit.file.
type AuditFileConfig struct {
	// Path is a file that gets a line of JSON for each record; logrotate may move it away.
	Path string `json:"path"`
}

// AuditSyslogConfig is audit.syslog.
type AuditSyslogConfig struct {
	// Network is "unix" (this machine's daemon, the default), "udp" or "tcp".
	Network string `json:"network"`
	// Addr is host and port, or a socket's path, /dev/log by default.
	Addr string `json:"addr"`
	// Facility is a name such as "authpriv", the default, or "local0".
	Facility string `json:"facility"`
	// Tag is the program's name in the messages, "bridgehead" by default.
	Tag string `json:"tag"`
}

// AuditNATSConfig is audit.nats. A password or a token is in .env: AUDIT_NATS_PASSWORD, AUDIT_NATS_TOKEN.
type AuditNATSConfig struct {
	// URL is the server, as in nats://bus1:4222.
	URL string `json:"url"`
	// Subject is where the records are published.
	Subject string `json:"subject"`
	// Username logs in with the password in .env.
	Username string `json:"username"`
	// CredsFile is a file with NATS credentials.
	CredsFile string `json:"creds-file"`
	// CAFile has PEM certificates to trust.
	CAFile string `json:"ca-file"`
	// Stream waits until a JetStream stream keeps each record.
	Stream bool `json:"stream"`
}

// path returns where the file is, "" for none.
func (a AuditConfig) path() string {
	if a.File.Path != "" {
		return a.File.Path
	}
	return a.Path
}

func (a AuditConfig) check() error {
	if a.Path != "" && a.File.Path != "" && a.Path != a.File.Path {
		return errors.New("audit.path and audit.file.path are the same thing and contradict each other")
	}
	if c := a.Syslog; c != nil {
		if _, err := receiver.NewSyslog(c.receiver("", nil)); err != nil {
			return fmt.Errorf("audit.syslog: %w", err)
		}
	}
	if c := a.NATS; c != nil {
		if err := (bus.Config{URL: c.URL}).Check(); err != nil {
			return fmt.Errorf("audit.nats.url: %w; a password goes into .env as AUDIT_NATS_PASSWORD", err)
		}
		if err := bus.CheckSubject(c.Subject); err != nil {
			return fmt.Errorf("audit.nats.subject: %w", err)
		}
	}
	return nil
}
