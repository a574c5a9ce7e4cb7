package metric

import (
	"fmt"
	"slices"
	"strings"
)

// Catalogue maps metric names to how they are stored or computed. Each cluster has its own.
type Catalogue map[string]Config

// maxOperands is how many samples a derived metric may be made of in all, those of its derived operands included. Each
// level can double them, so that few lines of configuration could keep a head busy for ever.
const maxOperands = 100

// Check returns what is wrong with a derived metric: operands that are not there, that are measured in steps that do not
// fit, or that are made of the metric itself. Of a measured one it returns nil.
func (c Catalogue) Check(name string) error {
	_, err := c.operands(name, nil)
	return err
}

// measured returns the names of the metrics that are stored, sorted.
func (c Catalogue) measured() []string {
	var names []string
	for name, config := range c {
		if config.Derived == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// operands returns of how many samples a metric is made. above is the metrics that are made of it.
func (c Catalogue) operands(name string, above []string) (int, error) {
	config := c[name]
	if config.Derived == nil {
		return 1, nil
	}
	above = append(above, name)
	n := 0
	for _, operand := range config.Derived.operands {
		o, ok := c[operand]
		switch {
		case !ok:
			return 0, fmt.Errorf("%s is derived of %s, which is not configured", name, operand)
		case slices.Contains(above, operand):
			return 0, fmt.Errorf("%s is derived of itself: %s", above[0], strings.Join(append(above, operand), " of "))
		case o.Frequency <= 0 || config.Frequency%o.Frequency != 0:
			return 0, fmt.Errorf("%s is computed every %v, which is no multiple of the %v of %s", name, config.Frequency, o.Frequency, operand)
		}
		more, err := c.operands(operand, above)
		if err != nil {
			return 0, err
		}
		if n += more; n > maxOperands {
			return 0, fmt.Errorf("%s is made of more than %d samples", name, maxOperands)
		}
	}
	return n, nil
}
