package ingest

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/benchtest"
	"github.com/bridgehead-hpc/bridgehead/internal/decimal"
	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestLongAnswersAreOneDocument(t *testing.T) {
	values := make([]float64, 100_000)
	for i := range values {
		values[i] = float64(i) / 7
	}
	values[3] = math.NaN()
	result := metric.Result{Series: metric.Series{From: time.Unix(0, 0), Step: time.Minute, Data: values}, To: time.Unix(60*100_000, 0)}
	w := httptest.NewRecorder()
	e := encoder{api.BeginStream(w)}
	e.result(&result, true, true)
	e.Flush()
	var got struct {
		Data []*float64
		To   int64
	}
	if err := json.NewDecoder(w.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Data) != len(values) || got.Data[3] != nil || *got.Data[7] != 1 || got.To != 6_000_000 {
		t.Errorf("%d values", len(got.Data))
	}
}

// BenchmarkEncode shows how far writing an answer is from the library's way of writing the numbers in it, and from copying
// as many bytes.
func BenchmarkEncode(b *testing.B) {
	values := make([]float64, 1440*72)
	for i := range values {
		values[i] = math.Round(math.Sqrt(float64(i))*1000) / 100
	}
	result := metric.Result{Series: metric.Series{Step: time.Minute, Data: values}}
	whole := decimal.AppendFixed3(nil, values...)
	copied := make([]byte, len(whole))
	benchtest.Against(b, len(values), func() {
		e := encoder{api.BeginStream(nowhere{})}
		e.result(&result, true, true)
		e.Flush()
	},
		benchtest.Limit{Name: "strconv", Run: func() {
			buf := copied[:0]
			for _, v := range values {
				buf = append(strconv.AppendFloat(buf, v, 'f', 3, 64), ',')
			}
		}},
		benchtest.Limit{Name: "copy", Run: func() { copy(copied, whole) }})
}

// nowhere is a reply that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
