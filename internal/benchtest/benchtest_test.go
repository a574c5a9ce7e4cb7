package benchtest_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
)

func TestBothAreMeasured(t *testing.T) {
	if err := flag.Set("test.benchtime", "20x"); err != nil {
		t.Fatal(err)
	}
	here, limit := 0, 0
	result := testing.Benchmark(func(b *testing.B) {
		b.Helper()
		b.ReportMetric(0, "ns/op")
		benchtest.Against(b, 1, func() { here++ }, benchtest.Limit{Name: "limit", Run: func() { limit++ }})
	})
	if here == 0 || limit == 0 || strings.Contains(result.String(), "FAIL") {
		t.Errorf("%d and %d calls: %s", here, limit, result)
	}
}
