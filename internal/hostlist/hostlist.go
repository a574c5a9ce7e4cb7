// Package hostlist reads, compares and folds lists of host names such as n[001-128,200].
package hostlist

// List is a parsed list expression. The zero value contains no host.
type List struct{}
