package codec_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/metricstore/codec"
)

// same reports whether two values are the same bits, or both gaps.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// failer is what tests and drawn tests have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// roundTrip encodes and decodes the values, fails when one differs, and returns how many bytes they took.
func roundTrip(t failer, values []float64) int {
	t.Helper()
	var e codec.Encoder
	src := e.Append(nil, values)
	if n, err := codec.Len(src); n != len(values) || err != nil {
		t.Fatalf("Len says %d, %v; want %d", n, err, len(values))
	}
	got, err := codec.Decode([]float64{42}, src)
	if err != nil || len(got) != 1+len(values) || got[0] != 42 {
		t.Fatalf("%d values gave %d: %v", len(values), len(got)-1, err)
	}
	for i, v := range values {
		if !same(got[1+i], v) {
			t.Fatalf("value %d of %d: %x (%v) became %x (%v)", i, len(values), math.Float64bits(v), v, math.Float64bits(got[1+i]), got[1+i])
		}
	}
	return len(src)
}

// walk is a random walk in steps of a power of ten.
func walk(n, decimals int, step float64) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	scale := math.Pow(10, float64(decimals))
	values := make([]float64, n)
	v := 100.0
	for i := range values {
		v += (r.Float64()*2 - 1) * step
		values[i] = math.Round(v*scale) / scale
	}
	return values
}

// shaped returns a stretch of n values made by f.
func shaped(n int, f func(i int) float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = f(i)
	}
	return values
}

func TestEveryShapeComesBack(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	tests := map[string]struct {
		values []float64
		most   int // bytes
	}{
		"one":                  {[]float64{1.5}, 10},
		"one gap":              {[]float64{nan}, 6},
		"constant":             {shaped(512, func(int) float64 { return 0.1 }), 11},
		"integers":             {shaped(512, func(i int) float64 { return float64(i % 16) }), 512*4/8 + 30},
		"counter":              {shaped(512, func(i int) float64 { return 1e9 + float64(i)*4096 }), 40},
		"two decimals":         {walk(512, 2, 1), 512*8/8 + 30},
		"four decimals":        {walk(512, 4, 0.01), 512*8/8 + 30},
		"spikes":               {shaped(512, func(i int) float64 { return map[bool]float64{true: 1e6, false: float64(i % 2)}[i%100 == 99] }), 512*2/8 + 120},
		"float32":              {shaped(512, func(i int) float64 { return float64(float32(math.Sin(float64(i)))) }), 512*5 + 30},
		"any":                  {shaped(512, func(i int) float64 { return math.Sin(float64(i)) * 1e-7 }), 512*8 + 10},
		"negative zero":        {[]float64{0, math.Copysign(0, -1), 0, 1}, 40},
		"infinite":             {[]float64{math.Inf(1), math.Inf(-1), 0}, 40},
		"extremes":             {[]float64{math.MaxFloat64, math.SmallestNonzeroFloat64, -math.MaxFloat64}, 40},
		"large whole numbers":  {[]float64{1 << 53, 1<<53 - 1, -(1<<53 - 1), 1 << 62}, 50},
		"gaps":                 {[]float64{1, nan, nan, 2.5, nan, 3, 4}, 30},
		"gaps first and last":  {[]float64{nan, 1, nan}, 30},
		"all gaps":             {shaped(codec.MaxValues, func(int) float64 { return nan }), 20},
		"every other is a gap": {shaped(512, func(i int) float64 { return map[bool]float64{true: nan, false: 7}[i%2 == 1] }), 600},
		"most":                 {walk(codec.MaxValues, 1, 3), codec.MaxValues},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if n := roundTrip(t, tt.values); n > tt.most {
				t.Errorf("%d values take %d bytes, want at most %d", len(tt.values), n, tt.most)
			}
		})
	}
}

