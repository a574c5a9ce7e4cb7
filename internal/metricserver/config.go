package metricserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api/promql"
	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// Config is what the program needs to know, from whichever generation of file.
type Config struct {
	Addr              string        // to listen on
	CertFile, KeyFile string        // TLS when both are given
	User, Group       string        // whom to become after the address is open
	PublicKey         string        // verifies tokens; without it nobody is asked for one
	HeadURL           string        // where the head is that says which tokens are revoked; "" asks nobody
	StatusInterval    time.Duration // how often it is asked; 0: as often as its list says
	BackendURL        string        // where cc-backend is that says where jobs run; "" asks nobody
	BackendToken      string        // opens it
	Metrics           metric.Catalogue
	Dir               string // where samples are kept
	Retention         time.Duration
	CheckpointEvery   time.Duration // 0: the store's default
	SyncEvery         time.Duration // how much a power cut may cost; 0: the store's default, negative: nothing
	MaxLogBytes       int64         // 0: the store's default
	MemoryCap         int64         // bytes; 0: none
	NATS              []NATS        // where samples come from beside HTTP
	Limits            promql.Limits // of questions in PromQL
	Documentation     bool          // served at /swagger/
	CheckRoles        bool          // a token gives the rights of its roles
	Notes             []string      // what the operator should know
}

// The values where a file says nothing.
const (
	defaultAddr = "localhost:8082"
	defaultDir  = "./var/checkpoints"
)

// ReadConfig reads a configuration file of either generation: that of 1.5 has a section main (contract clustercockpit
// 5.3). An unknown key in a known section is an error; sections that are not ours are left alone.
func ReadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the administrator says which file
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, fmt.Errorf("there is no configuration file %s; name one with -config", path)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := parseConfig(data)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(data []byte) (Config, error) {
	f := file{}
	if err := jsonfile.Decode(data, &f); err != nil {
		return Config{}, err
	}
	maps.DeleteFunc(f, func(_ string, v json.RawMessage) bool { return string(v) == "null" }) // as good as absent
	c := Config{}
	var err error
	if f["main"] != nil || f["main-file"] != nil {
		err = c.fromSections(f)
		c.noteUnknown(f, "main", "metrics", "metric-store", "nats", "prometheus")
	} else {
		err = c.fromFlat(f)
		c.noteUnknown(f, "http-api", "checkpoints", "archive", "retention-in-memory", "metrics", "nats", "jwt-public-key", "prometheus")
	}
	if err == nil {
		err = c.readLimits(f)
	}
	if err != nil {
		return Config{}, err
	}
	return c, c.check()
}

// noteUnknown tells the operator which sections mean nothing here: one may be misspelt.
func (c *Config) noteUnknown(f file, known ...string) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !slices.Contains(known, strings.TrimSuffix(name, "-file")) {
			c.note("section " + name + " is unknown and ignored")
		}
	}
}

// check fills in what is missing and refuses what cannot work.
func (c *Config) check() error {
	c.Addr = cmp.Or(c.Addr, defaultAddr)
	c.Dir = cmp.Or(c.Dir, defaultDir)
	switch {
	case len(c.Metrics) == 0:
		return errors.New(`metrics: no metric is configured; an entry is "cpu_load": {"frequency": 60, "aggregation": null}`)
	case c.Retention <= 0:
		return errors.New(`retention-in-memory is missing; it says how long samples are kept, such as "48h"`)
	case (c.CertFile == "") != (c.KeyFile == ""):
		return errors.New("https-cert-file and https-key-file belong together; only one of them is given")
	}
	if c.BackendURL = strings.TrimSuffix(c.BackendURL, "/"); c.BackendURL != "" && !isOrigin(c.BackendURL) {
		return errors.New(`main: backend-url is not where cc-backend is: a scheme and a host, as in "http://localhost:8080"`)
	}
	return c.checkHead()
}

// isOrigin reports whether a text is a scheme and a host.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && text == u.Scheme+"://"+u.Host
}

func (c *Config) checkHead() error {
	if c.HeadURL == "" {
		if c.StatusInterval != 0 {
			return errors.New("main: status-interval says how often the head is asked, and head-url does not say where it is")
		}
		return nil
	}
	c.HeadURL = strings.TrimSuffix(c.HeadURL, "/")
	if !isOrigin(c.HeadURL) {
		return errors.New(`main: head-url is not where a head node is: a scheme and a host, as in "https://head.example.org"`)
	}
	if c.PublicKey == "" {
		return errors.New("main: head-url needs jwt-public-key, the key by which the head is known")
	}
	if c.StatusInterval != 0 && c.StatusInterval < time.Second {
		return fmt.Errorf("main: status-interval is %s; one second is the shortest", c.StatusInterval)
	}
	return nil
}

// file is a configuration file, section by section.
type file map[string]json.RawMessage

// section reads a section into v, from another file when "<name>-file" names one. It reports whether there is one.
func (f file) section(name string, v any) (bool, error) {
	data, _, err := jsonfile.Section(f, name)
	if err != nil || data == nil {
		return false, err
	}
	if err := jsonfile.DecodeStrict(data, v); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// duration is a Go duration string.
type duration time.Duration

// UnmarshalJSON reads a duration such as "48h".
func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf(`%s is not a duration; one is written like "48h" or "30m"`, data)
	}
	if text == "" {
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is not a duration; one is written like "48h" or "30m"`, text)
	}
	*d = duration(v)
	return nil
}

// metricConfig is an entry of the section metrics.
type metricConfig struct {
	Frequency   int64   `json:"frequency"`
	Aggregation *string `json:"aggregation"`
	Derived     *string `json:"derived"` // ours: how the metric is computed of others
}

func (c *Config) setMetrics(metrics map[string]json.RawMessage) error {
	c.Metrics = metric.Catalogue{}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		var m metricConfig
		if err := jsonfile.DecodeStrict(metrics[name], &m); err != nil {
			return fmt.Errorf("metrics: %s: %w", name, err)
		}
		if m.Frequency < 1 {
			return fmt.Errorf("metrics: %s: frequency is %d; it is the number of seconds between two samples, at least 1", name, m.Frequency)
		}
		config, err := m.parse()
		if err != nil {
			return fmt.Errorf("metrics: %s: %w", name, err)
		}
		c.Metrics[name] = config
	}
	for _, name := range slices.Sorted(maps.Keys(c.Metrics)) {
		if err := c.Metrics.Check(name); err != nil {
			return fmt.Errorf("metrics: %s: derived: %w", name, err)
		}
	}
	return nil
}

func (m metricConfig) parse() (_ metric.Config, err error) {
	c := metric.Config{Frequency: time.Duration(m.Frequency) * time.Second}
	if m.Aggregation != nil {
		if c.Aggregation, err = metric.ParseAggregation(*m.Aggregation); err != nil {
			return c, fmt.Errorf("aggregation: %w, or null", err)
		}
	}
	if m.Derived != nil {
		if c.Derived, err = metric.ParseExpression(*m.Derived); err != nil {
			return c, fmt.Errorf("derived: %w", err)
		}
	}
	return c, nil
}

func (c *Config) note(what string) {
	c.Notes = append(c.Notes, what)
}
