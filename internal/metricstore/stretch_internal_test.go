package metricstore

import (
	"testing"

	"pgregory.net/rapid"
)

// A list of stretches is a set of numbers.
func TestStretchesAreASet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list stretches
		set := map[int64]bool{}
		number := rapid.Int64Range(-20, 20)
		t.Repeat(map[string]func(*rapid.T){
			"with": func(t *rapid.T) {
				n := number.Draw(t, "n")
				list, set[n] = list.with(n), true
			},
			"without": func(t *rapid.T) {
				from, to := number.Draw(t, "from"), number.Draw(t, "to")
				if from >= to {
					return
				}
				list = list.without(from, to)
				for n := from; n < to; n++ {
					delete(set, n)
				}
			},
			"": func(t *rapid.T) {
				for n := int64(-22); n < 22; n++ {
					if list.has(n) != set[n] {
						t.Fatalf("%d is in %v: %v", n, list, list.has(n))
					}
					end, in := list.until(n, 22)
					if in != set[n] || end <= n || end < 22 && set[end] == in {
						t.Fatalf("from %d, %v is %v up to %d", n, list, in, end)
					}
				}
				for i := range list {
					if list[i].from >= list[i].to || i > 0 && list[i-1].to >= list[i].from {
						t.Fatalf("%v has stretches that touch", list)
					}
				}
			},
		})
	})
}
