package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The steps of a snapshot begin when it was begun, not when the collector measures. The log tells when that is, so that what
// was and what comes fall into the same steps.
func TestSnapshotsAreBroughtToTheBeatOfTheLog(t *testing.T) {
	t.Parallel()
	const beat = now - 6000 // and every minute
	for late := int64(-29); late <= 30; late++ {
		dir := t.TempDir()
		lay(t, dir, map[string][]byte{
			fmt.Sprintf("alpha/n01/%d.bin", beat):     snapshot(beat, now, one("cpu_load", 60, beat+late, 1, 2, 3)),
			fmt.Sprintf("alpha/n01/%d.json", beat+60): fmt.Appendf(nil, `{"from":1,"to":2,"metrics":{"cpu_load":{"frequency":60,"start":%d,"data":[4]}},"children":{}}`, beat+181-late),
			"alpha/n01/current.wal":                   log(record(beat+240, 5, "cpu_load"), record(beat+301, 6, "cpu_load"), record(beat+359, 7, "cpu_load")),
		})
		db := newStore(t)
		importDir(t, db, dir)
		want := []string{fmt.Sprint("n01 cpu_load ::: 60 ", beat-now, " [1 2 3 4 5 6 7]")}
		if diff := cmp.Diff(want, contents(db, "n01")); diff != "" {
			t.Fatalf("late by %d: %s", late, diff)
		}
	}
}
