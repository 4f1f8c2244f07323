package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var saidCondition = &condition{
	key: "said", turns: onAll,
	doc:     "A message of the customer in the last time had one of these phrases.",
	example: "said: {any: [refund], within: 15m}",
	value:   saidShape,
	build: func(l *loader, n *yaml.Node) leaf {
		return &saidLeaf{test: l.phraseTest(n, negationRespect), by: onUser, key: stableKey(phraseKey(l, n, "said", saidShape)...), within: l.within(n)}
	},
}

var saidShape = &shape{
	name: "phrases with a time", ref: "said", form: formRecord, atLeastOne: []string{"any", "all"},
	fields: append(phraseFields(negationRespect), within), examples: []string{"{any: [$refund], within: 15m}"},
}

// saidLeaf is `said` and `bot_said`: when it last held is stamped as the turns come in.
type saidLeaf struct {
	test   phraseTest
	by     kinds // whose words
	last   bool  // a later message with text takes the stamp back
	key    uint64
	within time.Duration
}

// phraseKey is what the file says of the phrases, in one order. It is what a conversation remembers them by, so a rule
// may be renamed, moved or rebuilt without losing its memory, and other words are remembered anew.
func phraseKey(l *loader, n *yaml.Node, condition string, s *shape) []string {
	key := []string{condition}
	add := func(part string, entries *yaml.Node) {
		var words []string
		for _, e := range l.book.entries(entries) {
			words = append(words, e.text)
		}
		slices.Sort(words)
		if words = slices.Compact(words); len(words) > 0 {
			key = append(append(key, part), words...)
		}
	}
	for _, part := range []string{"any", "all", "not_part_of"} {
		add(part, l.get(n, part))
	}
	return append(key, "negation", textOf(l.value(n, s, "negation")))
}

func (l *saidLeaf) holds(e *evaluation) verdict {
	v := verdict{found: finding{hit: -1}}
	if e.kind == l.by {
		v.found = l.test.find(e)
	}
	at := e.c.said(l.key)
	v.state = truth(at != 0 && e.now-at <= l.within.Milliseconds()).state
	v.why = v.found.why
	v.near = v.state == no && v.why != ""
	return v
}

func (l *saidLeaf) quotes() {}

func (l *saidLeaf) explain(e *evaluation, v verdict) lang.Text {
	switch at := e.c.said(l.key); {
	case v.found.ok || v.found.why != "" && v.state == no:
		return l.test.explain(e, v.found)
	case at == 0 && l.last:
		return "its last message says none of it"
	case at == 0:
		return "not said so far"
	case v.state == yes:
		return lang.Say("said %s ago%s", ago(e.now-at), l.test.names())
	default:
		return lang.Say("said %s ago, which is over %s", ago(e.now-at), formatDuration(l.within))
	}
}

func ago(ms int64) string { return formatDuration(time.Duration(ms) * time.Millisecond) }

func (l *saidLeaf) appendMatches(e *evaluation, m []Match) []Match {
	if e.kind != l.by {
		return m
	}
	return l.test.appendMatches(e, m)
}

// implies: what was said lately enough for a was so for b too.
func (l *saidLeaf) implies(other leaf) bool {
	b, ok := other.(*saidLeaf)
	return ok && l.by == b.by && (l.last || !b.last) && l.within <= b.within && l.test.implies(&b.test)
}

func (l *saidLeaf) need(p *Policy) { p.record(&saidRecorder{l}) }

// saidRecorder stamps the messages that have the phrases of a `said` or `bot_said`.
type saidRecorder struct{ of *saidLeaf }

func (r *saidRecorder) record(e *evaluation) {
	switch {
	case e.kind != r.of.by:
	case r.of.test.find(e).ok:
		e.c.own().stampSaid(r.of.key, e.now, e.p.sessionTTL.Milliseconds())
	case r.of.last && !e.msg.Blank():
		e.c.takeSaid(r.of.key)
	}
}

func (r *saidRecorder) wakes() facts {
	if r.of.last { // words without the phrases are remembered too
		return facts(r.of.by) << factKinds
	}
	return r.of.test.wakes()
}

func (r *saidRecorder) absorb(other recorder) bool {
	o, ok := other.(*saidRecorder)
	return ok && o.of.key == r.of.key
}

// saidStamp says when a `said` condition last held.
type saidStamp struct {
	key uint64
	at  int64
}

// stampSaid keeps when a condition last held; stamps that no window reaches any more make room.
func (m *memory) stampSaid(key uint64, now, longest int64) {
	kept := m.said[:0]
	for _, s := range m.said {
		if s.key != key && now-s.at <= longest {
			kept = append(kept, s)
		}
	}
	m.said = append(kept, saidStamp{key, now})
}

// takeSaid forgets that a condition held.
func (c *Conversation) takeSaid(key uint64) {
	if m := c.memory; m != nil {
		m.said = slices.DeleteFunc(m.said, func(s saidStamp) bool { return s.key == key })
	}
}

// said gives the stamp of a `said` condition, 0 if it never held.
func (c *Conversation) said(key uint64) int64 {
	for _, s := range c.recall().said {
		if s.key == key {
			return s.at
		}
	}
	return 0
}

func (l *saidLeaf) never(p *Policy) lang.Text { return l.test.never(p) }
