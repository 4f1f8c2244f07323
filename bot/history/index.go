package history

import "maps"

// index is where the last entry of each name is, by nameHash.
//
// It is many maps, so that with one or two million names, which is what maxIndexed allows,
// they are four fifths full: one map of a million has doubled just before, and takes half
// as much again.
type index [indexParts]map[uint64]position

const indexParts = 304

func (x *index) part(name uint64) *map[uint64]position { return &x[name>>1%indexParts] }

// get is 0 where nothing is known of a name.
func (x *index) get(name uint64) position { return (*x.part(name))[name] }

func (x *index) set(name uint64, pos position) {
	part := x.part(name)
	if *part == nil {
		*part = map[uint64]position{}
	}
	(*part)[name] = pos
}

func (x *index) delete(name uint64) { delete(*x.part(name), name) }

// deleteUpTo forgets the names whose last entry is in a segment up to this one.
func (x *index) deleteUpTo(segment uint32) {
	for _, part := range x {
		maps.DeleteFunc(part, func(_ uint64, pos position) bool { return pos.segment() <= segment })
	}
}

// setAll takes over what another index knows.
func (x *index) setAll(other *index) {
	for _, part := range other {
		for name, pos := range part {
			x.set(name, pos)
		}
	}
}

func (x *index) len() (n int) {
	for _, part := range x {
		n += len(part)
	}
	return n
}
