package ingest_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

func TestOldClientsWriteInTheirUnits(t *testing.T) {
	t.Parallel()
	for unit, at := range map[string]int64{
		"": now.UnixNano(), "n": now.UnixNano(), "ns": now.UnixNano(), "u": now.UnixMicro(), "us": now.UnixMicro(), "µ": now.UnixMicro(),
		"ms": now.UnixMilli(), "s": now.Unix(), "m": now.Unix() / 60, "h": now.Unix() / 3600,
	} {
		door, db := newInflux(t)
		q := url.Values{"db": {"alpha"}, "rp": {"autogen"}, "consistency": {"all"}, "precision": {unit}}
		w := callAs(t, door, "alpha", "POST", "/write?"+q.Encode(), fmt.Sprintf("mem,host=n01 used=7 %d", at))
		if w.Code != 204 {
			t.Errorf("%q: %d %s", unit, w.Code, w.Body)
			continue
		}
		got := db.Read(nil, metricstore.Window{Cluster: "alpha", Host: "n01", Metric: "mem_used", From: 0, To: now.Unix() + 60}, nil)
		if want := now.Unix() / length(unit) * length(unit); len(got) != 1 || got[0].First < want-5 || got[0].First > want+5 {
			t.Errorf("%q: %+v, and not %d", unit, got, want)
		}
	}
}

// length is that of a unit in seconds, at least one.
func length(unit string) int64 {
	switch unit {
	case "m":
		return 60
	case "h":
		return 3600
	default:
		return 1
	}
}

func TestOldClientsAreAnsweredAsTheyExpect(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf("mem,host=n01 used=1 %d", now.Unix())
	create := func(name string) string { return "q=" + url.QueryEscape("CREATE DATABASE "+name) }
	for name, tt := range map[string]struct {
		method, url, who, body string
		status                 int
		says                   string
	}{
		"some lines are good":  {"POST", "/write?db=alpha&precision=s", "everything", "mem used=1\n" + good, 400, "partial write: 1 samples were stored, 1 lines were not: line 1"},
		"a slash more":         {"POST", "/write/?db=alpha&precision=s", "everything", "mem used=1", 400, "no line was taken"},
		"another unit":         {"POST", "/write?db=alpha&precision=d", "everything", good, 400, "it is ns, us, ms, s, m or h"},
		"no database":          {"POST", "/write?precision=s", "everything", good, 400, "no cluster is named"},
		"another database":     {"POST", "/write?db=beta&precision=s", "everything", good, 400, `unknown cluster "beta"`},
		"not his database":     {"POST", "/write?db=beta&precision=s", "alpha", good, 400, "your token does not reach the cluster"},
		"hours beyond all":     {"POST", "/write?db=alpha&precision=h", "everything", "mem,host=n01 used=1 9223372036854775807", 400, "too far in the future"},
		"nobody":               {"POST", "/write?db=alpha", "", good, 401, "who are you"},
		"a reader":             {"POST", "/write?db=alpha", "MetricsRead", good, 403, "MetricsWrite"},
		"Telegraf begins":      {"POST", "/query", "alpha", create(`"alpha"`), 200, `{"results":[{"statement_id":0}]}`},
		"a script begins":      {"GET", "/query?pretty=true&" + create("alpha;"), "alpha", "", 200, `{"results":[{"statement_id":0}]}`},
		"with a policy":        {"POST", "/query?" + create("alpha") + "%20WITH%20DURATION%207d", "alpha", "", 200, `{"results":[{"statement_id":0}]}`},
		"a database too many":  {"POST", "/query", "everything", create(`"telegraf"`), 200, "there is none called telegraf"},
		"one out of reach":     {"POST", "/query", "alpha", create("beta"), 200, "there is none called beta"},
		"a question":           {"POST", "/query", "everything", "q=SHOW+DATABASES", 400, "only CREATE DATABASE is answered"},
		"no question":          {"GET", "/query", "everything", "", 400, "only CREATE DATABASE is answered"},
		"a form that is none":  {"POST", "/query", "everything", "q=%zz", 400, "the form cannot be read"},
		"a question by nobody": {"POST", "/query", "", create("alpha"), 401, "who are you"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			door, _ := newInflux(t)
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.url, strings.NewReader(tt.body))
			r.Header.Set("X-Test-May", tt.who)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl says, of lines too
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			var got struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err, w.Body)
			}
			says := got.Error
			if tt.status == 200 {
				says = w.Body.String()
			}
			if w.Code != tt.status || !strings.Contains(says, tt.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
