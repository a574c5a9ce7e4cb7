package metric

import (
	"slices"
)

// Expression says how a derived metric is computed of others:
//
//	expression = term { ("+" | "-") term }
//	term       = factor { ("*" | "/") factor }
//	factor     = number | metric | "rate" "(" expression ")" | "(" expression ")" | "-" factor
//	metric     = a letter or underscore, then letters, digits, "_", "." and ":" | '"' any other characters '"'
//
// Rate is by how much a counter grows a second. A counter that has become less was begun anew, which is a gap. Where an
// operand has no sample, and where something is divided by zero, the result has none either.
type Expression struct {
	text     string
	root     *node
	operands []string
	lookback int // how many slots before a slot have an influence on it
}

// node is a part of an expression.
type node struct {
	op          operator
	number      float64
	name        string
	left, right *node // a unary operator has only left
}

type operator byte

const (
	opNumber operator = '0'
	opMetric operator = 'm'
	opRate   operator = 'r'
	opNegate operator = 'n'
	opAdd    operator = '+'
	opSub    operator = '-'
	opMul    operator = '*'
	opDiv    operator = '/'
)

// String returns the expression as it was written.
func (e *Expression) String() string {
	if e == nil {
		return ""
	}
	return e.text
}

// Equal reports whether both are written alike, or both absent.
func (e *Expression) Equal(other *Expression) bool { return e.String() == other.String() }

// Operands returns the metrics that occur in the expression, each once, in the order in which they are first named.
func (e *Expression) Operands() []string { return slices.Clone(e.operands) }

// collect notes the operands below n and returns how far back n looks.
func (e *Expression) collect(n *node) (lookback int) {
	if n == nil {
		return 0
	}
	if n.op == opMetric && !slices.Contains(e.operands, n.name) {
		e.operands = append(e.operands, n.name)
	}
	lookback = max(e.collect(n.left), e.collect(n.right))
	if n.op == opRate {
		lookback++
	}
	return lookback
}
