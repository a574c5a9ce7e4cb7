package metric_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestExpressionsAreReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "character 1: a metric, a number, rate() or a bracket is expected, and not the end",
		"a /":                     "character 4: a metric, a number, rate() or a bracket is expected, and not the end",
		"a b":                     "character 3: an operator or the end is expected, and not 'b'",
		"(a + b":                  "character 7: an operator or ) is expected, and not the end",
		"a)":                      "character 2: an operator or the end is expected, and not ')'",
		"a + + b":                 "character 5: a metric, a number, rate() or a bracket is expected, and not '+'",
		"sum(a)":                  "character 1: there is no function sum; the only one is rate",
		"a + 1.2.3":               "character 5: 1.2.3 is not a number",
		"a * 1e":                  "character 5: 1e is not a number",
		"a * 1e999":               "character 5: 1e999 is not a number",
		`a + "b`:                  `character 5: a metric's name between two " is expected`,
		"a § b":                   "character 3: an operator or the end is expected, and not '§'",
		"1 + 2":                   "names no metric",
		"rate()":                  "character 6: a metric, a number, rate() or a bracket is expected, and not ')'",
		strings.Repeat("(", 60):   "character 51: more than 50 levels",
		strings.Repeat("-", 60):   "character 51: more than 50 levels",
		strings.Repeat("a+", 600): "longer than 1000 characters",
	} {
		if _, err := metric.ParseExpression(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nand not %s", text, err, want)
		}
	}
}

func TestExpressionsNameTheirOperandsOnce(t *testing.T) {
	e, err := metric.ParseExpression(` (a + "b-c") / rate( a ) * -x.y:z_1 `)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b-c", "x.y:z_1"}, e.Operands()); diff != "" {
		t.Error(diff)
	}
}

// mustParse is for expressions of tests.
func mustParse(tb testing.TB, text string) *metric.Expression {
	tb.Helper()
	e, err := metric.ParseExpression(text)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestDerivedMetricsThatCannotBeComputedAreRefused(t *testing.T) {
	derived := func(text string) metric.Config {
		return metric.Config{Frequency: time.Minute, Derived: mustParse(t, text)}
	}
	c := metric.Catalogue{
		"a": {Frequency: time.Minute}, "fast": {Frequency: 20 * time.Second}, "odd": {Frequency: 45 * time.Second},
		"good": derived("a / fast"), "twice": derived("good + good"), "unknown": derived("a / nosuch"), "self": derived("self + a"),
		"x": derived("y"), "y": derived("z"), "z": derived("x"), "uneven": derived("a + odd"),
	}
	wide := "twice"
	for i := range 40 { // each doubles what the one before is made of
		left, right := fmt.Sprintf("left%d", i), fmt.Sprintf("right%d", i)
		c[left], c[right] = derived(wide), derived(wide)
		wide = fmt.Sprintf("wide%d", i)
		c[wide] = derived(left + " + " + right)
	}
	for name, want := range map[string]string{
		"a": "", "nosuch": "", "good": "", "twice": "",
		"unknown": "unknown is derived of nosuch, which is not configured",
		"self":    "self is derived of itself: self of self",
		"x":       "x is derived of itself: x of y of z of x",
		"uneven":  "uneven is computed every 1m0s, which is no multiple of the 45s of odd",
		wide:      "is made of more than 100 samples",
	} {
		err := c.Check(name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v\nand not %q", name, err, want)
		}
	}
}

func TestExpressionsAreEqualWhenWrittenAlike(t *testing.T) {
	var none *metric.Expression
	a := mustParse(t, "a")
	if !a.Equal(mustParse(t, "a")) || a.Equal(mustParse(t, "b")) || a.Equal(none) || !none.Equal(nil) {
		t.Error("Equal is wrong")
	}
}

func FuzzParseExpression(f *testing.F) {
	for _, seed := range []string{"flops_any / mem_bw", "rate(bytes) * 8", `-(a + "b c") / 1e-3`, "((((a", "1..2", "rate(rate(x))", "a-b-c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := metric.ParseExpression(text)
		if err != nil {
			return
		}
		if len(e.Operands()) == 0 || e.String() != text {
			t.Errorf("%q: %v", text, e.Operands())
		}
		in := "(" + text + ")"
		if again, err := metric.ParseExpression(in); err == nil && !cmp.Equal(again.Operands(), e.Operands()) {
			t.Errorf("in brackets: %v and %v", again.Operands(), e.Operands())
		}
	})
}

func ExampleParseExpression() {
	e, err := metric.ParseExpression("rate(net_bytes) * 8")
	fmt.Println(e, e.Operands(), err)
	_, err = metric.ParseExpression("flops_any / (mem_bw")
	fmt.Println(err)
	// Output:
	// rate(net_bytes) * 8 [net_bytes] <nil>
	// expression "flops_any / (mem_bw", character 20: an operator or ) is expected, and not the end
}

func TestQuantilesLieBetweenSamplesInProportion(t *testing.T) {
	for _, name := range []string{"p", "p-1", "p101", "pp", "p1e2", "q5", "p0.00001", "mean", "Sum", "p1.2.3", "p."} {
		if _, err := metric.ParseAggregation(name); err == nil {
			t.Errorf("%q is an aggregation", name)
		}
	}
	s, _ := newService(t)
	put(t, s,
		"cpu_load,hostname=n01,type=core,type-id=0 1 2", "cpu_load,hostname=n01,type=core,type-id=1 4 2",
		"cpu_load,hostname=n01,type=core,type-id=2 2 2", "cpu_load,hostname=n01,type=core,type-id=3 3 2",
		"cpu_load,hostname=n01,type=core,type-id=0 5 1",
	)
	for name, want := range map[metric.Aggregation]float64{
		"sum": 10, "avg": 2.5, "min": 1, "max": 4, "median": 2.5, "p0": 1, "p25": 1.75, "p50": 2.5, "p90": 3.7, "p100": 4, "p99.9": 3.997,
	} {
		for _, q := range []metric.Query{
			{Metric: "cpu_load", Host: "n01", Aggregation: name},
			{Metric: "cpu_load", Host: "n01", Type: "core", Aggregation: name},
			{Metric: "cpu_load", Host: "n01", Type: "core", TypeIDs: []string{"3", "0", "2", "1"}, Aggregation: name},
		} {
			got := ask(t, s, q)
			last := 5.0
			if name == "sum" {
				last = math.NaN() // one device of four
			}
			if len(got) != 1 || math.Abs(got[0][2]-want) > 1e-12 || got[0][3] != last && !math.IsNaN(last) {
				t.Errorf("%+v: %v, want %v", q, got, want)
			}
		}
	}
	got := ask(t, s, metric.Query{Metric: "cpu_load", Host: "n01", Type: "core", TypeIDs: []string{"0", "3"}, Aggregation: "max"})
	if len(got) != 1 || got[0][2] != 3 || got[0][3] != 5 {
		t.Errorf("of two devices: %v", got)
	}
}
