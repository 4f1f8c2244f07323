package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var repeatsCondition = &condition{
	key: "repeats", turns: onUser,
	doc:     "The customer sent nearly the same message this many times. Small talk (thanks, greetings, yes and no, laughter, stickers) never counts.",
	example: "repeats: {times: 3, within: 10m, similarity: 0.85, min_chars: 4}",
	aka:     []string{"repeated", "same_question"},
	value:   repeatsShape,
	build: func(l *loader, n *yaml.Node) leaf {
		s := repeatsShape
		return &repeatsLeaf{
			times: intOf(l.get(n, "times")), within: l.within(n),
			similarity: floatOf(l.value(n, s, "similarity")), minChars: intOf(l.value(n, s, "min_chars")),
			smallTalk: l.smallTalk(),
		}
	},
}

var repeatsShape = &shape{name: "how often a question may come back", ref: "repeats", form: formRecord, fields: []field{
	{key: "times", of: aRepeat, required: true, doc: "So many times, the current message included.", aka: []string{"count", "at_least", "messages"}},
	within,
	{key: "similarity", of: &shape{name: "a number from 0.1 to 1", form: formNumber, min: 0.1, max: 1, examples: []string{"0.85"}}, standard: "0.85", doc: "How alike two messages must be, 1 being equal."},
	{key: "min_chars", of: &shape{name: "a number of characters from 1 to 100", form: formInteger, min: 1, max: 100}, standard: "4", doc: "Shorter messages do not count."},
}, examples: []string{"{times: 3, within: 10m, similarity: 0.85}"}}

// repeatsLeaf is `repeats`.
type repeatsLeaf struct {
	times      int
	within     time.Duration
	similarity float64
	minChars   int
	smallTalk  func() *smallTalk
}

func (l *repeatsLeaf) holds(e *evaluation) verdict {
	n := 0
	if e.counted&countedPrint != 0 {
		n = e.c.prints.alike(e.now, l.within.Milliseconds(), l.similarity, l.minChars)
	}
	if n > 1 && l.smallTalk().only(e) {
		n = 0
	}
	return counter(n, l.times, n > 1)
}

func (l *repeatsLeaf) explain(_ *evaluation, v verdict) lang.Text { return counted(v, l.within) }

func (l *repeatsLeaf) late(*evaluation, verdict) bool { return true }

func (l *repeatsLeaf) implies(other leaf) bool {
	b, ok := other.(*repeatsLeaf)
	return ok && l.times >= b.times && l.within <= b.within && l.similarity >= b.similarity && l.minChars >= b.minChars
}

func (l *repeatsLeaf) need(p *Policy) {
	p.record(&printRecorder{l.minChars})
	p.repeats = append(p.repeats, l)
}

// printRecorder keeps the fingerprints of messages. There is one for all conditions: it keeps what the least of them asks
// for, as long as any window may reach. A file that is taken later may have a longer one, and its counts go on.
type printRecorder struct{ minChars int }

func (r *printRecorder) record(e *evaluation) {
	if e.kind != onUser {
		return
	}
	var chars int
	e.bigrams, chars = e.msg.Bigrams(e.bigrams)
	if chars >= r.minChars && len(e.bigrams) > 0 {
		e.c.prints = e.c.prints.since(e.now-e.p.sessionTTL.Milliseconds()).add(e.now, e.pairs.of(e.bigrams), chars)
		e.counted |= countedPrint
	}
}

func (r *printRecorder) wakes() facts { return factUser }

func (r *printRecorder) absorb(other recorder) bool {
	o, ok := other.(*printRecorder)
	if ok {
		r.minChars = min(r.minChars, o.minChars)
	}
	return ok
}
