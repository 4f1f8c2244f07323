package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var botMissedCondition = &condition{
	key: "bot_missed", turns: onAll,
	doc:     "The bot failed to answer this many times.",
	example: "bot_missed: {times: 3, within: 15m, consecutive: true}",
	aka:     []string{"misses", "missed", "fallback", "fallbacks", "bot_failed"},
	value:   botMissedShape,
	build: func(l *loader, n *yaml.Node) leaf {
		l.countsMisses = true
		return &missedLeaf{
			times: intOf(l.get(n, "times")), within: l.within(n),
			inARow: boolOf(l.value(n, botMissedShape, "consecutive")),
		}
	},
}

var botMissedShape = &shape{name: "how often the bot may fail", ref: "botMissed", form: formRecord, fields: []field{
	{key: "times", of: aCount, required: true, doc: "So many misses.", aka: []string{"count", "at_least", "messages"}},
	within,
	{key: "consecutive", of: aBool, standard: "true", doc: "In a row: a good answer starts the count anew."},
}, examples: []string{"{times: 3, within: 15m}"}}

// missedLeaf is `bot_missed`. Misses are counted whether or not a rule asks for them, see misses.go.
type missedLeaf struct {
	times  int
	within time.Duration
	inARow bool
}

func (l *missedLeaf) holds(e *evaluation) verdict {
	return counter(e.c.missed(e.now, l.within.Milliseconds(), l.inARow, e.state(e.rule)), l.times, e.counted&countedMiss != 0)
}

func (l *missedLeaf) explain(e *evaluation, v verdict) lang.Text {
	words := counted(v, l.within)
	if e == nil {
		return words
	}
	if spent := e.c.missed(e.now, l.within.Milliseconds(), l.inARow, nil) - v.have; spent > 0 {
		words = lang.Say("%s, not counting %d that it fired on", words, spent)
	}
	return words
}

// late: misses are spent on a rule only once it has fired.
func (l *missedLeaf) late(e *evaluation, _ verdict) bool { return e.state(e.rule) == nil }

func (l *missedLeaf) wakes() facts { return factMiss }

func (l *missedLeaf) asleep() verdict { return counter(0, l.times, false) }

// counted words a counter: "2 of 3 in 15m".
func counted(v verdict, within time.Duration) lang.Text {
	return lang.Say("%d of %d in %s", v.have, v.need, formatDuration(within))
}

func (l *missedLeaf) implies(other leaf) bool {
	b, ok := other.(*missedLeaf)
	return ok && l.times >= b.times && l.within <= b.within && (l.inARow || !b.inARow)
}

// missesWanted is the least number of misses in a row that makes a rule hold which asks for nothing else but that something
// is not so; 0 where no rule does.
func missesWanted(all []*rule) (least int) {
	for _, r := range all {
		if r.mode == ModeOff {
			continue
		}
		asked := []*cond{r.when}
		if r.when.name == "all" {
			asked = slices.DeleteFunc(slices.Clone(r.when.kids), func(k *cond) bool { return k.name == "not" })
		}
		if len(asked) != 1 {
			continue
		}
		if l, ok := asked[0].leaf.(*missedLeaf); ok && l.inARow && (least == 0 || l.times < least) {
			least = l.times
		}
	}
	return least
}
