package metricstore

import "slices"

// stretch is chunks from number from up to number to.
type stretch struct{ from, to int64 }

// stretches are chunks, in ascending order, with gaps between any two.
type stretches []stretch

// behind returns the place of the first stretch that begins behind the chunk.
func (list stretches) behind(number int64) int {
	i, _ := slices.BinarySearchFunc(list, number+1, func(s stretch, n int64) int { return int(s.from - n) })
	return i
}

// has reports whether the chunk is one of them.
func (list stretches) has(number int64) bool {
	i := list.behind(number)
	return i > 0 && number < list[i-1].to
}

// with returns the list with one chunk more. It may use the memory of the list.
func (list stretches) with(number int64) stretches {
	if list.has(number) {
		return list
	}
	i := list.behind(number)
	joins, joined := i > 0 && list[i-1].to == number, i < len(list) && list[i].from == number+1
	switch {
	case joins && joined:
		list[i-1].to = list[i].to
		return slices.Delete(list, i, i+1)
	case joins:
		list[i-1].to++
	case joined:
		list[i].from--
	default:
		return slices.Insert(list, i, stretch{number, number + 1})
	}
	return list
}

// without returns the list without the chunks from number from up to number to.
func (list stretches) without(from, to int64) stretches {
	var rest stretches
	for _, s := range list {
		if s.from < from {
			rest = append(rest, stretch{s.from, min(s.to, from)})
		}
		if s.to > to {
			rest = append(rest, stretch{max(s.from, to), s.to})
		}
	}
	return rest
}

// until returns up to which chunk, but not behind to, the chunks from number on are all in the list, or all not.
func (list stretches) until(number, to int64) (end int64, in bool) {
	for _, s := range list {
		if number < s.from {
			return min(s.from, to), false
		}
		if number < s.to {
			return min(s.to, to), true
		}
	}
	return to, false
}
