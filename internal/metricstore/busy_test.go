package metricstore_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// owner is somebody who writes and frees the samples of one host alone, and so knows what it has, whatever others do to the
// store at the same time.
type owner struct {
	*testing.T
	db     *metricstore.DB
	host   string
	random *rand.Rand
	model  map[string]map[int64]float64 // by device, by minutes before now
}

const (
	ownerDevices = 3
	ownerMinutes = 600
)

func (o *owner) step() {
	switch n := o.random.IntN(10); {
	case n < 6:
		o.write()
	case n < 8:
		o.free([]string{"alpha", o.host, "hwthread" + o.device()}[:2+o.random.IntN(2)], o.random.Int64N(ownerMinutes))
	case n < 9:
		o.free([]string{"alpha", o.host}, -1) // all, so that the host goes and comes again
	}
	o.check()
}

func (o *owner) device() string { return strconv.Itoa(o.random.IntN(ownerDevices)) }

func (o *owner) write() {
	a := o.db.Appender()
	defer a.Close()
	from, n := o.random.Int64N(ownerMinutes), o.random.Int64N(100)
	for minute := from; minute > max(from-n, -1); minute-- {
		for d := range ownerDevices {
			if o.random.IntN(20) == 0 {
				continue
			}
			id, v := strconv.Itoa(d), float64(o.random.IntN(5000))/8
			l := thread(o.host, id).Labels()
			if err := a.Append(&l, 60, now.Unix()-60*minute, v); err != nil {
				o.Error(err)
				return
			}
			if o.model[id] == nil {
				o.model[id] = map[int64]float64{}
			}
			o.model[id][minute] = v
		}
	}
	if err := a.Commit(); err != nil {
		o.Error(err)
	}
}

func (o *owner) free(path []string, minutes int64) {
	if _, err := o.db.Free(path, now.Add(-time.Duration(minutes)*time.Minute)); err != nil {
		o.Error(err)
	}
	for id, samples := range o.model {
		if len(path) == 3 && path[2] != "hwthread"+id {
			continue
		}
		for at := range samples {
			if at > minutes {
				delete(samples, at)
			}
		}
	}
}

// check reads everything back, device by device and taken together.
func (o *owner) check() {
	o.Helper()
	want, got := map[string]float64{}, map[string]float64{}
	sums, counts := map[int64]float64{}, map[int64]float64{}
	for d := range ownerDevices {
		for at, v := range o.model[strconv.Itoa(d)] {
			want[fmt.Sprint(d, " ", at)] = v
			sums[at] += v
			counts[at]++
		}
	}
	w := whole(o.host)
	for _, s := range o.db.Read(nil, w, nil) {
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				got[fmt.Sprint(s.Key.TypeID, " ", (now.Unix()-s.First)/60-int64(i))] = v
			}
		}
	}
	if len(got) != len(want) {
		o.Errorf("%s: %d samples, not %d", o.host, len(got), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			o.Errorf("%s: %s is %v, not %v", o.host, k, got[k], v)
			return
		}
	}
	a := metricstore.Aggregate{SumsOnly: o.random.IntN(2) == 0}
	if !o.db.ReadAggregate(&a, w) {
		return // there are not two devices
	}
	seen := 0
	for i, n := range a.Count {
		if n == 0 {
			continue
		}
		seen++
		at := (now.Unix()-a.First)/60 - int64(i)
		if a.Sum[i] != sums[at] || n != counts[at] {
			o.Errorf("%s, %d minutes ago: %v of %v devices, not %v of %v", o.host, at, a.Sum[i], n, sums[at], counts[at])
			return
		}
	}
	if seen != len(sums) {
		o.Errorf("%s: %d slots, not %d", o.host, seen, len(sums))
	}
}

// Everybody finds what they have written and not freed, and nothing else, while others write and read, and samples move to
// disk, are merged and forgotten.
func TestOwnersFindTheirSamplesWhateverElseHappens(t *testing.T) {
	t.Parallel()
	steps := 60
	if os.Getenv("BRIDGEHEAD_FAULTS") == "long" {
		steps = 3000
	}
	dir := t.TempDir()
	db := open(t, dir, metricstore.Options{Shards: 2})
	db.GatherFrom(2)
	var owners []*owner
	var own, rest sync.WaitGroup
	for i := range 4 {
		o := &owner{t, db, fmt.Sprintf("n%02d", i), rand.New(rand.NewPCG(1, uint64(i))), map[string]map[int64]float64{}}
		owners = append(owners, o)
		own.Go(func() {
			for range steps {
				if o.step(); o.Failed() {
					return
				}
			}
		})
	}
	done := make(chan struct{})
	for _, job := range []func(){
		func() { _ = db.Checkpoint(); _, _ = db.Compact() },
		func() { _ = db.Seal() },
		func() { db.Retain(now.Add(-10 * ownerMinutes * time.Minute)) }, // takes out the series without samples
		func() {
			_ = db.Sync()
			db.Stats()
			db.Clusters()
			db.Hosts("alpha")
			db.Latest("alpha", "n01", "flops_any")
		},
		func() { db.Inspect(nil, func(metricstore.Key, []metricstore.Extent) {}) },
		func() { db.Usage(func(*metricstore.Key, metricstore.Usage) {}) },
		func() { db.Read(nil, whole("n01"), func(k *metricstore.Key) bool { return k.TypeID != "1" }) },
		func() { db.ReadAggregate(&metricstore.Aggregate{SumsOnly: true}, whole("n02")) },
	} {
		rest.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					job()
				}
			}
		})
	}
	own.Wait()
	close(done)
	rest.Wait()
	if err := db.Abandon(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, metricstore.Options{Shards: 3})
	for _, o := range owners {
		o.db = db
		o.check()
	}
	if st := db.Stats(); st.Unreadable > 0 || len(db.Recovered().Damage) > 0 {
		t.Errorf("%+v %+v", st, db.Recovered())
	}
}
