package job_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/cluster"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// newPair returns a service over the clusters alpha and beta, which are alike, with a job of the same number on each.
func newPair(t *testing.T) (h *harness, onAlpha, onBeta job.ID) {
	t.Helper()
	h = newHarness(t, func(c *job.Config) {
		var both []*cluster.Cluster
		for _, name := range []string{"alpha", "beta"} {
			parsed, err := cluster.Parse([]byte(strings.Replace(alpha, `"alpha"`, `"`+name+`"`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, parsed)
		}
		var err error
		if c.Clusters, err = cluster.NewRegistry(both...); err != nil {
			t.Fatal(err)
		}
	})
	onAlpha = h.start(t, newJob(7, "n01"))
	later := newJob(7, "n02")
	later.Cluster, later.Start = "beta", start.Add(time.Minute)
	return h, onAlpha, h.start(t, later)
}

func TestJobsOfOtherClustersAreNotThere(t *testing.T) {
	t.Parallel()
	h, onAlpha, onBeta := newPair(t)
	c := api()
	c.Clusters = []string{"alpha"}
	ctx := t.Context()

	jobs, total, err := h.List(ctx, c, job.Filter{})
	if err != nil || total != 1 || jobs[0].ID != onAlpha {
		t.Errorf("the list has %d, %v", total, err)
	}
	if _, total, err := h.List(ctx, c, job.Filter{Clusters: []string{"beta"}}); err != nil || total != 0 {
		t.Errorf("of beta the list has %d, %v", total, err)
	}
	used, err := h.UsedNodes(ctx, c, start.Add(time.Hour))
	if diff := cmp.Diff(map[string][]string{"alpha": {"n01"}}, used); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, unknown := h.Get(ctx, c, 999)
	_, other := h.Get(ctx, c, onBeta)
	if !fault.Is(other, fault.NotFound) || strings.ReplaceAll(fault.Message(unknown), "999", "2") != fault.Message(other) {
		t.Errorf("a job of beta is %v, one that is not there %v", other, unknown)
	}
	for what, err := range map[string]error{
		"data":   second(h.Data(ctx, c, onBeta, job.Selection{})),
		"delete": h.Delete(ctx, c, onBeta),
		"stop":   first(h.Stop(ctx, c, job.StopRequest{ID: onBeta, At: start.Add(time.Hour)})),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestJobsCannotBeStartedNorStoppedOnOtherClusters(t *testing.T) {
	t.Parallel()
	h, onAlpha, onBeta := newPair(t)
	c := api()
	c.Clusters = []string{"alpha", "gone"}
	ctx := t.Context()
	for _, name := range []string{"beta", "nowhere"} {
		j := newJob(8, "n03")
		j.Cluster = name
		if _, err := h.Start(ctx, c, j); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "does not reach") {
			t.Errorf("start on %s: %v", name, err)
		}
		r := job.StopRequest{Key: job.Key{JobID: 7, Cluster: name}, At: start.Add(time.Hour)}
		if _, err := h.Stop(ctx, c, r); !fault.Is(err, fault.Denied) {
			t.Errorf("stop on %s: %v", name, err)
		}
	}
	j := newJob(8, "n03")
	j.Cluster = "gone"
	if _, err := h.Start(ctx, c, j); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "beta") {
		t.Errorf("start on a cluster that is not configured: %v", err)
	}
	// The job on beta is the later one of that number.
	got, err := h.Stop(ctx, c, job.StopRequest{Key: job.Key{JobID: 7}, At: start.Add(time.Hour)})
	if err != nil || got.ID != onAlpha {
		t.Errorf("stopped %d, %v", got.ID, err)
	}
	if j := h.get(t, onBeta); j.State != job.Running {
		t.Errorf("the job on beta is %s", j.State)
	}
	if _, err := h.Stop(ctx, c, job.StopRequest{Key: job.Key{JobID: 9}, At: start}); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func first[T any](_ T, err error) error { return err }

func second[T, U any](_ T, _ U, err error) error { return err }
