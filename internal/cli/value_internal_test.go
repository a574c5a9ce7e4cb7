package cli

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValuesOnOneLine(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 8, 2, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		field string
		v     any
		want  string
	}{
		{"x", nil, "-"},
		{"x", "text", "text"},
		{"x", "two\nlines\x1b[2J\u009b", `two\nlines?[2J?`},
		{"x", "tab\tstays, ü too", "tab\tstays, ü too"},
		{"x", true, "true"},
		{"x", json.Number("1e3"), "1e3"},
		{"x", json.Number("12345678901234567890"), "12345678901234567890"},
		{"x", json.Number("1e999"), "1e999"},
		{"x", []any{}, "[]"},
		{"x", []any{"a", json.Number("1"), nil, []any{"b"}}, "['a', 1, -, ['b']]"},
		{"x", map[string]any{}, "{}"},
		{"x", map[string]any{"n10": "b", "n9": "a"}, "{'n9': 'a', 'n10': 'b'}"},
		{"x", map[string]any{"a": map[string]any{"b": false}}, "{'a': {'b': false}}"},
		{"x", 42, "42"},
		{"size", json.Number("123456"), "120.6 KiB"},
		{"size", json.Number("12"), "12 B"},
		{"expires", json.Number("0"), "never"},
		{"expires", json.Number("1722603600"), "2024-08-02 13:00:00 UTC (in 1:00:00)"},
		{"last_used", json.Number("1722513599.5"), "2024-08-01 11:59:59 UTC (1 day, 0:00:00 ago)"},
		{"index", json.Number("1722603600"), "1722603600"},
		{"expires", "soon", "soon"},
	}
	for _, tt := range tests {
		if got := inline(tt.field, tt.v, now); got != tt.want {
			t.Errorf("%s = %#v: %q, want %q", tt.field, tt.v, got, tt.want)
		}
	}
}

func TestCellsOfCSV(t *testing.T) {
	t.Parallel()
	fields := map[string]any{
		"text": "a,b", "number": json.Number("1722603600.5"), "nothing": nil, "flag": true, "list": []any{"<a>", json.Number("1")},
		"formula": "=cmd|' /C calc'!A0", "minus": "-1+1", "at": "@SUM(A1)", "tab": "\t=1", "negative": json.Number("-5"),
		"map": map[string]any{"inner": map[string]any{"deep": "x"}}, "a.b": "dotted", "a": map[string]any{"b": "nested"},
	}
	for name, want := range map[string]string{
		"text": "a,b", "number": "1722603600.5", "nothing": "", "gone": "", "flag": "true", "list": `["<a>",1]`,
		"formula": "'=cmd|' /C calc'!A0", "minus": "'-1+1", "at": "'@SUM(A1)", "tab": "'\t=1", "negative": "-5",
		"map": `{"inner":{"deep":"x"}}`, "map.inner.deep": "x", "map.gone": "", "text.inner": "", "a.b": "dotted",
	} {
		if got, err := csvCell(fields, name); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestColumnsOfATable(t *testing.T) {
	t.Parallel()
	l := listing{columns: []string{"ip", "mac"}, bulky: []string{"hardware"}, records: []record{
		{"n0", "u0", map[string]any{"name": "n0", "uid": "u0", "ip": "1", "hardware": "x"}},
		{"n1", "u1", map[string]any{"name": "n1", "uid": "u1", "mac": "2"}},
	}}
	tests := []struct {
		name   string
		fields []string
		key    string
		d      detail
		want   []string
	}{
		{"short", nil, "", short, []string{"ip", "mac"}},
		{"long leaves out what is bulky", nil, "", long, []string{"ip", "mac", "uid"}},
		{"long-long leaves out nothing", nil, "", longLong, []string{"hardware", "ip", "mac", "uid"}},
		{"another key", nil, "uid", long, []string{"ip", "mac", "name"}},
		{"fields", []string{"mac", "gone"}, "", longLong, []string{"mac", "gone"}},
	}
	for _, tt := range tests {
		l.key = tt.key
		if diff := cmp.Diff(tt.want, printer{fields: tt.fields}.columns(l, tt.d)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestRecordsAreCalledByNameWhereThatIsClear(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		uids  bool
		given []record
		want  []string
	}{
		{"names", false, []record{{name: "n0", uid: "u0"}, {name: "n1", uid: "u1"}}, []string{"n0", "n1"}},
		{"UIDs asked for", true, []record{{name: "n0", uid: "u0"}, {name: "n1", uid: "u1"}}, []string{"u0", "u1"}},
		{"UIDs asked for where there are none", true, []record{{name: "n0"}}, []string{"n0"}},
		{"twins", false, []record{{name: "n0", uid: "u0"}, {name: "n1", uid: "u1"}, {name: "n0", uid: "u2"}}, []string{"u0", "n1", "u2"}},
		{"no name", false, []record{{uid: "u0"}}, []string{"u0"}},
	}
	for _, tt := range tests {
		l := listing{records: tt.given}
		l.label(tt.uids)
		got := make([]string, len(l.records))
		for i, r := range l.records {
			got[i] = r.name
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestSelectedFieldsAreAllThatIsLeft(t *testing.T) {
	t.Parallel()
	l := listing{records: []record{{"n0", "", map[string]any{"mac": "m", "ip": "i", "status": map[string]any{"state": "up", "x": "y"}}}}}
	l.sel(nil)
	if len(l.records[0].fields) != 3 {
		t.Errorf("without a selection: %v", l.records[0].fields)
	}
	l.sel([]string{"mac", "status.state", "status.gone", "gone"})
	if diff := cmp.Diff(map[string]any{"mac": "m", "status.state": "up"}, l.records[0].fields); diff != "" {
		t.Error(diff)
	}
}
