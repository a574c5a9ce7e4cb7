package metricserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

// NATS is a server from which samples come, and on which subjects.
type NATS struct {
	bus.Config
	Subscriptions []ingest.Subscription
	// Clusters are those that messages may write into, nil for all. Messages carry no credentials: whoever may publish on a
	// subject that is listened to is trusted.
	Clusters []string
}

// natsSection is the section nats, and in files of the generations before 1.5 one of its list.
type natsSection struct {
	Address   string `json:"address"`
	Username  string `json:"username"`
	Password  string `json:"password"`
	CredsFile string `json:"creds-file-path"`
	// CAFile and Clusters are ours.
	CAFile        string             `json:"ca-file"`
	Clusters      []string           `json:"clusters"`
	Subscriptions []natsSubscription `json:"subscriptions"` // only in the list
}

type natsSubscription struct {
	SubscribeTo string `json:"subscribe-to"`
	ClusterTag  string `json:"cluster-tag"`
	QueueGroup  string `json:"queue-group"` // ours: shares the messages with others that name the same group
}

// readNATS reads the section nats in either form.
func (c *Config) readNATS(f file, subs []natsSubscription) error {
	var raw json.RawMessage
	if ok, err := f.section("nats", &raw); err != nil || !ok {
		if err == nil && len(subs) > 0 {
			c.note("metric-store.nats-subscriptions: there is no section nats that says where the server is, so nothing is listened to")
		}
		return err
	}
	list := make([]natsSection, 1)
	var into any = &list[0]
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		into = &list
	}
	if err := jsonfile.DecodeStrict(raw, into); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	for i, s := range list {
		s.Subscriptions = append(s.Subscriptions, subs...)
		subs = nil // they belong to the first server, and there is only one where they are given
		if err := c.addNATS(s); err != nil {
			if len(list) > 1 {
				return fmt.Errorf("nats[%d]: %w", i, err)
			}
			return fmt.Errorf("nats: %w", err)
		}
	}
	return nil
}

func (c *Config) addNATS(s natsSection) error {
	n := NATS{Config: bus.Config{
		URL: s.Address, Name: "cc-metric-store", Username: s.Username, Password: s.Password, CredsFile: s.CredsFile, CAFile: s.CAFile,
	}}
	if err := n.Check(); err != nil {
		return fmt.Errorf("address: %w; a name and a password have keys of their own", err)
	}
	if len(s.Clusters) > 0 {
		n.Clusters = s.Clusters
	}
	for _, sub := range s.Subscriptions {
		one := ingest.Subscription{Subscription: bus.Subscription{Subject: sub.SubscribeTo, Queue: sub.QueueGroup}, Cluster: sub.ClusterTag}
		if err := one.Check(); err != nil {
			return fmt.Errorf("subscribe-to: %w", err)
		}
		n.Subscriptions = append(n.Subscriptions, one)
	}
	c.NATS = append(c.NATS, n)
	return nil
}

// useSecrets takes what logs in from the environment: NATS_PASSWORD, for a server with a username, or NATS_TOKEN. With
// several servers it cannot be told whose they are. BACKEND_TOKEN is for main.backend-url.
func (c *Config) useSecrets(getenv func(string) string) error {
	c.BackendToken = getenv("BACKEND_TOKEN")
	password, token := getenv("NATS_PASSWORD"), getenv("NATS_TOKEN")
	if password == "" && token == "" || len(c.NATS) == 0 {
		return nil
	}
	if len(c.NATS) > 1 {
		return errors.New("NATS_PASSWORD and NATS_TOKEN are for one NATS server, and the configuration has several; put a creds-file-path into each section")
	}
	if password != "" {
		c.NATS[0].Password = password
	}
	c.NATS[0].Token = token
	return nil
}
