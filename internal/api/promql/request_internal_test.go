package promql

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bridgehead-hpc/bridgehead/internal/metric"
)

func TestTimesAreRoundedDown(t *testing.T) {
	t.Parallel()
	for milliseconds, want := range map[int64]int64{0: 0, 999: 0, 1000: 1, -1: -1, -1000: -1, -1001: -2} {
		if got := seconds(milliseconds); got != want {
			t.Errorf("%d: %d", milliseconds, got)
		}
	}
}

func TestTooManyLabelsAreRefused(t *testing.T) {
	t.Parallel()
	var series []byte
	for range maxLabels + 1 {
		series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), nil)
	}
	request := writeRequest(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), series))
	if err := request.check(); err == nil {
		t.Error("taken")
	}
}

func TestReadingCostsNoMemory(t *testing.T) {
	request := someRequest()
	n := testing.AllocsPerRun(100, func() {
		for s := range request.samples {
			_ = s
		}
	})
	if n > 3 { // for the whole request
		t.Errorf("%v allocations", n)
	}
}

// FuzzWriteRequest: whatever comes, nothing breaks, and what has been checked can be read.
func FuzzWriteRequest(f *testing.F) {
	f.Add([]byte(someRequest()))
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, body []byte) {
		request := writeRequest(body)
		if request.check() != nil {
			return
		}
		n := 0
		err := request.each(func(s *metric.Foreign) bool {
			n++
			if s.Value != s.Value || !s.HasTime {
				t.Errorf("sample %d: %+v", n, s)
			}
			return true
		})
		if err != nil || n > len(body)/2 {
			t.Errorf("%d samples, %v", n, err)
		}
	})
}

// someRequest is a hundred series with two samples each.
func someRequest() writeRequest {
	var body []byte
	for range 100 {
		var series []byte
		for _, label := range [][2]string{{"__name__", "cpu_load"}, {"cluster", "alpha"}, {"instance", "n1:9100"}, {"job", "node"}} {
			l := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), label[0])
			l = protowire.AppendString(protowire.AppendTag(l, 2, protowire.BytesType), label[1])
			series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), l)
		}
		for range 2 {
			sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 0x401c000000000000)
			sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), 1_795_463_820_000)
			series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), sample)
		}
		body = protowire.AppendBytes(protowire.AppendTag(body, 1, protowire.BytesType), series)
	}
	return body
}

func BenchmarkReadRequest(b *testing.B) {
	request := someRequest()
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range request.samples {
			n++
		}
		if n != 200 {
			b.Fatal(n)
		}
	}
}
