package metric

import "math"

// evaluate returns the values of the expression slot by slot. The operands have n values each, one every step seconds.
func (e *Expression) evaluate(operands map[string][]float64, n int, step float64) []float64 {
	ev := evaluation{operands, n, step}
	values := ev.of(e.root)
	for i, v := range values {
		if math.IsInf(v, 0) {
			values[i] = math.NaN()
		}
	}
	return values
}

type evaluation struct {
	operands map[string][]float64
	n        int
	step     float64
}

// of returns the values of a part of the expression, which are the caller's to change.
func (ev *evaluation) of(n *node) []float64 {
	switch n.op {
	case opNumber:
		values := make([]float64, ev.n)
		fill(values, n.number)
		return values
	case opMetric:
		return append(make([]float64, 0, ev.n), ev.operands[n.name]...)
	case opRate:
		return ev.rate(ev.of(n.left))
	case opNegate:
		values := ev.of(n.left)
		for i := range values {
			values[i] = -values[i]
		}
		return values
	case opAdd, opSub, opMul, opDiv:
	}
	return apply(n.op, ev.of(n.left), ev.of(n.right))
}

// rate replaces the values of a counter by its growth a second.
func (ev *evaluation) rate(values []float64) []float64 {
	for i := len(values) - 1; i >= 0; i-- {
		if i == 0 || values[i] < values[i-1] {
			values[i] = math.NaN()
			continue
		}
		values[i] = (values[i] - values[i-1]) / ev.step
	}
	return values
}

// apply puts the results into a. A NaN on either side makes one of the result.
func apply(op operator, a, b []float64) []float64 {
	for i, v := range b {
		switch op { //nolint:exhaustive // the others have one side
		case opAdd:
			a[i] += v
		case opSub:
			a[i] -= v
		case opMul:
			a[i] *= v
		case opDiv:
			if v == 0 {
				v = math.NaN()
			}
			a[i] /= v
		}
	}
	return a
}
