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

// mayWrite returns fault.Denied, naming the permission, unless the caller may change attributes with these names.
func (r rights) mayWrite(c identity.Caller, names []string) error {
	if err := c.Require(r.write); err != nil {
		return err
	}
	if slices.ContainsFunc(names, Reserved) {
		return c.Require(r.writeReserved)
	}
	return nil
}

// readable returns those of the attributes that the caller may read.
func (r rights) readable(c identity.Caller, attributes map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range attributes {
		if c.Can(r.read) && (!Reserved(name) || c.Can(r.readReserved)) {
			out[name] = value
		}
	}
	return out
}

func readable(c identity.Caller, attributes map[string]string) map[string]string {
	return nodeRights.readable(c, attributes)
}

// replace puts values in the place of *attributes and returns the sorted names that are no longer there. Removing a
// reserved attribute needs the same permission as writing it.
func (r rights) replace(c identity.Caller, attributes *map[string]string, values map[string]string) (removed []string, err error) {
	for name := range *attributes {
		if _, stays := values[name]; !stays {
			removed = append(removed, name)
		}
	}
	slices.Sort(removed)
	if err := r.mayWrite(c, append(names(values), removed...)); err != nil {
		return nil, err
	}
	if err := checkAttributes(values); err != nil {
		return nil, err
	}
	*attributes = maps.Clone(values)
	return removed, nil
}

// merge sets values and leaves the other attributes as they are.
func (r rights) merge(c identity.Caller, attributes *map[string]string, values map[string]string) error {
	if err := r.mayWrite(c, names(values)); err != nil {
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
func (r rights) remove(c identity.Caller, attributes *map[string]string, gone []string) (removed []string, err error) {
	if err := r.mayWrite(c, gone); err != nil {
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
