package metricstore_test

import (
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// Fields are known behind the head with which they were remembered, in their order, and behind no other.
func TestFieldsAreFollowedBehindTheirHead(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), metricstore.Options{})
	memo := func(n uint64) metricstore.Memo { return metricstore.Memo{Way: 3, Names: n} }
	cluster, head := []byte("alpha"), []byte("cpu,host=n01")
	names := []string{"cpu_user", "cpu_idle", "cpu_system"}
	round := func(follow func(a *metricstore.Appender, n int) bool) (followed int) {
		a := db.Appender()
		defer a.Close()
		for n, name := range names {
			if follow(a, n) {
				followed++
				if err := a.AppendFollowed(now.Unix(), float64(n)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			l := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: name}.Labels()
			if err := a.Append(&l, 60, now.Unix(), float64(n)); err != nil {
				t.Fatal(err)
			}
			a.RememberField(head, []byte(name[4:]), memo(uint64(n)))
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		return followed
	}
	field := func(a *metricstore.Appender, n int) bool {
		m := a.FollowField([]byte(names[n][4:]))
		if m != nil && *m != memo(uint64(n)) {
			t.Errorf("%s has the memo %+v", names[n], *m)
		}
		return m != nil
	}
	if n := round(field); n != 0 {
		t.Errorf("%d were known at once", n)
	}
	// The first field of a line makes its head known, the others are followed.
	if n := round(field); n != 2 {
		t.Errorf("%d of 2 were followed", n)
	}
	for name, tt := range map[string]struct {
		cluster, head string
		want          int
	}{
		"its head": {"alpha", "cpu,host=n01", 2}, "another head": {"alpha", "cpu,host=n01,x=1", 0}, "another cluster": {"beta", "cpu,host=n01", 0}, "no head": {"alpha", "", 0},
	} {
		got := round(func(a *metricstore.Appender, n int) bool {
			if n == 0 {
				return false
			}
			known := a.FollowLine([]byte(tt.cluster), []byte(tt.head)) != nil
			if known != (tt.want > 0) && n == 1 {
				t.Errorf("%s: known is %v", name, known)
			}
			return known && field(a, n)
		})
		if got != tt.want {
			t.Errorf("%s: %d were followed", name, got)
		}
	}
	round(func(a *metricstore.Appender, n int) bool {
		if n == 1 && a.FollowLine(cluster, head) == nil {
			t.Error("the head is not known")
		}
		a.LeaveLine()
		if n > 0 && (field(a, n) || a.Follow(cluster, head) != nil) {
			t.Error("a head that was left is followed, or taken for one without fields")
		}
		return false
	})
}
