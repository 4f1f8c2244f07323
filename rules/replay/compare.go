package replay

import (
	"cmp"
	"slices"

	"escalator/rules"
)

// Difference is what one policy does otherwise than another.
type Difference struct {
	Gained  []Change `json:"gained"`  // what is done only now
	Lost    []Change `json:"lost"`    // what was done only before
	Changed []Change `json:"changed"` // by another rule, to another target, in other words, or at another turn
}

// Kind is what happens to a conversation, as far as two policies are compared.
type Kind string

// The kinds. The customer meets the first three; the last two are for the reader of the rules.
const (
	KindTransfer Kind = "transfer" // goes to a person
	KindOffer    Kind = "offer"    // is asked whether to
	KindSay      Kind = "say"      // is told something and stays with the bot, or meets closed doors
	KindShadow   Kind = "shadow"   // a shadow rule would have acted
	KindNear     Kind = "near"     // a rule came near
)

// Change is one thing that happens to one conversation otherwise than before.
// Before or After is nil where it does not happen.
type Change struct {
	Session string   `json:"session"`
	Kind    Kind     `json:"kind"`
	Before  *Decided `json:"before,omitempty"`
	After   *Decided `json:"after,omitempty"`
}

// Rule is the rule that the change is about: the present one where there is one.
func (c *Change) Rule() string {
	if c.After != nil {
		return c.After.Rule
	}
	return c.Before.Rule
}

// Compare compares what happened to each conversation first, of each kind. What
// rules say, watch and nearly do is compared rule by rule.
func Compare(before, after *Result) Difference {
	d := Difference{Gained: []Change{}, Lost: []Change{}, Changed: []Change{}}
	old, now := before.firsts(), after.firsts()
	for k, a := range now {
		b := old[k]
		switch {
		case b == nil:
			d.Gained = append(d.Gained, Change{Session: k.session, Kind: k.kind, After: a})
		case a.Rule != b.Rule || a.Target != b.Target || a.Turn != b.Turn || a.Say != b.Say:
			d.Changed = append(d.Changed, Change{Session: k.session, Kind: k.kind, Before: b, After: a})
		}
	}
	for k, b := range old {
		if now[k] == nil {
			d.Lost = append(d.Lost, Change{Session: k.session, Kind: k.kind, Before: b})
		}
	}
	for _, list := range [][]Change{d.Gained, d.Lost, d.Changed} {
		slices.SortFunc(list, func(a, b Change) int {
			return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule(), b.Rule()))
		})
	}
	return d
}

// place is where something is compared: the rule is empty where it does not matter whose act it is.
type place struct {
	session string
	kind    Kind
	rule    string
}

// firsts finds the first act of each kind in each conversation.
func (r *Result) firsts() map[place]*Decided {
	first := map[place]*Decided{}
	note := func(p place, d *Decided) {
		if first[p] == nil {
			first[p] = d
		}
	}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		switch {
		case d.Outcome == rules.OutcomeTransfer:
			note(place{d.Session, KindTransfer, ""}, d)
		case d.Outcome == rules.OutcomeOffer:
			note(place{d.Session, KindOffer, ""}, d)
		case d.Say != "" && (d.Outcome == rules.OutcomeKeep || d.Outcome == rules.OutcomeClosed || d.Outcome == rules.OutcomeMessage):
			note(place{d.Session, KindSay, d.Rule}, d)
		}
		for _, id := range d.Shadow {
			watched := *d
			watched.Rule, watched.Target, watched.Say = id, "", ""
			note(place{d.Session, KindShadow, id}, &watched)
		}
	}
	for i := range r.Near {
		d := &r.Near[i]
		note(place{d.Session, KindNear, d.Rule}, d)
	}
	return first
}
