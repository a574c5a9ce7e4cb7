package attack_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// TestWhatBelongsToOnePersonIsNoOtherPersons: two people of the same kind, and each thing of the one asked for by its id
// with the other's credentials. What may not be seen is not said to exist either.
func TestWhatBelongsToOnePersonIsNoOtherPersons(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(start)
	h := &head{Harness: servertest.New(t, servertest.WithClock(clk), servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster())), clock: clk}
	scheduler := h.newUser(t, "scheduler", identity.RoleAPI)
	alice, mallory := h.newUser(t, "alice", identity.RoleUser, identity.RoleAPI), h.newUser(t, "mallory", identity.RoleUser, identity.RoleAPI)
	for i, user := range []string{"alice", "mallory"} {
		body := fmt.Sprintf(`{"jobId":%d,"cluster":"sim","user":%q,"project":"p-%s","numNodes":1,"startTime":%d,"resources":[{"hostname":"n%d"}]}`, 100+i, user, user, start.Unix()-600, i+1)
		want(t, "start job", h.call(http.MethodPost, "/api/jobs/start_job/", scheduler, body), http.StatusCreated)
	}
	for who, raw := range map[string]string{"alice": alice, "mallory": mallory} {
		other := map[string]string{"alice": "mallory", "mallory": "alice"}[who]
		r := h.call(http.MethodGet, "/api/jobs/?items-per-page=100", raw, "")
		if r.Status != http.StatusOK || !strings.Contains(r.Body, `"user":"`+who+`"`) || strings.Contains(r.Body, other) {
			t.Errorf("the jobs that %s sees: %d %s", who, r.Status, r.Body)
		}
	}
	for _, filter := range []string{"user=alice", "user=ali", "project=p-alice", "jobId=100", "cluster=sim&user=alice", "host=n1"} {
		if r := h.call(http.MethodGet, "/api/jobs/?"+filter, mallory, ""); strings.Contains(r.Body, "alice") {
			t.Errorf("mallory asks for %s: %d %s", filter, r.Status, r.Body)
		}
	}
	var list struct{ Jobs []struct{ ID int64 } }
	h.call(http.MethodGet, "/api/jobs/", alice, "").Decode(t, &list)
	if len(list.Jobs) != 1 {
		t.Fatalf("alice has %d jobs", len(list.Jobs))
	}
	job := strconv.FormatInt(list.Jobs[0].ID, 10)
	for what, path := range map[string]string{"job": "/api/jobs/" + job, "job of pages": "/userapi/jobs/metrics/" + job, "job's samples": "/api/jobs/metrics/" + job} {
		own, others := h.call(http.MethodGet, path, alice, ""), h.call(http.MethodGet, path, mallory, "")
		nothing := h.call(http.MethodGet, strings.Replace(path, job, "424242", 1), mallory, "")
		if own.Status >= 500 || anonymous(own) == anonymous(others) || strings.ReplaceAll(anonymous(others), job, "N") != strings.ReplaceAll(anonymous(nothing), "424242", "N") || others.Status != nothing.Status {
			t.Errorf("%s: its owner gets %d, another %d %s, and for one that is not there %d %s", what, own.Status, others.Status, others.Body, nothing.Status, nothing.Body)
		}
	}
}

// TestTokensAndAccountsAreTheirOwners does the same with tokens, and with accounts.
func TestTokensAndAccountsAreTheirOwners(t *testing.T) {
	t.Parallel()
	h := newHead(t)
	alice, mallory := h.newUser(t, "alice", identity.RoleUser), h.newUser(t, "mallory", identity.RoleUser)
	m := h.Mint(token.MintRequest{For: "alice", Name: "her-script", Purpose: "secret purpose"})
	if r := h.call(http.MethodGet, "/api/v1/tokens", alice, ""); !strings.Contains(r.Body, m.ID) {
		t.Fatalf("alice does not see her token: %d %s", r.Status, r.Body)
	}
	for what, r := range map[string]servertest.Reply{
		"list": h.call(http.MethodGet, "/api/v1/tokens", mallory, ""), "list of hers": h.call(http.MethodGet, "/api/v1/tokens?user=alice", mallory, ""),
		"one": h.call(http.MethodGet, "/api/v1/token/"+m.ID, mallory, ""),
	} {
		if strings.Contains(r.Body, "her-script") || strings.Contains(r.Body, "secret purpose") || what == "one" && r.Status < 400 {
			t.Errorf("mallory sees alice's token in the %s: %d %s", what, r.Status, r.Body)
		}
	}
	nothing := h.call(http.MethodDelete, "/api/v1/token/"+strings.Repeat("0", 32), mallory, "")
	r := h.call(http.MethodDelete, "/api/v1/token/"+m.ID, mallory, "")
	if r.Status != nothing.Status || r.Status < 400 || strings.ReplaceAll(anonymous(r), m.ID, "") != strings.ReplaceAll(anonymous(nothing), strings.Repeat("0", 32), "") {
		t.Errorf("mallory revokes alice's token: %d %s; one that is not there: %d %s", r.Status, r.Body, nothing.Status, nothing.Body)
	}
	want(t, "alice's token afterwards", h.whoami(m.Text), http.StatusOK)

	own := h.call(http.MethodGet, "/api/v1/admin/mallory", mallory, "")
	want(t, "mallory's own account", own, http.StatusOK)
	existing, missing := h.call(http.MethodGet, "/api/v1/admin/alice", mallory, ""), h.call(http.MethodGet, "/api/v1/admin/nobody", mallory, "")
	if existing.Status != http.StatusForbidden || existing.Status != missing.Status || strings.ReplaceAll(anonymous(existing), "alice", "X") != strings.ReplaceAll(anonymous(missing), "nobody", "X") {
		t.Errorf("alice's account: %d %s; one that is not there: %d %s", existing.Status, existing.Body, missing.Status, missing.Body)
	}
	for _, body := range []string{`{"password":"another password"}`, `{"full_name":"x"}`, `{"keys":[]}`} {
		if r := h.call(http.MethodPatch, "/api/v1/admin/alice", mallory, body); r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
			t.Errorf("mallory changes alice's account by %s: %d %s", body, r.Status, r.Body)
		}
	}
	want(t, "mallory acts as alice", h.actAs(mallory, "alice"), http.StatusForbidden)
}
