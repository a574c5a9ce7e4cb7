package metric

import (
	"fmt"
	"math"
	"time"
)

// DefaultMinimumPoints is how many points a series has to have to be thinned out when nobody says how (contract
// clustercockpit 5.7), unless the site is configured otherwise.
const DefaultMinimumPoints = 1000

// Resampling is a way to thin a series out.
type Resampling string

// The ways. Without one it is that of the largest triangles, and only for series of at least as many samples as
// the site is configured for.
const (
	ResampleDefault   Resampling = ""
	ResampleTriangles Resampling = "lttb"    // samples that carry the shape of the curve
	ResampleAverage   Resampling = "average" // the mean of each stretch
	ResampleExtremes  Resampling = "minmax"  // the least and the greatest sample of every two stretches
)

// ParseResampling returns the way of that name. The empty name is the default.
func ParseResampling(name string) (Resampling, error) {
	switch r := Resampling(name); r {
	case ResampleDefault, ResampleTriangles, ResampleAverage, ResampleExtremes:
		return r, nil
	}
	return ResampleDefault, fmt.Errorf("unknown resampling %q: it is lttb, average or minmax", name)
}

// resample thins a series out to the wanted resolution, when that is a multiple of the step and, unless the way is named,
// the series is long enough; otherwise it returns the series as it is.
func (s *Service) resample(values []float64, step, resolution time.Duration, how Resampling) ([]float64, time.Duration) {
	if resolution <= step || resolution%step != 0 || how == ResampleDefault && len(values) < s.minimumPoints || len(values) == 0 {
		return values, step
	}
	n := int(resolution / step)
	switch how {
	case ResampleAverage:
		return Averages(values, n), resolution
	case ResampleExtremes:
		return Extremes(values, n), resolution
	case ResampleDefault, ResampleTriangles:
	}
	return LargestTriangles(values, n), resolution
}

// Averages thins a series out: every n slots become the mean of their samples, NaN when they have none.
func Averages(values []float64, n int) []float64 {
	out := make([]float64, (len(values)+n-1)/n)
	for i := range out {
		_, out[i] = mean(values, i*n, min((i+1)*n, len(values)))
	}
	return out
}

// Extremes thins a series out: every 2n slots become two, the least and the greatest of their samples in the order in
// which they were measured. So no extreme is ever lost. The result has an even number of slots. Where all samples of 2n
// slots are one, the other slot is NaN.
func Extremes(values []float64, n int) []float64 {
	out := make([]float64, 0, (len(values)+2*n-1)/(2*n)*2)
	for begin := 0; begin < len(values); begin += 2 * n {
		first, second := extremes(values, begin, min(begin+2*n, len(values)))
		pair := [2]float64{math.NaN(), math.NaN()}
		switch {
		case first < 0:
		case first == second:
			pair[(first-begin)/n] = values[first]
		default:
			pair = [2]float64{values[first], values[second]}
		}
		out = append(out, pair[0], pair[1])
	}
	return out
}

// extremes returns where the least and the greatest sample in [begin, end) are, in order; -1 when there is none.
func extremes(values []float64, begin, end int) (first, second int) {
	least, greatest := -1, -1
	for i := begin; i < end; i++ {
		v := values[i]
		switch {
		case math.IsNaN(v):
		case least < 0:
			least, greatest = i, i
		case v < values[least]:
			least = i
		case v >= values[greatest]:
			greatest = i
		}
	}
	return min(least, greatest), max(least, greatest)
}

// LargestTriangles thins a series out: of every n slots it keeps the one sample that, with the one kept before and the
// mean of the n slots after, spans the largest triangle. Peaks survive that. The first and the last sample are kept;
// n slots without a sample become NaN. When all samples lie within n slots, only the first one is kept.
func LargestTriangles(values []float64, n int) []float64 {
	out := make([]float64, (len(values)+n-1)/n)
	last := lastSample(values, 0, len(values)) / n
	prevX, prevY := 0.0, math.NaN()
	for i := range out {
		begin, end := i*n, min((i+1)*n, len(values))
		var at int
		switch {
		case math.IsNaN(prevY):
			at = firstSample(values, begin, end)
		case i == last:
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
