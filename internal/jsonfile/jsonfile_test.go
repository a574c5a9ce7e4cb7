package jsonfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/jsonfile"
)

// site is a configuration with everything that one can have.
type site struct {
	Main struct {
		Addr    string    `json:"addr"`
		Started time.Time `json:"started"` // reads itself
		Ports   []int     `json:"ports"`
		TLS     bool      `json:"tls"`
	} `json:"main"`
	Metrics map[string]struct {
		Step  int      `json:"step"`
		Scale *float64 `json:"scale"`
	} `json:"metrics"`
	Self *site `json:"self"`
}

func TestMistakesAreSaidWithTheirLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                    "line 1: not valid JSON: it ends too early",
		"{\n\"main\": {\n\n":                  "line 2: not valid JSON: it ends too early",
		"{\n\"main\": {},\n\"x\" 1}":          "line 3: not valid JSON: invalid character '1' after object key",
		"{\n\"main\": {},\n}":                 "line 3: not valid JSON: invalid character '}' looking for beginning of object key string",
		"{\n\"main\": {\n\"addr\": 1}}":       "line 3: main.addr: a string is expected, not a number",
		`{"main": {"started": 7}}`:            "line 1: Time.UnmarshalJSON: input is not a JSON string",
		`{"main": {"ports": {}}}`:             "line 1: main.ports: an array is expected, not an object",
		`{"main": {"ports": [1.5]}}`:          "line 1: main.ports: a whole number is expected, not 1.5",
		`{"main": {"tls": "yes"}}`:            "line 1: main.tls: true or false is expected, not a string",
		"{\"metrics\":\n[]}":                  "line 2: metrics: an object is expected, not an array",
		`{"metrics": {"m": {"scale": true}}}`: "line 1: metrics.scale: a number is expected, not true or false",
		"[]":                                  "line 1: an object is expected, not an array",
		"{}\n\n{}":                            "line 3: there is something behind the JSON value",
		"{}\n\nx":                             "line 3: there is something behind the JSON value",
	} {
		var s site
		if err := jsonfile.Decode([]byte(text), &s); err == nil || err.Error() != want {
			t.Errorf("%q: %v, and not %q", text, err, want)
		}
	}
}

func TestKeysThatAreNotThereAreMistakesOfParts(t *testing.T) {
	t.Parallel()
	var s site
	if err := jsonfile.Decode([]byte(`{"mine": 1}`), &s); err != nil {
		t.Errorf("not strict: %v", err)
	}
	for text, want := range map[string]string{
		`{"mine": 1}`:               `unknown key "mine"; the keys here are main, addr, started, ports, tls, metrics, step, scale, self`,
		`{"main": {"adr": "x"}}`:    `unknown key "adr"; the keys here are main, addr,`,
		"{\n\"main\": {\"addr\": 1": "not valid JSON: it ends too early",
		`{"main": {"addr": 1}}`:     "main.addr: a string is expected, not a number",
	} {
		if err := jsonfile.DecodeStrict([]byte(text), &s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, and not %q", text, err, want)
		}
	}
}

func TestLargeNumbersStayAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	var v map[string]any
	if err := jsonfile.Decode([]byte("{\"n\": 12345678901234567890}\n"), &v); err != nil || fmt.Sprint(v["n"]) != "12345678901234567890" {
		t.Errorf("%v, %v", v, err)
	}
}

// FuzzDecode looks for texts that are explained with more than a line, or wrongly placed.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "{", "{\n\n}", `{"main": {"addr": "x"}}`, "[1,\n2", `{"metrics": {"m": {"step": 1e999}}}`, "nul", "{}\n{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func([]byte, any) error{jsonfile.Decode, jsonfile.DecodeStrict} {
			var s site
			err := read(data, &s)
			if err == nil {
				continue
			}
			line := 0
			if _, scanErr := fmt.Sscanf(err.Error(), "line %d: ", &line); scanErr == nil && (line < 1 || line > 1+strings.Count(string(data), "\n")) {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}

func ExampleDecode() {
	var config struct {
		Addr string `json:"addr"`
	}
	fmt.Println(jsonfile.Decode([]byte("{\n  \"addr\": 8080\n}"), &config))
	// Output: line 2: addr: a string is expected, not a number
}
