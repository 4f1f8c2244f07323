package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var firstContactCondition = &condition{
	key: "first_contact", turns: onAll,
	value:   &shape{name: "true", form: formTrue, examples: []string{"true"}},
	doc:     "It is the first session of a customer of whom nothing is kept.",
	example: "first_contact: true",
	aka:     []string{"new_user", "new_customer", "first_session"},
	build:   func(*loader, *yaml.Node) leaf { return firstContactLeaf{} },
}

// firstContactLeaf is `first_contact`. The conversation knows it, from the first turn to the end of the session: by then
// the customer is known.
type firstContactLeaf struct{}

func (firstContactLeaf) holds(e *evaluation) verdict {
	switch {
	case e.c.first:
		return verdict{state: yes}
	case e.t.User == nil:
		return verdict{state: unfit}
	}
	return verdict{have: int(e.now - e.t.User.First.UnixMilli())}
}

func (firstContactLeaf) explain(_ *evaluation, v verdict) lang.Text {
	switch v.state {
	case yes:
		return "nothing was kept of the customer when this session began"
	case unfit:
		return unknownCustomer
	default:
		return lang.Say("the customer came first %s", since(v.have))
	}
}

func (firstContactLeaf) late(*evaluation, verdict) bool { return true }

// unknownCustomer is why a condition on the customer neither holds nor does not.
const unknownCustomer = "nobody knows who the customer is"

func (firstContactLeaf) implies(other leaf) bool { return other == leaf(firstContactLeaf{}) }

func (firstContactLeaf) need(p *Policy) { p.users = true }
