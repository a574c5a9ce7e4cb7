package decimal_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/decimal"
)

// check holds all forms of a number against the library's.
func check(t *testing.T, v float64) {
	t.Helper()
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	for _, form := range []struct {
		name   string
		append func([]byte, float64) []byte
		digits int
	}{
		{"AppendFixed2", decimal.AppendFixed2, 2},
		{"AppendFixed3", func(dst []byte, v float64) []byte { return decimal.AppendFixed3(dst, v) }, 3},
		{"Append", decimal.Append, -1},
	} {
		want := "[" + strconv.FormatFloat(v, 'f', form.digits, 64)
		if got := string(form.append([]byte("["), v)); got != want {
			t.Errorf("%s of %v (%x): %s, not %s", form.name, v, math.Float64bits(v), got, want)
		}
	}
}

// FuzzNumbers holds every number, and the decimals and halves beside it, against the library.
func FuzzNumbers(f *testing.F) {
	for _, v := range []float64{
		0, math.Copysign(0, -1), 0.0005, 0.0015, 1.0005, 2.675, 0.9995, 999.9995, 999999999.9995, 1e9, 123456789012.3456, 1e12, 1e15, 1e21, -0.0004,
		0.004999999999999999, 0.0625, 0.1875, math.MaxFloat64, math.SmallestNonzeroFloat64, 4.35, 0.1 + 0.2, 1e-6, 1e-7, 123.456789, 99.9, 9.3e18,
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		check(t, v)
		check(t, math.Nextafter(v, math.Inf(1)))
		for _, power := range []float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7} {
			if n := math.Round(v * power); math.Abs(n) < 1<<52 {
				check(t, n/power)
				check(t, (n+0.5)/power)
			}
		}
	})
}

func TestNumbersReadAsTheLibraryWritesThem(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		check(t, math.Float64frombits(r.Uint64()))                      // any
		check(t, float64(r.IntN(1e9))/math.Pow(10, float64(r.IntN(9)))) // decimals, among them halves
		check(t, float64(r.IntN(1<<20))/1024)                           // halves that are exact
		check(t, r.NormFloat64()*math.Pow(10, float64(r.IntN(18)-3)))
	}
}

// A list is what its numbers are one by one.
func TestListsHaveCommasAndNulls(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 300 {
		values := make([]float64, n)
		var want []byte
		for i := range values {
			values[i] = r.NormFloat64() * math.Pow(10, float64(r.IntN(30)-8))
			if r.IntN(5) == 0 {
				values[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}[r.IntN(4)]
			}
			if i > 0 {
				want = append(want, ',')
			}
			if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
				want = append(want, "null"...)
			} else {
				want = strconv.AppendFloat(want, values[i], 'f', 3, 64)
			}
		}
		if got := string(decimal.AppendFixed3(nil, values...)); got != string(want) {
			t.Fatalf("%v gave %s, not %s", values, got, want)
		}
	}
}

func ExampleAppend() {
	fmt.Printf("%s %s %s\n", decimal.Append(nil, 0.25), decimal.AppendFixed2(nil, 20.005), decimal.AppendFixed3(nil, 1e3))
	// Output: 0.25 20.00 1000.000
}

// BenchmarkAppend compares with the library.
func BenchmarkAppend(b *testing.B) {
	measured := make([]float64, 4096) // of one to four decimals, as sensors give them
	for i := range measured {
		power := math.Pow(10, float64(1+i/64%4))
		measured[i] = math.Round((100+50*math.Sin(float64(i)))*power) / power
	}
	var buf []byte
	each := func(one func([]byte, float64) []byte) func() {
		return func() {
			buf = buf[:0]
			for _, v := range measured {
				buf = append(one(buf, v), ',')
			}
		}
	}
	library := func(decimals int) benchtest.Limit {
		return benchtest.Limit{Name: "strconv", Run: each(func(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', decimals, 64) })}
	}
	b.Run("fixed", func(b *testing.B) {
		benchtest.Against(b, len(measured), func() { buf = decimal.AppendFixed3(buf[:0], measured...) }, library(3))
	})
	b.Run("shortest", func(b *testing.B) { benchtest.Against(b, len(measured), each(decimal.Append), library(-1)) })
}
