package rules

import (
	"hash/fnv"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// condition declares one condition of the language. Each stands in a file of its own, with everything that makes it
// what it is: how it is written, when it holds, what is remembered for it, and how it is explained.
type condition struct {
	key   string
	turns kinds  // on other turns neither it nor its `not` holds; asThere for a condition that stands for another
	value *shape // what stands behind the key
	doc   string // for the hover text and the table of docs/rules.md
	// example is how it is written, for the table of docs/rules.md.
	example string
	aka     []string
	// build compiles the value of the key, which was checked against the shape; nil if it was complained about.
	build func(l *loader, n *yaml.Node) leaf
}

// conditions are the conditions of the language, in the order of the documentation. A new one is a file that declares
// it, and a word here.
var conditions = []*condition{
	saysCondition, saidCondition, botSaysCondition, botSaidCondition, botMissedCondition, repeatsCondition, moodCondition, rateCondition,
	turnsCondition, ageCondition, firstContactCondition, hadAgentCondition, botSilentCondition, sendsCondition, languageCondition,
	channelCondition, fieldCondition, hoursCondition, agentsOnlineCondition, queueCondition, queuedForCondition, ratingCondition,
	ruleCondition,
}

// leaf is a compiled condition. Beside these methods it may have those of needy, matching, quoting, wrapper and doubtful.
type leaf interface {
	holds(e *evaluation) verdict
	// explain says in words why the verdict is what it is.
	explain(e *evaluation, v verdict) lang.Text
	// implies says that wherever this condition holds, the other holds too. It is sure when it says yes.
	implies(other leaf) bool
}

// needy is a leaf that holds only if something is done for it beforehand: turns recorded, fields kept, timers set.
type needy interface{ need(p *Policy) }

// matching is a leaf that holds by words of the message.
type matching interface {
	appendMatches(e *evaluation, matches []Match) []Match
}

// quoting is a leaf whose explanation quotes the customer or the callback: the log hides it where it hides words.
type quoting interface{ quotes() }

// wrapper is a leaf that stands for another condition.
type wrapper interface{ wrapped() *cond }

// verdict is what a condition says about a turn.
type verdict struct {
	state state
	near  bool // no, but by little
	why   Reason
	// have and need are the counter's value and what it must reach.
	have, need int
	found      finding
}

// truth makes a verdict of a plain yes or no.
func truth(b bool) verdict {
	if b {
		return verdict{state: yes}
	}
	return verdict{}
}

// counter makes a verdict of a count; one short of it is near, if this turn added to it.
func counter(have, need int, added bool) verdict {
	v := truth(have >= need)
	v.have, v.need = have, need
	v.near = added && have == need-1 && have > 0
	return v
}

// recorder remembers something of the turns for conditions. It runs once for each message of the bot phase and each
// start of a session, before any rule is tried.
type recorder interface {
	record(e *evaluation)
	// wakes are the facts of which one must be there, or there is nothing to remember.
	wakes() facts
	// absorb takes over what another recorder remembers; false if they have nothing in common.
	absorb(other recorder) bool
}

// record adds a recorder, unless one that is there can do its work.
func (p *Policy) record(r recorder) {
	for _, other := range p.recorders {
		if other.absorb(r) {
			return
		}
	}
	p.recorders = append(p.recorders, r)
}

// window reads a time that must not be longer than a conversation is remembered.
func (l *loader) window(n *yaml.Node) time.Duration {
	d := l.duration(n)
	if n != nil && d > l.policy.sessionTTL && !l.bad[n] {
		l.fail(n, "shorten it, or raise defaults.session_ttl", "%s is longer than a conversation is remembered (session_ttl %s)", n.Value, formatDuration(l.policy.sessionTTL))
	}
	return d
}

// within reads the window of a condition.
func (l *loader) within(n *yaml.Node) time.Duration { return l.window(l.get(n, "within")) }

// conditionShape is a `when`: the conditions, and all, any, not to join them.
var conditionShape = newConditionShape()

func newConditionShape() *shape {
	s := &shape{
		name: "a condition", ref: "condition", form: formRecord,
		doc: "What must hold. Several keys must hold together.", examples: []string{"{says: [$ask_human]}", "{all: [{turns: {at_least: 3}}, {hours: office}]}"},
	}
	for _, c := range conditions {
		s.fields = append(s.fields, field{key: c.key, of: c.value, doc: c.doc + " " + c.turns.sentence(), aka: c.aka})
	}
	s.fields = append(
		s.fields,
		field{key: "all", of: listOf("a list of conditions", s), doc: "All of these hold.", aka: []string{"and"}},
		field{key: "any", of: listOf("a list of conditions", s), doc: "One of these holds.", aka: []string{"or"}},
		field{key: "not", of: s, doc: "This does not hold. Where the condition does not apply to the turn, neither does its not."},
	)
	for _, f := range s.fields {
		s.atLeastOne = append(s.atLeastOne, f.key)
	}
	return s
}

// sentence says for hover texts to which turns a condition applies.
func (k kinds) sentence() string {
	if k == asThere {
		return "Applies to the turns to which that applies."
	}
	if k == onAll {
		return "Applies to all turns."
	}
	return "Applies to " + lang.Join(" and ", k.words()...).String() + " only."
}

// condition compiles a `when`. A mapping with several keys means all of them.
func (l *loader) condition(n *yaml.Node) *cond {
	var kids []*cond
	for _, pair := range l.pairs(n) {
		if kid := l.part(pair[0].Value, pair[1]); kid != nil {
			kids = append(kids, kid)
		}
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return &cond{name: "all", kids: kids}
}

// part compiles one key of a condition; nil if it was complained about.
func (l *loader) part(key string, n *yaml.Node) *cond {
	switch key {
	case "all", "any":
		k := &cond{name: key}
		for _, item := range l.items(n) {
			k.kids = append(k.kids, l.condition(item))
		}
		return k
	case "not":
		return &cond{name: key, kids: []*cond{l.condition(n)}}
	}
	for _, c := range l.conditions {
		if c.key != key {
			continue
		}
		if compiled := c.build(l, n); compiled != nil {
			applies := c.turns
			if applies == asThere {
				applies = onAll
			}
			return &cond{name: key, leaf: compiled, applies: applies}
		}
	}
	return nil
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
