package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var rateCondition = &condition{
	key: "rate", turns: onUser,
	doc:     "The customer sends this many messages within this time.",
	example: "rate: {messages: 8, within: 1m}",
	value: &shape{name: "a rate of messages", ref: "messageRate", form: formRecord, fields: []field{
		{key: "messages", of: aCount, required: true, doc: "So many messages of the customer.", aka: []string{"times", "count", "at_least"}},
		within,
	}, examples: []string{"{messages: 8, within: 1m}"}},
	build: func(l *loader, n *yaml.Node) leaf { return &rateLeaf{intOf(l.get(n, "messages")), l.within(n)} },
}

// rateLeaf is `rate`.
type rateLeaf struct {
	messages int
	within   time.Duration
}

func (l *rateLeaf) holds(e *evaluation) verdict {
	n := countSince(e.c.recall().recallRare().users, e.now, l.within.Milliseconds())
	return counter(n, l.messages, n > 1 && e.counted&countedUser != 0)
}

func (l *rateLeaf) explain(_ *evaluation, v verdict) lang.Text { return counted(v, l.within) }

func (l *rateLeaf) late(*evaluation, verdict) bool { return true }

func (l *rateLeaf) implies(other leaf) bool {
	b, ok := other.(*rateLeaf)
	return ok && l.messages >= b.messages && l.within <= b.within
}

func (l *rateLeaf) need(p *Policy) { p.record(userRecorder{}) }

// userRecorder keeps when the customer wrote.
type userRecorder struct{}

func (userRecorder) record(e *evaluation) {
	if e.kind == onUser {
		m := e.c.own().ownRare()
		m.users = pushStamp(m.users, e.now)
	}
}

func (userRecorder) wakes() facts { return factUser }

func (userRecorder) absorb(other recorder) bool { return other == userRecorder{} }
