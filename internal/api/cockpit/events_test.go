package cockpit_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/api/cockpit"
	"github.com/bridgehead-hpc/bridgehead/internal/fault"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
	"github.com/bridgehead-hpc/bridgehead/internal/job"
)

// event is a line as a scheduler's adapter publishes it.
func event(head, body string) string {
	return head + ` event="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(body) + `" 1795459836` + "\n"
}

func startOf(id int, more string) string {
	return event("job,function=start_job,hostname=n01,type=node,type-id=0", fmt.Sprintf(
		`{"jobId":%d,"cluster":"alpha","user":"bob","project":"p1","numNodes":1,"startTime":%d,"resources":[{"hostname":"n01"}]%s}`, id, begin+100, more))
}

func stopOf(id int, state string) string {
	return event("job,function=stop_job,partition=batch", fmt.Sprintf(`{"jobId":%d,"cluster":"alpha","jobState":%q,"stopTime":%d}`, id, state, begin+200))
}

func newEvents(t *testing.T) (*world, *cockpit.Events) {
	t.Helper()
	w := newWorld(t)
	return w, cockpit.NewEvents(cockpit.Config{Jobs: w.jobs, Nodes: w.nodes})
}

func scheduler(clusters ...string) identity.Caller {
	return identity.Bus("alpha.events.job", identity.SetOf(identity.JobsWrite, identity.TagsWrite, identity.NodeStatesWrite, identity.JobsReadAll), clusters)
}

// play does all events of a message and returns what went wrong.
func play(t *testing.T, e *cockpit.Events, c identity.Caller, message string) (errs []string) {
	t.Helper()
	events, err := e.Parse([]byte(message))
	if err != nil {
		errs = append(errs, err.Error())
	}
	for _, ev := range events {
		if err := ev.Do(t.Context(), c); err != nil {
			errs = append(errs, ev.Name+": "+fault.Message(err))
		}
	}
	return errs
}

func TestEventsDoWhatREST(t *testing.T) {
	w, e := newEvents(t)
	tagged := startOf(2001, `,"tags":[{"type":"app","name":"gromacs \"x\" \\ y","scope":"global"}],"metaData":{"jobName":"two\nlines"}`)
	if errs := play(t, e, scheduler("alpha"), tagged+startOf(2002, "")+stopOf(2001, "failed")); errs != nil {
		t.Fatal(errs)
	}
	for id, want := range map[int64]job.State{2001: job.Failed, 2002: job.Running} {
		jobs, _, err := w.jobs.List(t.Context(), scheduler(), job.Filter{JobIDs: []int64{id}})
		if err != nil || len(jobs) != 1 || jobs[0].State != want {
			t.Errorf("%d: %+v, %v", id, jobs, err)
		}
	}
	states := event("nodestate", `{"cluster":"alpha","nodes":[{"hostname":"n01","states":["ALLOCATED"]}]}`)
	if errs := play(t, e, scheduler(), states); errs != nil {
		t.Error(errs)
	}
}

func TestEventsAreCheckedAsRESTDoes(t *testing.T) {
	_, e := newEvents(t)
	for _, c := range []struct{ name, message, want string }{
		{"twice", startOf(1001, ""), "start_job 1001: a job with that jobId"},
		{"unknown", stopOf(99, "completed"), "stop_job 99: "},
		{"ended before", stopOf(1002, "completed"), "stop_job 1002: "},
		{"another cluster", strings.ReplaceAll(startOf(7, ""), "alpha", "beta"), "start_job 7: "},
		{"state", stopOf(1001, "exploded"), "exploded"},
		{"no number", event("job,function=stop_job", `{"stopTime":1}`), "event 1: the field 'jobId' is required"},
		{"no JSON", event("job,function=start_job", `{`), "event 1: the body is not the JSON"},
		{"function", event("job,function=pause", `{}`), `unknown function "pause" of a job`},
		{"measurement", event("cpu_load", `{}`), `unknown event "cpu_load"`},
		{"a sample", "cpu_load,hostname=n01 value=1 1795459836", `event 1: the field event="..." is missing`},
		{"text without end", `job,function=stop_job event="{`, "a text is not ended"},
		{"a host of nobody", event("nodestate", `{"cluster":"alpha","nodes":[{"hostname":"../x"}]}`), `host name "../x" is not valid`},
	} {
		errs := play(t, e, scheduler("alpha"), c.message)
		if len(errs) != 1 || !strings.Contains(errs[0], c.want) {
			t.Errorf("%s: %q, and not %s", c.name, errs, c.want)
		}
	}
	// A subject for jobs reports no nodes, and the other way round.
	jobs := identity.Bus("jobs", identity.SetOf(identity.JobsWrite), nil)
	if errs := play(t, e, jobs, event("nodestate", `{"cluster":"alpha","nodes":[]}`)); len(errs) != 1 || !strings.Contains(errs[0], "NodeStatesWrite") {
		t.Errorf("%q", errs)
	}
	nodes := identity.Bus("nodes", identity.SetOf(identity.NodeStatesWrite), nil)
	if errs := play(t, e, nodes, startOf(2003, "")); len(errs) != 1 || !strings.Contains(errs[0], "JobsWrite") {
		t.Errorf("%q", errs)
	}
}

func TestWrongEventsDoNotStopTheOthers(t *testing.T) {
	_, e := newEvents(t)
	events, err := e.Parse([]byte(event("job,function=pause", `{}`) + startOf(1, "") + "\r\n\n" + event("x", "{}") + stopOf(1, "completed") + `job,function event="x"`))
	if err == nil || len(events) != 2 || events[0].Order != events[1].Order {
		t.Errorf("%+v, %v", events, err)
	}
	for _, want := range []string{"event 1: ", "event 3: ", `event 5: tag "function" has no value`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, and not %s", err, want)
		}
	}
}

func FuzzParseEvents(f *testing.F) {
	f.Add(startOf(1, "") + stopOf(1, "completed"))
	f.Add(event("nodestate", `{"cluster":"alpha","nodes":[]}`))
	f.Add(`job,function=stop_job a=1i,event="{\"jobId\":1}",b="x" `)
	e := cockpit.NewEvents(cockpit.Config{})
	f.Fuzz(func(t *testing.T, message string) {
		events, err := e.Parse([]byte(message))
		if err == nil && strings.TrimSpace(message) != "" && len(events) == 0 {
			t.Errorf("%q is nothing", message)
		}
		if len(events) > len(message) {
			t.Errorf("%d events in %d bytes", len(events), len(message))
		}
	})
}

// Whatever the JSON is, a text brings it as it was.
func FuzzEventTextSurvives(f *testing.F) {
	f.Add(int64(5), `a "quoted" \ text`)
	e := cockpit.NewEvents(cockpit.Config{})
	f.Fuzz(func(t *testing.T, id int64, text string) {
		body := `{"jobId":` + strconv.FormatInt(id, 10) + `,"stopTime":1,"cluster":` + strconv.QuoteToASCII(text) + `}`
		events, err := e.Parse([]byte(event("job,function=stop_job", body)))
		if err != nil && strings.Contains(err.Error(), "JSON") {
			return // Go quotes some characters as JSON does not
		}
		if err != nil || len(events) != 1 || events[0].Name != fmt.Sprint("stop_job ", id) {
			t.Errorf("%s: %+v, %v", body, events, err)
		}
	})
}