// Whatever is measured comes back bit for bit.
func TestAnythingComesBack(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(
		rapid.Float64(),
		rapid.Just(math.NaN()),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) float64 { return float64(n) / 100 }),
		rapid.Map(rapid.Int64(), func(n int64) float64 { return float64(n) }),
		rapid.Map(rapid.Float32(), func(f float32) float64 { return float64(f) }),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
	)
	mixed := rapid.SliceOfN(value, 1, 300)
	plain := rapid.Custom(func(t *rapid.T) []float64 { // of one kind, as series are
		one := rapid.SampledFrom([]*rapid.Generator[float64]{
			rapid.Float64(),
			rapid.Map(rapid.IntRange(-100000, 100000), func(n int) float64 { return float64(n) / 1000 }),
			rapid.Map(rapid.Float32(), func(f float32) float64 { return float64(f) }),
			rapid.Map(rapid.Int64Range(-1<<54, 1<<54), func(n int64) float64 { return float64(n) }),
		}).Draw(t, "kind")
		return rapid.SliceOfN(one, 1, 300).Draw(t, "values")
	})
	rapid.Check(t, func(t *rapid.T) { roundTrip(t, rapid.OneOf(mixed, plain).Draw(t, "values")) })
}

func TestDamageIsAnErrorAndNeverMoreThanWasAskedFor(t *testing.T) {
	t.Parallel()
	var e codec.Encoder
	values := walk(200, 3, 0.5)
	values[17], values[18] = math.NaN(), math.NaN()
	good := e.Append(nil, values)
	for cut := range good {
		if got, err := codec.Decode(nil, good[:cut]); err == nil {
			t.Errorf("cut to %d of %d bytes it gives %d values", cut, len(good), len(got))
		}
	}
	if _, err := codec.Decode(nil, append(good[:len(good):len(good)], 0)); err == nil {
		t.Error("a byte too many is not noticed")
	}
	for bit := range 8 * len(good) {
		bad := append([]byte(nil), good...)
		bad[bit/8] ^= 1 << (bit % 8)
		if got, err := codec.Decode(nil, bad); err == nil && len(got) > codec.MaxValues { // checksums are for those who store it
			t.Errorf("bit %d flipped gives %d values", bit, len(got))
		}
	}
}

func FuzzDecode(f *testing.F) {
	var e codec.Encoder
	for _, values := range [][]float64{{1}, {math.NaN()}, walk(100, 2, 1), {math.Pi, math.E, math.Sqrt2}, {1, math.NaN(), 3}, {0, 0, 0}} {
		f.Add(e.Append(nil, values))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		values, err := codec.Decode(nil, src)
		if err != nil {
			return
		}
		roundTrip(t, values)
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("0123456701234567"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var values []float64
		for ; len(data) >= 8; data = data[8:] {
			var u uint64
			for i, b := range data[:8] {
				u |= uint64(b) << (8 * i)
			}
			values = append(values, math.Float64frombits(u))
		}
		if len(values) > 0 && len(values) <= codec.MaxValues {
			roundTrip(t, values)
		}
	})
}

func ExampleDecode() {
	var e codec.Encoder
	src := e.Append(nil, []float64{20.5, 20.6, math.NaN(), 20.4})
	values, err := codec.Decode(nil, src)
	fmt.Println(values, err, len(src) < 4*8)
	// Output: [20.5 20.6 NaN 20.4] <nil> true
}

func BenchmarkCodec(b *testing.B) {
	for name, values := range map[string][]float64{
		"constant": shaped(512, func(int) float64 { return 0.1 }),
		"decimal2": walk(512, 2, 1),
		"decimal4": walk(512, 4, 0.5),
		"float32":  shaped(512, func(i int) float64 { return float64(float32(math.Sin(float64(i)))) }),
		"any":      shaped(512, func(i int) float64 { return math.Sin(float64(i)) }),
	} {
		var e codec.Encoder
		src := e.Append(nil, values)
		b.Run(name+"/append", func(b *testing.B) {
			b.ReportMetric(float64(len(src))/float64(len(values)), "bytes/value")
			var dst []byte
			for b.Loop() {
				dst = e.Append(dst[:0], values)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(values)), "ns/value")
		})
		b.Run(name+"/decode", func(b *testing.B) {
			var dst []float64
			other := make([]float64, len(values))
			benchtest.Against(b, len(values), func() {
				var err error
				if dst, err = codec.Decode(dst[:0], src); err != nil {
					b.Fatal(err)
				}
			}, benchtest.Limit{Name: "copy", Run: func() { copy(other, values) }})
		})
	}
}
