package ingest

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

// FuzzFixed holds the quick way of writing numbers against the library's.
func FuzzFixed(f *testing.F) {
	for _, v := range []float64{0, math.Copysign(0, -1), 0.0005, 0.0015, 1.0005, 2.675, 0.9995, 999999999.9995, 1e9, 123456789012.3456, 1e21, -0.0004, 0.004999999999999999, math.MaxFloat64, 4.35} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		for _, decimals := range []int{2, 3} {
			want := strconv.FormatFloat(v, 'f', decimals, 64)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				want = "null"
			}
			if got := string(appendFixed(nil, v, decimals)); got != want {
				t.Errorf("%v with %d decimals: %s, not %s", v, decimals, got, want)
			}
		}
	})
}

func TestLongAnswersAreOneDocument(t *testing.T) {
	values := make([]float64, 100_000)
	for i := range values {
		values[i] = float64(i) / 7
	}
	values[3] = math.NaN()
	result := metric.Result{Series: metric.Series{From: time.Unix(0, 0), Step: time.Minute, Data: values}, To: time.Unix(60*100_000, 0)}
	e := encoder{}
	r, w := io.Pipe()
	e.to = w
	go func() {
		e.result(&result, true, true)
		e.flush()
		_ = w.Close()
	}()
	var got struct {
		Data []*float64
		To   int64
	}
	if err := json.NewDecoder(r).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Data) != len(values) || got.Data[3] != nil || *got.Data[7] != 1 || got.To != 6_000_000 {
		t.Errorf("%d values", len(got.Data))
	}
}

func BenchmarkEncode(b *testing.B) {
	values := make([]float64, 1440*72)
	for i := range values {
		values[i] = math.Sqrt(float64(i)) * 10
	}
	result := metric.Result{Series: metric.Series{Step: time.Minute, Data: values}}
	for name, encode := range map[string]func(){
		"quick": func() {
			e := encoder{to: io.Discard}
			e.result(&result, true, true)
		},
		"library": func() {
			var buf []byte
			for _, v := range values {
				buf = append(strconv.AppendFloat(buf[:0], v, 'f', 3, 64), ',')
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				encode()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(values)), "ns/value")
		})
	}
}
