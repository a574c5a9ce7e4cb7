package hostlist

import (
	"slices"
	"strconv"
	"strings"
)

// Fold writes hosts as a short expression in natural order, each host once: n[1-3,07]. It is the inverse of Parse: the
// expression stands for exactly these hosts. Names that Parse would not read, such as empty ones, are left out.
func Fold(hosts []string) string {
	hosts = slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !isName(h) })
	slices.SortFunc(hosts, Compare)
	hosts = slices.Compact(hosts)
	patterns := make([]pattern, len(hosts))
	for i, h := range hosts {
		patterns[i] = newPattern(h)
	}
	for back := range MaxBrackets { // the last number of a name varies most
		patterns = merge(patterns, back)
	}
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = p.String()
	}
	return strings.Join(texts, ",")
}

func isName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// pattern is a name cut at its numbers: lits[0] fields[0] lits[1] ... lits[n]. A field is one number or, once merged,
// brackets.
type pattern struct {
	lits   []string
	fields []string
}

// newPattern cuts the last MaxBrackets numbers out of host; earlier ones, and those that Parse would find too long, stay
// parts of the literals.
func newPattern(host string) pattern {
	var p pattern
	end := len(host)
	for i := len(host); i > 0 && len(p.fields) < MaxBrackets; {
		if !isDigit(host[i-1]) {
			i--
			continue
		}
		stop := i
		for i > 0 && isDigit(host[i-1]) {
			i--
		}
		if stop-i > maxDigits {
			continue
		}
		p.lits = append(p.lits, host[stop:end])
		p.fields = append(p.fields, host[i:stop])
		end = i
	}
	p.lits = append(p.lits, host[:end])
	slices.Reverse(p.lits)
	slices.Reverse(p.fields)
	return p
}

// String writes the pattern as an item of an expression.
func (p pattern) String() string {
	var b strings.Builder
	for i, f := range p.fields {
		b.WriteString(p.lits[i])
		b.WriteString(f)
	}
	b.WriteString(p.lits[len(p.lits)-1])
	return b.String()
}

// key is everything but the field i: patterns with the same key differ in that field only.
func (p pattern) key(i int) string {
	var b strings.Builder
	for j, lit := range p.lits {
		b.WriteString(lit)
		b.WriteByte(0)
		if j < len(p.fields) && j != i {
			b.WriteString(p.fields[j])
		}
		b.WriteByte(0)
	}
	return b.String()
}

// merge joins the patterns that differ in nothing but the field that stands back places before their last one. The first
// of them keeps its place.
func merge(patterns []pattern, back int) []pattern {
	groups := map[string]int{} // key -> index in merged
	var merged []pattern
	var numbers [][]string
	for _, p := range patterns {
		i := len(p.fields) - 1 - back
		if i < 0 {
			merged, numbers = append(merged, p), append(numbers, nil)
			continue
		}
		key := strconv.Itoa(i) + p.key(i)
		at, ok := groups[key]
		if !ok {
			at = len(merged)
			groups[key] = at
			merged, numbers = append(merged, p), append(numbers, nil)
		}
		numbers[at] = append(numbers[at], p.fields[i])
	}
	for at, texts := range numbers {
		if len(texts) > 1 {
			p := merged[at]
			p.fields[len(p.fields)-1-back] = "[" + foldNumbers(texts) + "]"
		}
	}
	return merged
}

// foldNumbers writes numbers as ranges, keeping the width of those with leading zeros.
func foldNumbers(texts []string) string {
	padded := map[int]bool{} // widths that occur with a leading zero
	for _, t := range texts {
		if len(t) > 1 && t[0] == '0' {
			padded[len(t)] = true
		}
	}
	byWidth := map[int][]uint64{} // 1: as long as need be
	for _, t := range texts {
		width := 1
		if padded[len(t)] {
			width = len(t)
		}
		n, err := strconv.ParseUint(t, 10, 64)
		if err != nil { // cannot be: newPattern takes at most maxDigits digits
			continue
		}
		byWidth[width] = append(byWidth[width], n)
	}
	var ranges []string
	for width, numbers := range byWidth {
		slices.Sort(numbers)
		ranges = append(ranges, formatRanges(width, numbers)...)
	}
	slices.SortFunc(ranges, Compare)
	return strings.Join(ranges, ",")
}

// formatRanges writes sorted numbers as ranges. A number of a padded width never has more digits than that, so that the
// ends of a range are equally long.
func formatRanges(width int, numbers []uint64) []string {
	var ranges []string
	for i := 0; i < len(numbers); {
		j := i + 1
		for j < len(numbers) && numbers[j] == numbers[j-1]+1 {
			j++
		}
		s := span{lo: numbers[i], hi: numbers[j-1], width: width}
		text := s.format(s.lo)
		if s.hi > s.lo {
			text += "-" + s.format(s.hi)
		}
		ranges = append(ranges, text)
		i = j
	}
	return ranges
}
