package metric_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestTopAddsUpSeriesInMemoryAndOnDisk(t *testing.T) {
	s, db := newService(t)
	var lines strings.Builder
	for m := range 300 {
		for id := range 3 {
			fmt.Fprintf(&lines, "flops_any,hostname=n01,type=core,type-id=%d value=%d %d\n", id, m, minutesAgo(m).Unix())
		}
	}
	if _, err := s.Write(t.Context(), "alpha", strings.NewReader(lines.String())); err != nil {
		t.Fatal(err)
	}
	put(t, s, "cpu_load,hostname=n01 1 1", "cpu_load,hostname=n02 1 3", "cpu_load,hostname=n02 1 1")
	before := s.Top(t.Context(), nil)
	if before.Total.Series != 5 || before.Total.Slots != 904 || before.Total.Disk != 0 || before.Total.Memory == 0 {
		t.Errorf("%+v", before.Total)
	}
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	after := s.Top(t.Context(), nil)
	if after.Total.Slots != before.Total.Slots || after.Total.Disk == 0 || after.Total.Memory >= before.Total.Memory || after.Total.BytesPerSlot() > 3 {
		t.Errorf("%+v, %v", after.Total, after.Total.BytesPerSlot())
	}
	var names []string
	for _, u := range append(after.Metrics, after.Hosts...) {
		names = append(names, fmt.Sprint(u.Cluster, " ", u.Name, " ", u.Series))
	}
	if diff := cmp.Diff([]string{"alpha flops_any 3", "alpha cpu_load 2", "alpha n01 4", "alpha n02 1"}, names); diff != "" {
		t.Error(diff)
	}
	if some := s.Top(t.Context(), func(_, host string) bool { return host == "n02" }); some.Total.Series != 1 || len(some.Metrics) != 1 {
		t.Errorf("of one host: %+v", some)
	}
	if (metric.Usage{}).BytesPerSlot() != 0 {
		t.Error("nothing takes up something")
	}
}

func TestOnlyTheLastRejectedLinesAreRemembered(t *testing.T) {
	s, _ := newService(t)
	for i := range 60 {
		bad := strings.Repeat("bad\n", i%10+1)
		if _, err := s.WriteFrom(t.Context(), metric.Source{Cluster: "alpha", Name: fmt.Sprint("sender", i)}, strings.NewReader(bad)); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Rejections()
	if len(got) != 100 || got[0].Source != "sender59" || got[0].Line != 5 || got[4].Line != 1 || got[5].Source != "sender58" || got[99].Source != "sender36" || got[0].Time != now {
		t.Errorf("%d: first %+v, last %+v", len(got), got[0], got[len(got)-1])
	}
}
