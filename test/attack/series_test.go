package attack_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/servertest"
	"github.com/bridgehead-hpc/bridgehead/internal/sim"
)

// TestAMillionNamesAreBounded has one sender make up as many devices as the head takes of a host, and then some, on host
// after host; in the long form, until there are a million series. What is one too many is refused line by line, what there is costs little, and who was
// there before goes on.
func TestAMillionNamesAreBounded(t *testing.T) {
	hosts := 10
	if os.Getenv("BRIDGEHEAD_FAULTS") == "long" {
		hosts = 50
	}
	const (
		each    = 20_000 // series that a host may have
		tooMany = 1_000
		perName = 1 << 10 // bytes of memory that a series may cost
	)
	h := openHead(t, servertest.WithClusters(sim.NewMachine("sim", 4, time.Minute).Cluster()))
	raw := h.Token(identity.RoleAPI)
	before, now := memory(), clock.System{}.Now().Unix()
	var body strings.Builder
	for host := range hosts {
		body.Reset()
		for id := range each + tooMany {
			_, _ = fmt.Fprintf(&body, "cpu_load,hostname=made-up-%d,type=accelerator,type-id=%d value=1 %d\n", host, id, now)
		}
		r := h.Do(servertest.Call{Method: http.MethodPost, Path: "/api/write/?cluster=sim", Token: raw, Body: body.String(), Type: "text/plain"})
		told := fmt.Sprintf(`{"taken":%d,"dropped":0,"rejected":%d,`, each, tooMany)
		if r.Status != http.StatusOK || !strings.HasPrefix(r.Body, told) || !strings.Contains(r.Body, "as many series as it may have") {
			t.Fatalf("host %d: %d %.300s", host, r.Status, r.Body)
		}
	}
	grown := memory() - before
	t.Logf("%d MB more than before: %d bytes a series", grown>>20, grown/int64(hosts*each))
	if grown > int64(hosts*each*perName) {
		t.Errorf("%d MB for %d series", grown>>20, hosts*each)
	}
	h.wellBehaved(t, raw, 20)
}
