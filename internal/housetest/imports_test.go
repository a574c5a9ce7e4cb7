package housetest_test

import (
	"strings"
	"testing"
)

// floor gives every room its height. A package imports only what is on a lower floor, or on its own floor when the
// second number is smaller: the nouns have an order among themselves.
var floors = []struct {
	room        string
	floor, rank int
}{
	{"internal/fault", 0, 0},
	{"internal/clock", 0, 0},
	{"internal/run", 0, 0},
	{"internal/journal", 0, 1},
	{"internal/hostlist", 0, 0},
	{"internal/decimal", 0, 0},
	{"internal/jsonfile", 0, 0},
	{"internal/seal", 0, 0},
	{"internal/sshsig", 0, 0},
	{"internal/porttest", 0, 0},
	{"internal/benchtest", 0, 0},
	{"internal/metricstore", 0, 1},

	{"internal/audit", 1, 0},
	{"internal/metric", 1, 0},
	{"internal/identity", 1, 1},
	{"internal/cluster", 1, 1},
	{"internal/token", 1, 2},
	{"internal/node", 1, 2},
	{"internal/trail", 1, 2},
	{"internal/job", 1, 2},

	{"internal/store", 2, 0},
	{"internal/archive", 2, 0},
	{"internal/checkpoint", 2, 0},
	{"internal/authn", 2, 0},
	{"internal/remote", 2, 0},
	{"internal/bus", 2, 0},
	{"internal/receiver", 2, 1},

	{"internal/api/access", 3, 1},
	{"internal/api/cockpit", 3, 1},
	{"internal/api/ware", 3, 1},
	{"internal/api/ingest", 3, 1},
	{"internal/api/promql", 3, 1},
	{"internal/api", 3, 0},
	{"internal/netlimit", 3, 0},
	{"web", 3, 0},
	{"internal/webui", 3, 1},
	{"internal/agent", 3, 0},

	{"client", 4, 0},
	{"internal/cli", 4, 1},
	{"internal/sim", 4, 1},
	{"internal/server", 4, 1},
	{"internal/metricserver", 4, 1},
	{"internal/servertest", 4, 2},
	{"internal/housetest", 4, 3},
	{"cmd", 5, 0},
	{"test", 5, 1},
}

func height(local string) (floor, rank int, room string) {
	for _, f := range floors {
		if local == f.room || strings.HasPrefix(local, f.room+"/") {
			return f.floor, f.rank, f.room
		}
	}
	return -1, 0, ""
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range list(t, "./...") {
		floor, rank, room := height(p.local())
		if floor < 0 {
			t.Errorf("%s is in no room of ARCHITECTURE.md; give it a floor here and a line there", p.local())
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if !ours {
				continue
			}
			toFloor, toRank, toRoom := height(to)
			if toRoom == room || toFloor < floor || toFloor == floor && toRank < rank {
				continue
			}
			t.Errorf("%s imports %s, which is not below it", p.local(), to)
		}
	}
}

// Nouns are rules; they know neither how they are stored nor how they are served.
func TestNounsKnowNeitherHTTPNorSQL(t *testing.T) {
	for _, p := range list(t, "./internal/...") {
		floor, _, _ := height(p.local())
		for _, imp := range p.Imports {
			if floor <= 1 && (imp == "net/http" || imp == "database/sql") {
				t.Errorf("%s imports %s", p.local(), imp)
			}
			if floor == 3 && imp == "database/sql" {
				t.Errorf("%s imports %s: doors see services only", p.local(), imp)
			}
		}
	}
}

// What a program must not carry, and why.
var forbidden = map[string]map[string]string{
	"cmd/gen-keypair":        {"net/http": "it prints two keys", "modernc.org/sqlite": "it stores nothing"},
	"cmd/convert-pem-pubkey": {"net/http": "it prints one key", "modernc.org/sqlite": "it stores nothing"},
	"cmd/cc-metric-store":    {"modernc.org/sqlite": "it works from the public key alone", module + "/internal/job": "it knows samples, not jobs", module + "/internal/server": "it is a program of its own"},
	"cmd/cw-adminctl":        {"modernc.org/sqlite": "tools use the interface", module + "/internal/server": "tools use the interface"},
	"cmd/cw-clusterctl":      {"modernc.org/sqlite": "tools use the interface", module + "/internal/server": "tools use the interface"},
	"cmd/cw-nodectl":         {"modernc.org/sqlite": "tools use the interface", module + "/internal/server": "tools use the interface"},
	"cmd/clustersim":         {"modernc.org/sqlite": "it uses the interface, as real collectors do", module + "/internal/server": "it uses the interface"},
}

func TestProgramsCarryOnlyWhatTheyNeed(t *testing.T) {
	for _, p := range list(t, "./cmd/...") {
		for _, dep := range p.Deps {
			if why, no := forbidden[p.local()][dep]; no {
				t.Errorf("%s depends on %s: %s", p.local(), dep, why)
			}
			if strings.Contains(dep, "testing") && dep != "testing/fstest" || strings.HasPrefix(dep, "github.com/rogpeppe") {
				t.Errorf("%s depends on %s, which is for tests", p.local(), dep)
			}
		}
	}
}

// A dialect knows nothing of its siblings: what one wire says is no business of another.
func TestDialectsDoNotKnowEachOther(t *testing.T) {
	for _, p := range list(t, "./internal/api/...") {
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, module+"/internal/api/") && p.local() != strings.TrimPrefix(imp, module+"/") {
				t.Errorf("%s imports %s", p.local(), imp)
			}
		}
	}
}
