package node

import "strings"

// OriginKind is the layer that an attribute's value comes from.
type OriginKind uint8

// The layers, weakest first (contract clusterware 5.2).
const (
	OriginDefault OriginKind = iota // the default group, in which every node is
	OriginGroup                     // one of the node's groups
	OriginNode                      // the node itself
)

// Origin says where an attribute's value comes from.
type Origin struct {
	Kind  OriginKind
	Group string // the group's name, for OriginGroup and OriginDefault
}

// String returns "default", the group's name, or "node".
func (o Origin) String() string {
	switch o.Kind {
	case OriginDefault:
		return "default"
	case OriginGroup:
		return o.Group
	case OriginNode:
		return "node"
	}
	return "unknown"
}

// Setting is one value of an attribute and where it is set.
type Setting struct {
	Value string
	From  Origin
}

// Effective is the value of an attribute that counts, and the ones that it hides, nearest first.
type Effective struct {
	Setting
	Shadowed []Setting
}

// Explained is a node's effective attributes by name, each with its origin.
type Explained map[string]Effective

// Explain lays the attributes of the default group, of the groups in their order, and of the node itself over each
// other. Later ones win.
func Explain(def Group, groups []Group, own map[string]string) Explained {
	e := Explained{}
	e.lay(def.Attributes, Origin{OriginDefault, def.Name})
	for _, g := range groups {
		e.lay(g.Attributes, Origin{OriginGroup, g.Name})
	}
	e.lay(own, Origin{Kind: OriginNode})
	return e
}

func (e Explained) lay(attributes map[string]string, from Origin) {
	for name, value := range attributes {
		next := Effective{Setting: Setting{value, from}}
		if below, ok := e[name]; ok {
			next.Shadowed = append([]Setting{below.Setting}, below.Shadowed...)
		}
		e[name] = next
	}
}

// Values returns the effective attributes without their origins.
func (e Explained) Values() map[string]string {
	values := make(map[string]string, len(e))
	for name, a := range e {
		values[name] = a.Value
	}
	return values
}

// Own returns the attributes that the node itself sets.
func (e Explained) Own() map[string]string {
	own := map[string]string{}
	for name, a := range e {
		if a.From.Kind == OriginNode {
			own[name] = a.Value
		}
	}
	return own
}

// Reserved reports whether the platform acts on the attribute.
func Reserved(name string) bool { return strings.HasPrefix(name, "_") }
