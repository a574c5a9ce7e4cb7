package metric

import (
	"math"
	"time"
)

// minResample is how many points a series has to have to be thinned out (contract clustercockpit 5.7).
const minResample = 1000

// resample thins a series out to the wanted resolution, when that is a multiple of the step and the series is long
// enough; otherwise it returns the series as it is.
func resample(values []float64, step, resolution time.Duration) ([]float64, time.Duration) {
	if resolution <= step || resolution%step != 0 || len(values) < minResample {
		return values, step
	}
	return LargestTriangles(values, int(resolution/step)), resolution
}

// LargestTriangles thins a series out: of every n slots it keeps the one sample that, with the one kept before and the
// mean of the n slots after, spans the largest triangle. Peaks survive that. The first and the last sample are kept;
// n slots without a sample become NaN.
func LargestTriangles(values []float64, n int) []float64 {
	count := (len(values) + n - 1) / n
	out := make([]float64, count)
	prevX, prevY := 0.0, math.NaN()
	for i := range out {
		begin, end := i*n, min((i+1)*n, len(values))
		var at int
		switch {
		case math.IsNaN(prevY):
			at = firstSample(values, begin, end)
		case i == count-1:
			at = lastSample(values, begin, end)
		default:
			nextX, nextY := mean(values, end, min(end+n, len(values)))
			at = largest(values, begin, end, triangle{prevX, prevY, nextX, nextY})
		}
		if at < 0 {
			out[i] = math.NaN()
			continue
		}
		out[i] = values[at]
		prevX, prevY = float64(at), values[at]
	}
	return out
}

// triangle is two corners of triangles; the third one is a sample in between.
type triangle struct{ prevX, prevY, nextX, nextY float64 }

// area returns twice the area with the third corner at (x, y). Without a next corner it is the distance in height.
func (t triangle) area(x, y float64) float64 {
	if math.IsNaN(t.nextY) {
		return math.Abs(y - t.prevY)
	}
	return math.Abs((t.prevX-t.nextX)*(y-t.prevY) - (t.prevX-x)*(t.nextY-t.prevY))
}

// largest returns the sample in [begin, end) that spans the largest triangle, -1 when there is no sample.
func largest(values []float64, begin, end int, t triangle) int {
	at, best := -1, -1.0
	for i := begin; i < end; i++ {
		if math.IsNaN(values[i]) {
			continue
		}
		if a := t.area(float64(i), values[i]); at < 0 || a > best {
			at, best = i, a
		}
	}
	return at
}

// mean returns the middle of the samples in [begin, end), NaN when there are none.
func mean(values []float64, begin, end int) (x, y float64) {
	n := 0.0
	for i := begin; i < end; i++ {
		if !math.IsNaN(values[i]) {
			x += float64(i)
			y += values[i]
			n++
		}
	}
	return x / n, y / n
}

func firstSample(values []float64, begin, end int) int {
	for i := begin; i < end; i++ {
		if !math.IsNaN(values[i]) {
			return i
		}
	}
	return -1
}

func lastSample(values []float64, begin, end int) int {
	for i := end - 1; i >= begin; i-- {
		if !math.IsNaN(values[i]) {
			return i
		}
	}
	return -1
}
