package node

import (
	"maps"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// rights are the permissions that reading and writing of attributes need: one for all, and another one on top for the
// reserved names.
type rights struct{ read, readReserved, write, writeReserved identity.Permission }

var (
	nodeRights  = rights{identity.NodesReadAttribs, identity.NodesReadReserv, identity.NodesWriteAttribs, identity.NodesWriteReserv}
	groupRights = rights{identity.AttribGroupsRead, identity.AttribGroupsReadReserv, identity.AttribGroupsWrite, identity.AttribGroupsWriteReserv}
)

// asker is whom permissions are asked of: a caller, or a caller as far as one node is concerned.
type asker interface {
	// Can reports whether he has the permission.
	Can(p identity.Permission) bool
	// Require returns fault.Denied, naming the permission, unless he has it.
	Require(p identity.Permission) error
}

// onNode is a caller as far as the node of one name is concerned.
type onNode struct {
	caller identity.Caller
	name   string
}

// Can implements asker.
func (o onNode) Can(p identity.Permission) bool { return o.caller.CanOn(p, o.name) }

// Require implements asker.
func (o onNode) Require(p identity.Permission) error { return o.caller.RequireOn(p, o.name) }

// needed returns what it needs to change attributes with these names.
func (r rights) needed(names []string) []identity.Permission {
	if slices.ContainsFunc(names, Reserved) {
		return []identity.Permission{r.write, r.writeReserved}
	}
	return []identity.Permission{r.write}
}

// mayWrite returns fault.Denied, naming the permission, unless a may change attributes with these names.
func (r rights) mayWrite(a asker, names []string) error { return requireAll(a, r.needed(names)) }

func requireAll(a asker, ps []identity.Permission) error {
	for _, p := range ps {
		if err := a.Require(p); err != nil {
			return err
		}
	}
	return nil
}

// mayRead reports whether a may read the attribute of that name.
func (r rights) mayRead(a asker, name string) bool {
	return a.Can(r.read) && (!Reserved(name) || a.Can(r.readReserved))
}

// readable returns those of the attributes that a may read.
func (r rights) readable(a asker, attributes map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range attributes {
		if r.mayRead(a, name) {
			out[name] = value
		}
	}
	return out
}

// replace puts values in the place of *attributes and returns the sorted names that are no longer there. Removing a
// reserved attribute needs the same permission as writing it.
func (r rights) replace(a asker, attributes *map[string]string, values map[string]string) (removed []string, err error) {
	for name := range *attributes {
		if _, stays := values[name]; !stays {
			removed = append(removed, name)
		}
	}
	slices.Sort(removed)
	if err := r.mayWrite(a, append(names(values), removed...)); err != nil {
		return nil, err
	}
	if err := checkAttributes(values); err != nil {
		return nil, err
	}
	*attributes = maps.Clone(values)
	return removed, nil
}

// merge sets values and leaves the other attributes as they are.
func (r rights) merge(a asker, attributes *map[string]string, values map[string]string) error {
	if err := r.mayWrite(a, names(values)); err != nil {
		return err
	}
	merged := map[string]string{}
	maps.Copy(merged, *attributes)
	maps.Copy(merged, values)
	if err := checkAttributes(merged); err != nil {
		return err
	}
	*attributes = merged
	return nil
}

// remove takes the named attributes away and returns the names of those that were there.
func (r rights) remove(a asker, attributes *map[string]string, gone []string) (removed []string, err error) {
	if err := r.mayWrite(a, gone); err != nil {
		return nil, err
	}
	left := maps.Clone(*attributes)
	for _, name := range gone {
		if _, ok := left[name]; ok {
			delete(left, name)
			removed = append(removed, name)
		}
	}
	slices.Sort(removed)
	*attributes = left
	return removed, nil
}
