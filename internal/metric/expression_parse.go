package metric

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bounds of an expression. A configuration that exceeds them is a mistake, and would cost whoever asks, again and again.
const (
	maxExpression = 1000 // bytes
	maxNesting    = 50
)

// ParseExpression reads an expression. The error says at which character what is wrong.
func ParseExpression(text string) (*Expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("the expression is longer than %d characters", maxExpression)
	}
	p := expressionParser{text: text}
	root, err := p.sum()
	if err == nil && p.peek() != 0 {
		err = p.wanted("an operator or the end")
	}
	if err != nil {
		return nil, err
	}
	e := &Expression{text: text, root: root}
	if e.lookback = e.collect(root); len(e.operands) == 0 {
		return nil, fmt.Errorf("expression %q names no metric", text)
	}
	return e, nil
}

// expressionParser reads an expression from left to right, a method for each rule of the grammar.
type expressionParser struct {
	text    string
	at      int
	nesting int
}

// wanted says what should stand here instead of what does.
func (p *expressionParser) wanted(what string) error {
	found := "the end"
	if p.at < len(p.text) {
		found = strconv.QuoteRune([]rune(p.text[p.at:])[0])
	}
	return p.wrong("%s is expected, and not %s", what, found)
}

func (p *expressionParser) wrong(format string, args ...any) error {
	return fmt.Errorf("expression %q, character %d: %s", p.text, p.at+1, fmt.Sprintf(format, args...))
}

// peek returns the next character that is not a space, 0 at the end.
func (p *expressionParser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *expressionParser) sum() (*node, error) { return p.chain(p.product, "+-") }

func (p *expressionParser) product() (*node, error) { return p.chain(p.factor, "*/") }

// chain reads parts with operators in between, which belong together from left to right.
func (p *expressionParser) chain(part func() (*node, error), operators string) (*node, error) {
	left, err := part()
	if err != nil {
		return nil, err
	}
	for {
		c := p.peek()
		if c == 0 || strings.IndexByte(operators, c) < 0 {
			return left, nil
		}
		p.at++
		right, err := part()
		if err != nil {
			return nil, err
		}
		left = &node{op: operator(c), left: left, right: right}
	}
}

func (p *expressionParser) factor() (*node, error) {
	if p.nesting++; p.nesting > maxNesting {
		return nil, p.wrong("more than %d levels of brackets and signs", maxNesting)
	}
	defer func() { p.nesting-- }()
	c := p.peek()
	switch {
	case c == '(':
		return p.brackets()
	case c == '-':
		p.at++
		n, err := p.factor()
		return &node{op: opNegate, left: n}, err
	case c >= '0' && c <= '9':
		return p.number()
	case c == '"':
		return p.quoted()
	case startsName(c):
		return p.name()
	}
	return nil, p.wanted("a metric, a number, rate() or a bracket")
}

// brackets reads an expression between brackets.
func (p *expressionParser) brackets() (*node, error) {
	p.at++
	n, err := p.sum()
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		return nil, p.wanted("an operator or )")
	}
	p.at++
	return n, nil
}

func (p *expressionParser) number() (*node, error) {
	begin := p.at
	for p.at < len(p.text) && (isDigit(p.text[p.at]) || p.text[p.at] == '.') {
		p.at++
	}
	if p.at < len(p.text) && (p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		if p.at++; p.at < len(p.text) && (p.text[p.at] == '-' || p.text[p.at] == '+') {
			p.at++
		}
		for p.at < len(p.text) && isDigit(p.text[p.at]) {
			p.at++
		}
	}
	digits := p.text[begin:p.at]
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(v, 0) {
		p.at = begin
		return nil, p.wrong("%s is not a number", digits)
	}
	return &node{op: opNumber, number: v}, nil
}

func (p *expressionParser) quoted() (*node, error) {
	name, _, ok := strings.Cut(p.text[p.at+1:], `"`)
	if !ok || name == "" || len(name) > MaxName {
		return nil, p.wrong(`a metric's name between two " is expected`)
	}
	p.at += len(name) + 2
	return &node{op: opMetric, name: name}, nil
}

func (p *expressionParser) name() (*node, error) {
	begin := p.at
	for p.at < len(p.text) && (startsName(p.text[p.at]) || isDigit(p.text[p.at]) || p.text[p.at] == '.' || p.text[p.at] == ':') {
		p.at++
	}
	name := p.text[begin:p.at]
	if p.peek() != '(' {
		return &node{op: opMetric, name: name}, nil
	}
	if name != "rate" {
		p.at = begin
		return nil, p.wrong("there is no function %s; the only one is rate", name)
	}
	n, err := p.brackets()
	return &node{op: opRate, left: n}, err
}

func startsName(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
