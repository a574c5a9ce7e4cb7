package fault_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// syncWindow is how old an acknowledged sample may be and be lost to a power cut, on a disk that takes that long to sync:
// the interval of syncing, and what it takes to sync all logs, with some room for a machine that does other things as well.
func syncWindow(slowest time.Duration) time.Duration {
	return time.Second + 300*time.Millisecond + 4*slowest
}

// powerCut is a disk as it was in one instant, and what had been acknowledged before.
type powerCut struct {
	image   string
	known   knowledge
	control int // lines of the file that nobody syncs
	window  time.Duration
}

// A power cut costs no record that was acknowledged, and no sample that was acknowledged more than a sync interval before.
func TestPowerCutLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	needRoot(t)
	d := newDisk(t)
	h := newHead(t, programs(t), d.dir)
	c := newClient(t, h)
	tool(t, "sync", "-f", d.dir)
	h.Start()
	cuts := takeCuts(t, d, c, pick(8, 200))
	h.Stop(syscall.SIGKILL)
	lost := 0
	for i, p := range cuts {
		if checkCut(t, h, c, p, i, i%pick(4, 25) == 0) {
			lost++
		}
	}
	last := cuts[len(cuts)-1].known
	t.Logf("%d power cuts; %d records and %d batches acknowledged before the last; a file that nobody synced lost lines in %d of them",
		len(cuts), len(last.done), len(last.batches), lost)
	if lost == 0 {
		t.Error("no cut has cost the file that nobody syncs anything: they prove nothing")
	}
}

// What -init has said is there survives as well: nobody gets those keys back.
func TestPowerCutAfterInitLosesNoKey(t *testing.T) {
	t.Parallel()
	needRoot(t)
	d := newDisk(t)
	h := program.Head{T: t, Bin: programs(t), Dir: d.dir}
	h.Run("", "cc-backend", "-init")
	image, err := d.cut()
	must(t, err)
	dir := t.TempDir()
	defer mount(t, image, dir, "loop")()
	for _, name := range []string{".env", "config.json"} {
		want, err := os.ReadFile(filepath.Join(d.dir, name))
		must(t, err)
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s: %d of %d bytes, %v", name, len(got), len(want), err)
		}
	}
	if _, err := readDatabase(t.Context(), filepath.Join(dir, "var/job.db")); err != nil {
		t.Error(err)
	}
}

// takeCuts lets the client work and cuts the power again and again.
func takeCuts(t *testing.T, d *disk, c *client, n int) (cuts []powerCut) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { c.run(ctx) })
	ctl, speed := &control{}, &prober{}
	wg.Go(func() { ctl.run(ctx, d.dir) })
	wg.Go(func() { speed.run(ctx, d.dir) })
	_ = clock.Sleep(ctx, c.wall, 2*time.Second) // so that there are samples that must be there
	for range n {
		_ = clock.Sleep(ctx, c.wall, time.Duration(50+rand.IntN(400))*time.Millisecond)
		p := powerCut{control: ctl.lines(), known: c.known(), window: syncWindow(speed.slowest())}
		var err error
		if p.image, err = d.cut(); err != nil {
			t.Fatal(err)
		}
		cuts = append(cuts, p)
	}
	return cuts
}

// checkCut reports whether the cut has cost anything in the file that nobody syncs.
func checkCut(t *testing.T, h *program.Head, c *client, p powerCut, i int, start bool) (lost bool) {
	t.Helper()
	what := fmt.Sprintf("power cut %d", i+1)
	dir := t.TempDir()
	unmount := mount(t, p.image, dir, "loop,noatime")
	defer func() {
		unmount()
		if err := os.Remove(p.image); err != nil {
			t.Error(err)
		}
	}()
	text, _ := os.ReadFile(filepath.Join(dir, controlFile))
	lost = strings.Count(string(text), "\n") < p.control
	if start {
		again := *h
		again.Dir, again.T = dir, t
		again.Start()
		checkHead(t, &again, c, p.known, pick(10, 50), what)
		again.Stop(syscall.SIGKILL)
	}
	if n := checkFolder(t, c, p.known, dir, p.window, what); i%25 == 7 {
		t.Logf("%s: %d jobs are archived; samples older than %s have to be there", what, n, p.window)
	}
	return lost
}

const controlFile = "control"

// control writes lines to a file and does not sync it: what an ordinary program loses to the same cuts.
type control struct {
	mu sync.Mutex
	n  int
}

func (c *control) lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *control) run(ctx context.Context, dir string) {
	f, err := os.Create(filepath.Join(dir, controlFile))
	if err != nil {
		return
	}
	defer f.Close()
	for clock.Sleep(ctx, clock.System{}, 5*time.Millisecond) == nil {
		c.mu.Lock()
		c.n++
		_, err := f.WriteString(strconv.Itoa(c.n) + "\n")
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// prober syncs a file again and again: how long this disk takes for that.
type prober struct {
	mu   sync.Mutex
	took []time.Duration
	open time.Time // when the sync has begun that is under way
}

// slowest returns the longest time that any of the last syncs has taken.
func (p *prober) slowest() (longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wall clock.System
	if !p.open.IsZero() {
		longest = wall.Now().Sub(p.open)
	}
	for _, d := range p.took[max(0, len(p.took)-40):] {
		longest = max(longest, d)
	}
	return longest
}

func (p *prober) run(ctx context.Context, dir string) {
	f, err := os.Create(filepath.Join(dir, "prober"))
	if err != nil {
		return
	}
	defer f.Close()
	var wall clock.System
	for clock.Sleep(ctx, wall, 50*time.Millisecond) == nil {
		began := wall.Now()
		p.mu.Lock()
		p.open = began
		p.mu.Unlock()
		_, err := f.WriteString("x")
		err = errors.Join(err, f.Sync())
		p.mu.Lock()
		p.open, p.took = time.Time{}, append(p.took, wall.Now().Sub(began))
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}
