package rules

import "slices"

// state is a truth value. A condition that does not apply to the kind of turn is neither true nor false, and neither
// is its `not`; all, any and not follow Kleene's logic.
type state uint8

const (
	no state = iota
	unfit
	yes
)

// cond is a node of a compiled condition: all, any, not, or a leaf.
type cond struct {
	name    string // the key in the file: says, all, …
	kids    []*cond
	leaf    leaf
	applies kinds // of a leaf
}

// eval evaluates the tree; it changes nothing but the evaluation's notes on near misses.
func (k *cond) eval(e *evaluation) state {
	switch k.name {
	case "all":
		result := yes
		for _, kid := range k.kids {
			if result = min(result, kid.eval(e)); result == no {
				return no
			}
		}
		return result
	case "any":
		result := no
		for _, kid := range k.kids {
			if result = max(result, kid.eval(e)); result == yes {
				return yes
			}
		}
		return result
	case "not":
		lenient := e.lenient
		e.lenient, e.inverted = false, !e.inverted
		result := yes - k.kids[0].eval(e)
		e.lenient, e.inverted = lenient, !e.inverted
		return result
	}
	return k.evalLeaf(e).state
}

func (k *cond) evalLeaf(e *evaluation) verdict {
	v := verdict{state: unfit}
	if k.applies&e.kind != 0 {
		v = k.leaf.holds(e)
	}
	if e.tried != nil && e.tried.open {
		e.tried.leaf(e, k, v)
	}
	if v.near {
		e.near = true
		if e.lenient {
			v.state = yes
			if e.nearReason == "" {
				e.nearReason = v.why
			}
		}
	}
	return v
}

// canHold gives the kinds of turns on which the condition can be true, and those on which it can be false.
func (k *cond) canHold() (canBe, cannotBe kinds) {
	switch k.name {
	case "all":
		canBe = onAll
		for _, kid := range k.kids {
			t, f := kid.canHold()
			canBe &= t
			cannotBe |= f
		}
		return canBe, cannotBe
	case "any":
		cannotBe = onAll
		for _, kid := range k.kids {
			t, f := kid.canHold()
			canBe |= t
			cannotBe &= f
		}
		return canBe, cannotBe
	case "not":
		t, f := k.kids[0].canHold()
		return f, t
	}
	if w, ok := k.leaf.(wrapper); ok {
		return w.wrapped().canHold()
	}
	return k.applies, k.applies
}

// walk visits every leaf.
func (k *cond) walk(visit func(*cond)) {
	if k == nil {
		return
	}
	if k.leaf != nil {
		visit(k)
	}
	for _, kid := range k.kids {
		kid.walk(visit)
	}
}

// has says that some leaf is as asked, those of other rules that it refers to included.
func (k *cond) has(is func(leaf *cond) bool) bool {
	some := false
	k.walk(func(leaf *cond) {
		if w, ok := leaf.leaf.(wrapper); ok {
			some = some || w.wrapped().has(is)
		}
		some = some || is(leaf)
	})
	return some
}

// implies says that wherever k holds, b holds too. It is sure when it says yes; a no may be a "cannot tell".
func (k *cond) implies(b *cond) bool {
	k, b = k.unwrap(), b.unwrap()
	switch {
	case b.name == "all":
		return !slices.ContainsFunc(b.kids, func(kid *cond) bool { return !k.implies(kid) })
	case k.name == "any":
		return !slices.ContainsFunc(k.kids, func(kid *cond) bool { return !kid.implies(b) })
	case b.name == "any":
		return slices.ContainsFunc(b.kids, func(kid *cond) bool { return k.implies(kid) })
	case k.name == "all":
		return slices.ContainsFunc(k.kids, func(kid *cond) bool { return kid.implies(b) })
	case k.name == "not" && b.name == "not":
		return b.kids[0].implies(k.kids[0])
	case k.name == "not" || b.name == "not":
		return false
	}
	return k.leaf.implies(b.leaf)
}

// unwrap gives the condition that a leaf stands for.
func (k *cond) unwrap() *cond {
	for {
		w, ok := k.leaf.(wrapper)
		if !ok {
			return k
		}
		k = w.wrapped()
	}
}
