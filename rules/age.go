package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var ageCondition = &condition{
	key: "age", turns: onAll,
	doc:     "So much time has passed since the bot phase began.",
	example: "age: {at_least: 5m}",
	value: &shape{name: "a range of time", ref: "age", form: formRecord, atLeastOne: []string{"at_least", "at_most"}, fields: []field{
		{key: "at_least", of: aSpan, doc: "The bot phase began so long ago, or longer; at most 30d.", aka: []string{"min", "after"}},
		{key: "at_most", of: aSpan, doc: "The bot phase began so long ago, or less; at most 30d.", aka: []string{"max", "within"}},
	}, examples: []string{"{at_least: 5m}", "{at_most: 1m}"}},
	build: func(l *loader, n *yaml.Node) leaf {
		return &ageLeaf{l.span(n, func(n *yaml.Node) int64 { return l.userTime(n).Milliseconds() }, ago)}
	},
}

// userTime reads a time that may be longer than a conversation is remembered, up to UserKeptFor.
func (l *loader) userTime(n *yaml.Node) time.Duration {
	d := l.duration(n)
	if n != nil && d > UserKeptFor && !l.bad[n] {
		l.fail(n, "shorten it to 30d", "%s is too long: nothing is kept for longer than 30 days", n.Value)
	}
	return d
}

// ageLeaf is `age`.
type ageLeaf struct{ span span }

func (l *ageLeaf) holds(e *evaluation) verdict { return l.span.holds(e.now - e.c.began) }

func (l *ageLeaf) explain(_ *evaluation, v verdict) lang.Text {
	return lang.Say("the bot phase began %s (%s)", since(v.have), l.span.words())
}

func (l *ageLeaf) late(*evaluation, verdict) bool { return true }

func (l *ageLeaf) implies(other leaf) bool {
	b, ok := other.(*ageLeaf)
	return ok && l.span.within(b.span)
}

func (l *ageLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*ageLeaf); ok {
		return l.span.apart(b.span)
	}
	return ""
}

// since tells how long ago something was, given in milliseconds, to the second.
func since(ms int) lang.Text {
	if ms < 1000 {
		return "just now"
	}
	return lang.Say("%s ago", ago(int64(ms/1000*1000)))
}
