package rules

import (
	"hash/fnv"
)

// state is a truth value. A condition that does not apply to the kind of turn is neither true nor false, and neither
// is its `not`; all, any and not follow Kleene's logic.
type state uint8

const (
	no state = iota
	unfit
	yes
)

// verdict is what a condition says about a turn.
type verdict struct {
	state state
	near  bool // no, but by little
	why   Reason
	// have and need are the counter's value and what it must reach.
	have, need int
	found      finding
}

// leaf is a condition that is not made of others.
type leaf interface {
	holds(e *evaluation) verdict
	// explain says in words why the verdict is what it is.
	explain(e *evaluation, v verdict) string
}

// cond is a node of a compiled condition.
type cond struct {
	name    string // the key in the file: says, all, …
	kids    []*cond
	leaf    leaf
	applies kinds
	inner   *cond // `rule`: the other rule's condition
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
		e.lenient = false
		result := yes - k.kids[0].eval(e)
		e.lenient = lenient
		return result
	}
	return k.evalLeaf(e).state
}

func (k *cond) evalLeaf(e *evaluation) verdict {
	if k.applies&e.kind == 0 {
		return verdict{state: unfit}
	}
	v := k.leaf.holds(e)
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
	if k.inner != nil {
		return k.inner.canHold()
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

// appendMatches collects the hits of the leaves that hold.
func (k *cond) appendMatches(e *evaluation, matches []Match) []Match {
	k.walk(func(l *cond) {
		if l.evalLeaf(e).state != yes {
			return
		}
		if m, ok := l.leaf.(interface {
			appendMatches(e *evaluation, matches []Match) []Match
		}); ok {
			matches = m.appendMatches(e, matches)
		}
	})
	return matches
}

// stableKey is the same in every process and after every reload, as long as the words are.
func stableKey(words ...string) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum64()
}
