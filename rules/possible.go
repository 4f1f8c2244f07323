package rules

import (
	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file finds conditions that can never hold: an error, because whoever wrote them meant something else. It says so
// only when it is sure.

// hopeless is a leaf that can be impossible by itself; never says why, "" if it can hold.
type hopeless interface{ never(p *Policy) lang.Text }

// exclusive is a leaf that can be impossible together with another one; excludes says why, "" if both can hold.
type exclusive interface{ excludes(other leaf) lang.Text }

// place is where the file has a condition.
type place struct {
	key  *yaml.Node
	when *cond
}

// checkPossible complains about the conditions that can never hold. What values say against each other is looked at
// only when everything could be read: of a list whose phrases are wrong nothing is left, and nothing can be said.
func (l *loader) checkPossible() {
	whole := len(l.problems) == 0
	for _, at := range l.places {
		if l.bad[at.key] || at.when == nil {
			continue
		}
		if can, _ := at.when.canHold(); can == 0 {
			l.fail(at.key, impossibleHint(at.when), "this can never hold: %s", impossibleKinds(at.when))
			continue
		}
		if !whole {
			continue
		}
		if why := at.when.impossible(l.policy); why != "" {
			l.fail(at.key, "take one of them out, or join them with `any`", "this can never hold: %s", why)
		}
	}
}

// impossibleKinds names the two parts that ask for different kinds of turns.
func impossibleKinds(k *cond) lang.Text {
	if k.name == "all" {
		for i, a := range k.kids {
			for _, b := range k.kids[i+1:] {
				ta, _ := a.canHold()
				tb, _ := b.canHold()
				if ta != 0 && tb != 0 && ta&tb == 0 {
					return lang.Say("`%s` asks for %s, `%s` for %s", a.name, lang.Join(" or ", ta.words()...), b.name, lang.Join(" or ", tb.words()...))
				}
			}
		}
	}
	for _, kid := range k.kids {
		if can, _ := kid.canHold(); can == 0 {
			return impossibleKinds(kid)
		}
	}
	return "its parts ask for different kinds of turns"
}

func impossibleHint(k *cond) lang.Text {
	hint := lang.Text("make two rules of it, or join the parts with `any`")
	k.walk(func(l *cond) {
		if l.name == "says" {
			hint = "`said: {any: […], within: …}` remembers what the customer said before"
		}
	})
	return hint
}

// impossible says why a condition can never hold whatever the turn is, "" if it can.
func (k *cond) impossible(p *Policy) lang.Text {
	k = k.unwrap()
	switch k.name {
	case "not":
		return ""
	case "any":
		var why lang.Text
		for _, kid := range k.kids {
			if why = kid.impossible(p); why == "" {
				return ""
			}
		}
		return why
	case "all":
		parts := k.conjuncts(nil)
		for i, a := range parts {
			if why := a.impossible(p); why != "" {
				return why
			}
			for _, b := range parts[i+1:] {
				if why := clash(a, b); why != "" {
					return why
				}
			}
		}
		return ""
	}
	if h, ok := k.leaf.(hopeless); ok {
		return h.never(p)
	}
	return ""
}

// conjuncts appends the parts of nested `all`s.
func (k *cond) conjuncts(parts []*cond) []*cond {
	if k = k.unwrap(); k.name != "all" {
		return append(parts, k)
	}
	for _, kid := range k.kids {
		parts = kid.conjuncts(parts)
	}
	return parts
}

// clash says why two conditions cannot both hold, "" if they can.
func clash(a, b *cond) lang.Text {
	a, b = a.unwrap(), b.unwrap()
	switch {
	case a.name == "any":
		var why lang.Text
		for _, kid := range a.kids {
			if why = clash(kid, b); why == "" {
				return ""
			}
		}
		return why
	case a.name == "all":
		for _, kid := range a.kids {
			if why := clash(kid, b); why != "" {
				return why
			}
		}
		return ""
	case b.name == "any", b.name == "all":
		return clash(b, a)
	case a.name == "not":
		if b.name != "not" && b.implies(a.kids[0]) {
			return lang.Say("`%s` must hold, and `not` rules it out", b.name)
		}
		return ""
	case b.name == "not":
		return clash(b, a)
	}
	for _, pair := range [][2]leaf{{a.leaf, b.leaf}, {b.leaf, a.leaf}} {
		if x, ok := pair[0].(exclusive); ok {
			if why := x.excludes(pair[1]); why != "" {
				return why
			}
		}
	}
	return ""
}
