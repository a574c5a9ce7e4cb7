package checkpoint_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/checkpoint"
)

// seen collects what a reader visits as lines.
type seen []string

func (l *seen) visit(s checkpoint.Series) {
	*l = append(*l, fmt.Sprint(s.Metric, s.Levels, s.Step, s.First, s.Values))
}

var example = level{
	metrics: map[string]stored{"cpu_load": {60, 1000, []float32{1, gap, 0.1}}},
	children: map[string]level{
		"hwthread0": {metrics: map[string]stored{"ipc": {10, 1010, []float32{-2}}}},
		"gpu1":      {children: map[string]level{"mig0": {metrics: map[string]stored{"power": {60, 1000, nil}}}}},
	},
}

func TestSnapshotsAreRead(t *testing.T) {
	var got seen
	if err := checkpoint.ReadSnapshot(snapshot(1000, 2000, example), got.visit); err != nil {
		t.Fatal(err)
	}
	want := seen{"cpu_load[] 60 1000 [1 NaN 0.10000000149011612]", "power[gpu1 mig0] 60 1000 []", "ipc[hwthread0] 10 1010 [-2]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshotsThatAreNotWholeGiveNothing(t *testing.T) {
	good := snapshot(1000, 2000, example)
	var got seen
	for n := range good {
		if err := checkpoint.ReadSnapshot(good[:n], got.visit); !errors.Is(err, checkpoint.ErrDamaged) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	deep := level{}
	for range 10 {
		deep = level{children: map[string]level{"x": deep}}
	}
	one := func(name string, s stored) level { return level{metrics: map[string]stored{name: s}} }
	for what, data := range map[string][]byte{
		"3 bytes follow the last series": append(slices.Clone(good), 1, 2, 3),
		"does not begin as a snapshot":   bytes.Replace(good, []byte{1, 0, 0x5B}, []byte{2, 0, 0x5B}, 1),
		"before it begins":               snapshot(2000, 1000, example),
		"more than 8 levels":             snapshot(0, 1, deep),
		"has no frequency":               snapshot(0, 1, one("m", stored{0, 0, nil})),
		"every -1 seconds":               snapshot(0, 1, one("m", stored{-1, 0, nil})),
		"begins at the time -5":          snapshot(0, 1, one("m", stored{1, -5, nil})),
		`"" is not a name`:               snapshot(0, 1, one("", stored{1, 0, nil})),
		`"a\nb" is not a name`:           snapshot(0, 1, one("a\nb", stored{1, 0, nil})),
		`is not a name`:                  snapshot(0, 1, one(strings.Repeat("x", 256), stored{1, 0, nil})),
		"it ends too early":              append(good[:20:20], 0xff, 0xff, 0xff, 0xff),
	} {
		if err := checkpoint.ReadSnapshot(data, got.visit); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, and not %s", err, what)
		}
	}
	if got != nil {
		t.Errorf("visited %v", got)
	}
}

func TestJSONFilesAreRead(t *testing.T) {
	var got seen
	err := checkpoint.ReadJSON([]byte(`{"from":1000,"to":2000,"metrics":{"cpu_load":{"frequency":60,"start":1000,"data":[1.5, null,-2e3 ]},
		"none":{"frequency":60,"start":0,"data":null}},"children":{"hwthread0":{"from":1,"to":2,"metrics":{"ipc":{"frequency":10,"start":1010,"data":[]}},"children":{}}}}`), got.visit)
	if err != nil {
		t.Fatal(err)
	}
	want := seen{"cpu_load[] 60 1000 [1.5 NaN -2000]", "none[] 60 0 []", "ipc[hwthread0] 10 1010 []"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSONFilesThatAreWrongGiveNothing(t *testing.T) {
	var got seen
	const good = `"a":{"frequency":1,"start":1,"data":[1]},`
	for text, want := range map[string]string{
		``:              "EOF",
		`null`:          "a level is null",
		`[]`:            "cannot unmarshal array",
		`{"metrics":{}`: "unexpected EOF",
		`{} {}`:         "something follows",
		`{"metric":{}}`: `unknown field "metric"`,
		`{"metrics":{` + good + `"b":{"frequency":1,"start":1,"data":["x"]}}}`:   "no number",
		`{"metrics":{` + good + `"b":{"frequency":1,"start":1,"data":[[1]]}}}`:   "no number",
		`{"metrics":{` + good + `"b":{"frequency":1,"start":1,"data":{}}}}`:      "no list",
		`{"metrics":{` + good + `"b":{"frequency":1,"start":1,"data":[1e999]}}}`: "no number",
		`{"metrics":{` + good + `"b":{"start":1,"data":[1]}}}`:                   `"b" has no frequency`,
		`{"metrics":{` + good + `"b":{"frequency":1,"start":1,"unit":"W"}}}`:     `unknown field "unit"`,
		`{"metrics":{` + good + `"":{"frequency":1,"start":1}}}`:                 `"" is not a name`,
		`{"metrics":{` + good[:len(good)-1] + `},"children":{"x":null}}`:         "a level is null",
		strings.Repeat(`{"children":{"x":`, 9) + `{}` + strings.Repeat("}}", 9):  "more than 8 levels",
	} {
		err := checkpoint.ReadJSON([]byte(text), got.visit)
		if !errors.Is(err, checkpoint.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, and not %s", text, err, want)
		}
	}
	if got != nil {
		t.Errorf("visited %v", got)
	}
}

func TestLogsAreReadRecordByRecord(t *testing.T) {
	a, b := record(1000, 1.5, "cpu_load"), record(1060, -3, "ipc", "gpu1", "mig0")
	flipped := slices.Clone(a)
	flipped[12] ^= 1
	odd := record(1, 1, "")
	ab := seen{"cpu_load[] 0 1000 [1.5]", "ipc[gpu1 mig0] 0 1060 [-3]"}
	for name, c := range map[string]struct {
		file   []byte
		want   seen
		damage checkpoint.LogDamage
	}{
		"nothing":               {log(), nil, checkpoint.LogDamage{}},
		"two":                   {log(a, b), ab, checkpoint.LogDamage{}},
		"a torn end":            {log(a, b, a[:len(a)-1]), ab, checkpoint.LogDamage{Torn: int64(len(a)) - 1}},
		"a flipped bit":         {log(a, flipped, b), ab, checkpoint.LogDamage{Stretches: 1, Bytes: int64(len(a))}},
		"rubbish":               {log(a, []byte("rubbish"), b, []byte("x")), ab, checkpoint.LogDamage{Stretches: 1, Bytes: 7, Torn: 1}},
		"a name that is none":   {log(a, odd, b), ab, checkpoint.LogDamage{Stretches: 1, Bytes: int64(len(odd))}},
		"a length that is huge": {log(a, []byte{0xA1, 0xA7, 0x1D, 0xCC, 0xff, 0xff, 0xff, 0x7f}, b), ab, checkpoint.LogDamage{Stretches: 1, Bytes: 8}},
		"a length that is long": {log(a, []byte{0xA1, 0xA7, 0x1D, 0xCC, 0xff, 0xff, 0, 0}, b), ab, checkpoint.LogDamage{Stretches: 1, Bytes: 8}},
	} {
		var got seen
		damage, err := checkpoint.ReadLog(iotest.OneByteReader(bytes.NewReader(c.file)), got.visit)
		if err != nil || damage != c.damage {
			t.Errorf("%s: %+v, %v", name, damage, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, file := range [][]byte{nil, {1, 0xA7, 0x1D}, []byte("not a log at all")} {
		if _, err := checkpoint.ReadLog(bytes.NewReader(file), nil); !errors.Is(err, checkpoint.ErrDamaged) {
			t.Errorf("%q: %v", file, err)
		}
	}
	broken := errors.New("broken disk")
	if _, err := checkpoint.ReadLog(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzReadSnapshot(f *testing.F) {
	f.Add(snapshot(1000, 2000, example))
	f.Add([]byte{1, 0, 0x5B, 0xCC})
	f.Fuzz(func(t *testing.T, data []byte) {
		slots := 0
		err := checkpoint.ReadSnapshot(data, func(s checkpoint.Series) { slots += len(s.Values) })
		if 4*slots > len(data) || err != nil && slots > 0 {
			t.Errorf("%d slots of %d bytes, %v", slots, len(data), err)
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"from":1,"to":2,"metrics":{"a":{"frequency":60,"start":1,"data":[1,null,2.5]}},"children":{"core0":{"metrics":{}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		slots := 0
		err := checkpoint.ReadJSON(data, func(s checkpoint.Series) { slots += len(s.Values) })
		if slots > len(data) || err != nil && slots > 0 {
			t.Errorf("%d slots of %d bytes, %v", slots, len(data), err)
		}
	})
}

func FuzzReadLog(f *testing.F) {
	f.Add(log(record(1, 2, "m"), record(3, 4, "m", "core0")))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		damage, err := checkpoint.ReadLog(bytes.NewReader(data), func(checkpoint.Series) { n++ })
		if err != nil {
			return
		}
		// Another record at the end is found, whatever is before it.
		more := 0
		again, err := checkpoint.ReadLog(bytes.NewReader(append(slices.Clone(data), record(1, 2, "m")...)), func(checkpoint.Series) { more++ })
		if err != nil || more < 1 || damage.Torn == 0 && (more != n+1 || again != damage) {
			t.Errorf("%d and %d records, %+v and %+v, %v", n, more, damage, again, err)
		}
	})
}

func ExampleReadSnapshot() {
	file := snapshot(1000, 1060, level{children: map[string]level{"socket0": {metrics: map[string]stored{"mem_bw": {60, 1000, []float32{12.5}}}}}})
	err := checkpoint.ReadSnapshot(file, func(s checkpoint.Series) { fmt.Println(s.Metric, s.Levels, s.First, s.Values) })
	fmt.Println(err)
	// Output:
	// mem_bw [socket0] 1000 [12.5]
	// <nil>
}
