package server

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/internal/api/ingest"
	"github.com/bridgehead-hpc/bridgehead/internal/bus"
)

// NATSConfig is the section nats (contract clustercockpit 3.15). The password may be in .env instead, as NATS_PASSWORD, and
// so may a token, as NATS_TOKEN.
type NATSConfig struct {
	// Address is the server, as in nats://bus1:4222 or tls://bus1:4222; several are divided by commas.
	Address string `json:"address"`
	// Username and Password log in.
	Username string `json:"username"`
	Password string `json:"password"`
	// CredsFilePath is a file with NATS credentials.
	CredsFilePath string `json:"creds-file-path"`
	// CAFile (ours) has PEM certificates to trust instead of the system's.
	CAFile string `json:"ca-file"`
	// Clusters (ours) are those that messages may be about; all when it is empty. Messages carry no credentials: whoever may
	// publish on a subject that is listened to is trusted.
	Clusters []string `json:"clusters"`
}

// NATSSubscription is one of metric-store.nats-subscriptions.
type NATSSubscription struct {
	// SubscribeTo is the subject.
	SubscribeTo string `json:"subscribe-to"`
	// ClusterTag is the cluster of lines that name none.
	ClusterTag string `json:"cluster-tag"`
	// QueueGroup (ours) shares the messages with others that name the same group.
	QueueGroup string `json:"queue-group"`
}

// APISubjectsConfig is main.api-subjects: where schedulers publish what they would also post.
type APISubjectsConfig struct {
	// SubjectJobEvent has jobs that start and stop.
	SubjectJobEvent string `json:"subject-job-event"`
	// SubjectNodeState has states of nodes.
	SubjectNodeState string `json:"subject-node-state"`
	// JobConcurrency and NodeConcurrency are how many events are worked off at the same time; those of one job, and of one
	// cluster's nodes, always one after the other.
	JobConcurrency  int `json:"job-concurrency"`
	NodeConcurrency int `json:"node-concurrency"`
	// QueueGroup (ours) shares the messages with others that name the same group.
	QueueGroup string `json:"queue-group"`
}

// maxConcurrency is how many events can be worked off at the same time.
const maxConcurrency = 256

func (c NATSConfig) bus(s Secrets) bus.Config {
	b := bus.Config{
		URL: c.Address, Name: "bridgehead", Username: c.Username, Password: c.Password, Token: s.NATSToken,
		CredsFile: c.CredsFilePath, CAFile: c.CAFile,
	}
	if s.NATSPassword != "" {
		b.Password = s.NATSPassword
	}
	return b
}

func (s NATSSubscription) subscription() ingest.Subscription {
	return ingest.Subscription{Subscription: bus.Subscription{Subject: s.SubscribeTo, Queue: s.QueueGroup}, Cluster: s.ClusterTag}
}

// checkNATS returns what is wrong with the settings about NATS.
func (c Config) checkNATS() error {
	if c.NATS != nil {
		if err := (bus.Config{URL: c.NATS.Address}).Check(); err != nil {
			return fmt.Errorf("nats.address: %w; a name and a password have keys of their own", err)
		}
	}
	for i, s := range c.MetricStore.NATSSubscriptions {
		if err := s.subscription().Check(); err != nil {
			return fmt.Errorf("metric-store.nats-subscriptions[%d].subscribe-to: %w", i, err)
		}
	}
	if a := c.Main.APISubjects; a != nil {
		if err := a.check(); err != nil {
			return fmt.Errorf("main.api-subjects: %w", err)
		}
	}
	return nil
}

func (a APISubjectsConfig) check() error {
	if a.SubjectJobEvent == "" && a.SubjectNodeState == "" {
		return errors.New("neither subject-job-event nor subject-node-state is there")
	}
	for key, subject := range map[string]string{"subject-job-event": a.SubjectJobEvent, "subject-node-state": a.SubjectNodeState} {
		if subject == "" {
			continue
		}
		if err := (bus.Subscription{Subject: subject, Queue: a.QueueGroup}).Check(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if n := max(a.JobConcurrency, a.NodeConcurrency); n > maxConcurrency || min(a.JobConcurrency, a.NodeConcurrency) < 0 {
		return fmt.Errorf("job-concurrency (%d) and node-concurrency (%d) are numbers up to %d", a.JobConcurrency, a.NodeConcurrency, maxConcurrency)
	}
	return nil
}

// natsNotes says what the operator asks for in vain.
func (c Config) natsNotes() []string {
	var wants []string
	if len(c.MetricStore.NATSSubscriptions) > 0 {
		wants = append(wants, "metric-store.nats-subscriptions")
	}
	if c.Main.APISubjects != nil {
		wants = append(wants, "main.api-subjects")
	}
	if c.NATS != nil || len(wants) == 0 {
		return nil
	}
	return []string{strings.Join(wants, " and ") + ": there is no section nats that says where the server is, so nothing is listened to"}
}
