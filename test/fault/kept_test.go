package fault_test

import (
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/archive"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
	"github.com/bridgehead-hpc/bridgehead/test/program"
)

// checkFolder looks into the folder of a head that does not run: all records are there, and all samples that were
// acknowledged more than window before.
func checkFolder(t *testing.T, c *client, k knowledge, dir string, window time.Duration, what string) (archived int) {
	t.Helper()
	got := checkDatabase(t, filepath.Join(dir, "var/job.db"), k.entries(), what)
	checkArchive(t, filepath.Join(dir, "var/job-archive"), got.archived, what)
	db, err := metricstore.Open(filepath.Join(dir, "var/checkpoints"), metricstore.Options{})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return len(got.archived)
	}
	defer db.Close()
	if r := db.Recovered(); len(r.Damage) > 0 {
		t.Errorf("%s: samples are damaged: %v", what, r.Damage)
	}
	read := map[int][]float64{}
	for h := range hosts {
		w := metricstore.Window{Cluster: cluster, Host: fmt.Sprintf("n%d", h), Metric: "cpu_load", From: c.start, To: c.start + slots*slotStep}
		read[h] = make([]float64, slots)
		for i := range read[h] {
			read[h][i] = math.NaN()
		}
		for _, s := range db.Read(nil, w, nil) {
			for i, v := range s.Values {
				read[h][(s.First-c.start)/slotStep+int64(i)] = v
			}
		}
	}
	checkKnown(t, k, read, window, what)
	return len(got.archived)
}

// checkKnown fails unless each slot of each host holds what the last batch that had to be there has written, or what one
// behind it has.
func checkKnown(t *testing.T, k knowledge, read map[int][]float64, window time.Duration, what string) {
	t.Helper()
	gone, wrong := 0, 0
	for h := range hosts {
		for slot := range slots {
			allowed, must := []float64{math.NaN()}, false
			for n := slot; n < len(k.batches)+1; n += slots { // one more may be under way
				if n < len(k.batches) && !k.batches[n].IsZero() && k.at.Sub(k.batches[n]) > window {
					allowed, must = nil, true
				}
				allowed = append(allowed, sampleOf(n, h))
			}
			got, fits := read[h][slot], false
			for _, v := range allowed {
				fits = fits || sameBits(v, got)
			}
			switch {
			case fits:
			case must && math.IsNaN(got):
				gone++
			default:
				wrong++
			}
		}
	}
	if gone+wrong > 0 {
		t.Errorf("%s: %d acknowledged samples are gone and %d are wrong", what, gone, wrong)
	}
}

// checkHead asks a head that runs: tokens that were made are accepted, those that were revoked are not, users log in, sessions
// go on, and the trail is whole. Of each kind the newest are looked at.
func checkHead(t *testing.T, h *program.Head, c *client, k knowledge, newest int, what string) {
	t.Helper()
	revoked, looked := map[string]bool{}, map[string]int{}
	for _, a := range k.done {
		if a.kind == "revoke" {
			revoked[a.id] = true
		}
	}
	expect := func(what2 string, header http.Header, want int) {
		t.Helper()
		status, _, text := h.Do(program.Request{Method: http.MethodGet, Path: "/api/v1/whoami", Header: header})
		if status != want {
			t.Errorf("%s: %s: %d %s", what, what2, status, text)
		}
	}
	for i := len(k.done) - 1; i >= 0; i-- {
		a := k.done[i]
		if looked[a.kind]++; looked[a.kind] > newest {
			continue
		}
		switch a.kind {
		case "token":
			want := http.StatusOK
			if revoked[a.id] {
				want = http.StatusUnauthorized
			} else if k.inFlight(i) {
				continue // its revocation may have been under way
			}
			expect("token "+a.id, program.Bearer(a.secret), want)
		case "revoke":
			expect("revoked token "+a.id, program.Bearer(a.secret), http.StatusUnauthorized)
		case "login":
			expect("session of "+a.id, http.Header{"Cookie": {a.secret}}, http.StatusOK)
		case "user":
			if a.secret != "" {
				if _, err := c.login(t.Context(), a.id, a.secret); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
	}
	status, _, text := h.Do(program.Request{Method: http.MethodGet, Path: "/api/v1/audit/verify", Header: program.Bearer(c.token)})
	if status != http.StatusOK {
		t.Errorf("%s: the trail: %d %s", what, status, text)
	}
}

// inFlight reports whether done[i] was the last thing known to be acknowledged.
func (k knowledge) inFlight(i int) bool { return i == len(k.done)-1 }

// checkArchive fails unless the archive has every job of which the database says so, with its data.
func checkArchive(t *testing.T, dir string, jobs []job.Job, what string) {
	t.Helper()
	a, err := archive.OpenDir(dir, archive.Options{})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer a.Close()
	for _, j := range jobs {
		_, err := a.ReadJob(job.Key{JobID: j.JobID, Cluster: j.Cluster, Start: j.Start})
		if err == nil {
			_, err = a.ReadData(t.Context(), j)
		}
		if err != nil {
			t.Errorf("%s: job %d is not in the archive: %v", what, j.JobID, err)
		}
	}
}
