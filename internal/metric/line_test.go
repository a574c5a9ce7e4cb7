package metric_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore"
)

// parsed is a line in comparable form.
type parsed struct {
	Key   metricstore.Key
	Value float64
	Time  int64 // -1: none
}

func parse(p *metric.Parser, line string) (parsed, error) {
	var l metric.Line
	if err := p.Parse([]byte(line), &l); err != nil {
		return parsed{}, err
	}
	at := int64(-1)
	if l.HasTime {
		at = l.Time
	}
	return parsed{metricstore.Key{
		Cluster: string(l.Cluster), Host: string(l.Host), Metric: string(l.Metric),
		Type: string(l.Type), TypeID: string(l.TypeID), SubType: string(l.SubType), SubTypeID: string(l.SubTypeID),
	}, l.Value, at}, nil
}

func TestLinesThatAreGood(t *testing.T) {
	node := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load"}
	thread := metricstore.Key{Cluster: "alpha", Host: "n01", Metric: "cpu_load", Type: "hwthread", TypeID: "0"}
	for line, want := range map[string]parsed{
		"cpu_load,cluster=alpha,hostname=n01,type=node value=0.5 1795463640":                             {node, 0.5, 1795463640},
		"cpu_load,hostname=n01,cluster=alpha value=0.5":                                                  {node, 0.5, -1},
		"cpu_load,cluster=alpha,host=n01 value=-2e-3 1":                                                  {node, -2e-3, 1},
		"cpu_load,cluster=alpha,host=other,hostname=n01 value=1":                                         {node, 1, -1},
		"cpu_load,cluster=alpha,hostname=n01,type=node,type-id=0 value=3i":                               {node, 3, -1},
		"cpu_load,cluster=alpha,hostname=n01,type=hwthread,type-id=0,unit=x value=18446744073709551615u": {thread, 18446744073709551615, -1},
		"cpu_load,type-id=0,type=hwthread,hostname=n01,cluster=alpha value=+1E3 1795463640000":           {thread, 1000, 1795463640},
		"cpu_load,cluster=alpha,hostname=n01 value=1 1795463640999999":                                   {node, 1, 1795463640},
		"cpu_load,cluster=alpha,hostname=n01 value=1 1795463640999999999":                                {node, 1, 1795463640},
		"  cpu_load,cluster=alpha,hostname=n01   value=.5   7  \r":                                       {node, 0.5, 7},
		`m\,1\ x\=y,cluster=a\ b,hostname=n\,1,stype=file\=system,stype-id=/home value=-0`:               {metricstore.Key{Cluster: "a b", Host: "n,1", Metric: "m,1 x=y", SubType: "file=system", SubTypeID: "/home"}, math.Copysign(0, -1), -1},
		"gpu,hostname=n01,type=accelerator,type-id=00000000:49:00.0 value=123456789012345678":            {metricstore.Key{Host: "n01", Metric: "gpu", Type: "accelerator", TypeID: "00000000:49:00.0"}, 123456789012345678, -1},

		// Of what is not kept, the length does not matter: command lines, names of images.
		"m,hostname=n01,cmdline=" + strings.Repeat("x", 300) + " value=1": {metricstore.Key{Host: "n01", Metric: "m"}, 1, -1},

		"a=b,hostname=n01 value=1":               {metricstore.Key{Host: "n01", Metric: "a=b"}, 1, -1},
		"m,hostname=n01,stype-id=orphan value=1": {metricstore.Key{Host: "n01", Metric: "m"}, 1, -1},

		// Other alphabets.
		"größe,hostname=n01 value=0.1234567890123456789": {metricstore.Key{Host: "n01", Metric: "größe"}, 0.1234567890123456789, -1},
	} {
		got, err := parse(&metric.Parser{}, line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" || math.Signbit(want.Value) != math.Signbit(got.Value) {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestLinesThatAreNot(t *testing.T) {
	for line, reason := range map[string]string{
		"":                                                    "name is missing",
		",hostname=n01 value=1":                               "name is missing",
		"m value=1":                                           "hostname is missing",
		"m,cluster=alpha value=1":                             "hostname is missing",
		"m,hostname=n01":                                      "field is missing",
		"m,hostname=n01 ":                                     "field is missing",
		"m,hostname=n01 value":                                "field is missing",
		"m,hostname=n01 foo=1":                                "unknown field: 'foo'",
		"m,hostname=n01 value=1,foo=2":                        "unknown field: 'foo'",
		"m,hostname=n01 value=":                               "value is missing",
		"m,hostname=n01 value=\"text\"":                       "not a number",
		"m,hostname=n01 value=true":                           "not a number",
		"m,hostname=n01 value=t":                              "not a number",
		"m,hostname=n01 value=NaN":                            "not a number",
		"m,hostname=n01 value=inf":                            "not a number",
		"m,hostname=n01 value=0x10":                           "not a number",
		"m,hostname=n01 value=1_000":                          "not a number",
		"m,hostname=n01 value=1.2.3":                          "not a number",
		"m,hostname=n01 value=-":                              "not a number",
		"m,hostname=n01 value=i":                              "not a number",
		"m,hostname=n01 value=1.5i":                           "not a number",
		"m,hostname=n01 value=-1u":                            "not a number",
		"m,hostname=n01 value=1e999":                          "out of range",
		"m,hostname=n01 value=9223372036854775808i":           "out of range",
		"m,hostname=n01 value=1 now":                          "not a whole number",
		"m,hostname=n01 value=1 1 1":                          "not a whole number",
		"m,hostname=n01 value=1 -5":                           "before 1970",
		"m,hostname=n01,type value=1":                         "has no value",
		"m,hostname=n01,type= value=1":                        "has no value",
		"m,=x value=1":                                        "has no value",
		"m,hostname=n01, value=1":                             "has no value",
		"m,hostname=a=b value=1":                              "equals sign",
		"m,hostname=n01,hostname=n02 value=1":                 "there twice",
		"m,hostname=../etc value=1":                           "contains a slash",
		"m,hostname=a\\b value=1":                             "contains a slash",
		"m,hostname=n01,cluster=a..b value=1":                 "contains a slash",
		"m\thostname=n01 value=1":                             "a tab: the parts of a line are divided by spaces",
		"\x1f\x8b\b\x00 value=1":                              "the header Content-Encoding is missing",
		"m,hostname=n\x0001 value=1":                          "control character",
		"m,hostname=n\xff value=1":                            "not valid UTF-8",
		"m,hostname=" + strings.Repeat("x", 256) + " value=1": "longer than 255",
	} {
		_, err := parse(&metric.Parser{}, line)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v, and not %q", line, err, reason)
		}
	}
}

func TestParserDoesNotAllocate(t *testing.T) {
	lines := [][]byte{
		[]byte("cpu_load,cluster=alpha,hostname=n01,type=hwthread,type-id=17,unit=1/s value=12.345 1795463640"),
		[]byte("mem_used,cluster=alpha,hostname=n01 value=123456789012i 1795463640000"),
		[]byte("x,cluster=alpha,hostname=n01 value=1.2345678901234567e-7 1795463640"),
		[]byte(`fs,hostname=n01,stype=a\ b,stype-id=\,\, value=1`),
	}
	var p metric.Parser
	var l metric.Line
	if n := testing.AllocsPerRun(100, func() {
		for _, line := range lines {
			if err := p.Parse(line, &l); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// reference is the same parser again, slow and plain: it splits at what is not escaped, and then looks at the pieces.
func reference(line string) (parsed, error) {
	bad := errors.New("bad")
	line = strings.TrimRight(strings.TrimLeft(line, " "), " \r")
	words := split(line, ' ', true)
	head := split(words[0], ',', false)
	metricName := unescape(head[0])
	tags := map[string]string{}
	for _, tag := range head[1:] {
		kv := split(tag, '=', false)
		if len(kv) != 2 || kv[0] == "" || kv[1] == "" {
			return parsed{}, bad
		}
		key, known := unescape(kv[0]), map[string]bool{"cluster": true, "hostname": true, "host": true, "type": true, "type-id": true, "stype": true, "stype-id": true}
		if _, twice := tags[key]; twice && known[key] {
			return parsed{}, bad
		}
		value := unescape(kv[1])
		if !plain(key) || !plain(value) || known[key] && len(value) > 255 {
			return parsed{}, bad
		}
		tags[key] = value
	}
	host := tags["hostname"]
	if host == "" {
		host = tags["host"]
	}
	if metricName == "" || !plain(metricName) || len(metricName) > 255 || host == "" || strings.ContainsAny(host+tags["cluster"], `/\`) ||
		strings.Contains(host, "..") || strings.Contains(tags["cluster"], "..") || len(words) < 2 || len(words) > 3 {
		return parsed{}, bad
	}
	out := parsed{Key: metricstore.Key{Cluster: tags["cluster"], Host: host, Metric: metricName}, Time: -1}
	if tags["type"] != "" && tags["type"] != "node" {
		out.Key.Type, out.Key.TypeID = tags["type"], tags["type-id"]
	}
	if tags["stype"] != "" {
		out.Key.SubType, out.Key.SubTypeID = tags["stype"], tags["stype-id"]
	}
	text, ok := strings.CutPrefix(words[1], "value=")
	if !ok {
		return parsed{}, bad
	}
	var err error
	switch {
	case regexp.MustCompile(`^[+-]?[0-9]+i$`).MatchString(text):
		var n int64
		n, err = strconv.ParseInt(text[:len(text)-1], 10, 64)
		out.Value = float64(n)
	case regexp.MustCompile(`^[0-9]+u$`).MatchString(text):
		var n uint64
		n, err = strconv.ParseUint(text[:len(text)-1], 10, 64)
		out.Value = float64(n)
	case regexp.MustCompile(`^[0-9.+eE-]+$`).MatchString(text):
		out.Value, err = strconv.ParseFloat(text, 64)
	default:
		err = bad
	}
	if err != nil || len(words) == 2 {
		return out, err
	}
	n, err := strconv.ParseInt(words[2], 10, 64)
	switch {
	case n < 0:
		err = bad
	case n < 1e11:
		out.Time = n
	case n < 1e14:
		out.Time = n / 1e3
	case n < 1e17:
		out.Time = n / 1e6
	default:
		out.Time = n / 1e9
	}
	return out, err
}

// split cuts at every sep that is not escaped; of runs of separators only the first one counts where runs is set.
func split(s string, sep byte, runs bool) []string {
	parts := []string{""}
	for i := 0; i < len(s); i++ {
		last := &parts[len(parts)-1]
		switch {
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(",= ", s[i+1]) >= 0:
			*last += s[i : i+2]
			i++
		case s[i] == sep:
			if !runs || *last != "" {
				parts = append(parts, "")
			}
		default:
			*last += s[i : i+1]
		}
	}
	return parts
}

func unescape(s string) string {
	return strings.NewReplacer(`\,`, ",", `\=`, "=", `\ `, " ").Replace(s)
}

func plain(s string) bool {
	return utf8.ValidString(s) && !regexp.MustCompile(`[\x00-\x1f\x7f]`).MatchString(s)
}

func FuzzParser(f *testing.F) {
	f.Add("cpu_load,cluster=alpha,hostname=n01,type=hwthread,type-id=17,unit=1/s value=12.345 1795463640")
	f.Add(`m\,1\ x\=y,cluster=a\ b,host=n\,1,stype=s,stype-id=/home value=-0.0e-5`)
	f.Add("m,hostname=n01 value=3i 1795463640000000000")
	f.Add("m,hostname=n01 value=123456789.0123456")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			return
		}
		got, err := parse(&metric.Parser{}, line)
		want, wantErr := reference(line)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, the reference says %v", line, err, wantErr)
		}
		if err == nil && (!cmp.Equal(want, got) || math.Signbit(want.Value) != math.Signbit(got.Value)) {
			t.Fatalf("%q:\n%s", line, cmp.Diff(want, got))
		}
	})
}

func ExampleParser() {
	var p metric.Parser
	var l metric.Line
	if err := p.Parse([]byte("flops_any,cluster=alpha,hostname=n01,type=hwthread,type-id=7 value=1.5e9 1795463640"), &l); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s of %s %s on %s: %g at %d\n", l.Metric, l.Type, l.TypeID, l.Host, l.Value, l.Time)
	fmt.Println(p.Parse([]byte("flops_any,cluster=alpha value=1"), &l))
	// Output:
	// flops_any of hwthread 7 on n01: 1.5e+09 at 1795463640
	// tag hostname is missing
}

// BenchmarkParse takes a line apart whose names are not known, beside finding and reading its two numbers.
func BenchmarkParse(b *testing.B) {
	line := []byte("flops_any,cluster=alpha,hostname=n001,type=hwthread,type-id=17 value=1234.567 1795463640")
	var p metric.Parser
	var l metric.Line
	benchtest.Against(b, 1, func() {
		if err := p.Parse(line, &l); err != nil {
			b.Fatal(err)
		}
	}, benchtest.Limit{Name: "numbers", Run: func() {
		if sum := numbersOf(line); sum < 1e9 {
			b.Fatal(sum)
		}
	}})
}

// numbersOf finds the numbers in lines, reads them, and adds them up: the least that somebody who takes lines has to do.
func numbersOf(lines []byte) (sum float64) {
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte{'\n'})
		space := bytes.LastIndexByte(line, ' ')
		equals := bytes.LastIndexByte(line[:space], '=')
		sum += decimalOf(line[equals+1:space]) + decimalOf(line[space+1:])
		lines = rest
	}
	return sum
}

func decimalOf(digits []byte) float64 {
	n, scale := 0, 0.0
	for _, c := range digits {
		if c == '.' {
			scale = 1
			continue
		}
		n, scale = n*10+int(c-'0'), scale*10
	}
	return float64(n) / max(scale, 1)
}
