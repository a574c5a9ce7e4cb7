package sim

import "math"

// noise is a smooth random function of time: the same seed and time always give the same value in [-1, 1]. So history
// that is filled in later continues into live samples without a seam.
func noise(seed uint64, seconds, period float64) float64 {
	x := seconds / period
	i := math.Floor(x)
	f := x - i
	blend := (1 - math.Cos(f*math.Pi)) / 2
	a, b := lattice(seed, int64(i)), lattice(seed, int64(i)+1)
	return a + (b-a)*blend
}

// lattice is the value at a whole multiple of the period.
func lattice(seed uint64, i int64) float64 {
	return 2*unit(mix(seed^mix(uint64(i)))) - 1
}

// unit maps 64 bits onto [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is a finaliser that makes neighbouring seeds unrelated (the constants are those of SplitMix64).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }
