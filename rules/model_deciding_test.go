package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// The model of deciding is written from RULES.md 6 alone. It keeps the whole story, judges each shadow rule in a world
// of its own, and knows nothing of how conversations are stored.

// modelRule is one rule of a random file.
type modelRule struct {
	id, mode, action string // action: transfer, closed (a transfer while all is closed), offer, offer closed, keep
	when             *modelCond
	cooldown         time.Duration
}

// modelCond is a random condition.
type modelCond struct {
	op   string // says, said, missed, turns, rule, all, any, not
	word string
	n    int
	kids []*modelCond
	ref  *modelRule
}

var modelWords = []string{"kiwi", "dragonfly", "umbrella", "volcano", "zebra", "hammock"}

func drawRules(t *rapid.T) (rules []*modelRule) {
	for i := range rapid.IntRange(2, 5).Draw(t, "rules") {
		r := &modelRule{id: fmt.Sprintf("r%d", i)}
		r.mode = rapid.SampledFrom([]string{"enforce", "enforce", "enforce", "shadow", "off"}).Draw(t, "mode")
		r.action = rapid.SampledFrom([]string{"transfer", "transfer", "offer", "offer", "keep", "closed", "offer closed"}).Draw(t, "action")
		r.cooldown = rapid.SampledFrom([]time.Duration{0, 10 * time.Second, 2 * time.Minute, 10 * time.Minute}).Draw(t, "cooldown")
		words := rapid.Permutation(modelWords).Draw(t, "words")
		r.when = drawCond(t, rules, &words, 2)
		rules = append(rules, r)
	}
	return rules
}

// drawCond uses each word once in a rule, so that no condition contradicts itself.
func drawCond(t *rapid.T, above []*modelRule, words *[]string, depth int) *modelCond {
	ops := []string{"says", "says", "says", "said", "missed", "missed", "turns"}
	if depth > 0 && len(*words) >= 4 {
		ops = append(ops, "all", "any", "any", "not")
	}
	if len(above) > 0 && depth < 2 {
		ops = append(ops, "rule")
	}
	c := &modelCond{op: rapid.SampledFrom(ops).Draw(t, "op")}
	switch c.op {
	case "says", "said":
		c.word, *words = (*words)[0], (*words)[1:]
	case "missed", "turns":
		c.n = rapid.IntRange(1, 3).Draw(t, "n")
	case "rule":
		c.ref = rapid.SampledFrom(above).Draw(t, "ref")
	case "all", "any":
		c.kids = []*modelCond{drawCond(t, above, words, depth-1), drawCond(t, above, words, depth-1)}
	case "not":
		c.word, *words = (*words)[0], (*words)[1:]
		c.kids = []*modelCond{{op: "says", word: c.word}}
	}
	return c
}

func (c *modelCond) yaml() string {
	switch c.op {
	case "says":
		return "{says: [" + c.word + "]}"
	case "said":
		return "{said: {any: [" + c.word + "], within: 5m}}"
	case "missed":
		return fmt.Sprintf("{bot_missed: {times: %d, within: 15m}}", c.n)
	case "turns":
		return fmt.Sprintf("{turns: {at_least: %d}}", c.n)
	case "rule":
		return "{rule: " + c.ref.id + "}"
	case "not":
		return "{not: " + c.kids[0].yaml() + "}"
	}
	return "{" + c.op + ": [" + c.kids[0].yaml() + ", " + c.kids[1].yaml() + "]}"
}

func (r *modelRule) yaml() string {
	then := map[string]string{
		"transfer": "transfer: default", "closed": "transfer: never", "offer": "offer: Shall I?, transfer: default",
		"offer closed": "offer: Shall I?, transfer: never", "keep": "keep: true",
	}[r.action]
	return fmt.Sprintf("  - {id: %s, mode: %s, when: %s, then: {%s}, cooldown: %ds}\n", r.id, r.mode, r.when.yaml(), then, int(r.cooldown.Seconds()))
}

// modelPast is what happened to one rule; what it would have done in shadow is another's past.
type modelPast struct {
	fired, noAgent         time.Time
	offeredIn, awayIn      int
	offerOver              bool
	firedAtAll, nobodyCame bool
}

type modelExchange struct {
	last  string
	at    time.Time
	spent map[string]bool
}

type modelSaid struct {
	word string
	at   time.Time
}

type modelOffer struct {
	rule *modelRule
	at   time.Time
	left int
}

type decidingModel struct {
	rules     []*modelRule
	fileMode  string
	muted     string
	now       time.Time
	user      bool
	words     []string
	phase     Phase
	epoch     int
	confirmed time.Time
	accepted  []time.Time
	turns     int
	said      []modelSaid
	story     []*modelExchange
	past      map[string]*modelPast
	offer     *modelOffer
}

func (m *decidingModel) fresh() {
	*m = decidingModel{rules: m.rules, fileMode: m.fileMode, now: m.now, epoch: m.epoch + 1, accepted: m.accepted, past: map[string]*modelPast{}}
	m.story = []*modelExchange{{spent: map[string]bool{}}}
}

func (m *decidingModel) toBot() {
	if m.phase != PhaseBot {
		m.phase, m.epoch, m.turns, m.offer = PhaseBot, m.epoch+1, 0, nil
	}
}

func (m *decidingModel) key(r *modelRule) string {
	if m.mode(r) == "shadow" {
		return r.id + " in shadow"
	}
	return r.id
}

// mode is the more careful of the file's and the rule's.
func (m *decidingModel) mode(r *modelRule) string {
	if r.mode == "off" || r.id == m.muted {
		return "off"
	}
	if m.fileMode == "shadow" {
		return "shadow"
	}
	return r.mode
}

func (m *decidingModel) of(r *modelRule) *modelPast {
	if m.past[m.key(r)] == nil {
		m.past[m.key(r)] = &modelPast{}
	}
	return m.past[m.key(r)]
}

func (m *decidingModel) misses(r *modelRule) int {
	n := 0
	for _, x := range slices.Backward(m.story) {
		switch {
		case x.last == "good":
			return n
		case x.last == "miss" && !x.spent[m.key(r)] && m.now.Sub(x.at) <= 15*time.Minute:
			n++
		}
	}
	return n
}

// holds is yes, no or "" for a condition that does not apply.
func (m *decidingModel) holds(c *modelCond, r *modelRule) string {
	is := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	switch c.op {
	case "says":
		if !m.user {
			return ""
		}
		return is(slices.Contains(m.words, c.word))
	case "said":
		return is(slices.ContainsFunc(m.said, func(s modelSaid) bool { return s.word == c.word && m.now.Sub(s.at) <= 5*time.Minute }))
	case "missed":
		return is(m.misses(r) >= c.n)
	case "turns":
		return is(m.turns >= c.n)
	case "rule":
		return m.holds(c.ref.when, r)
	case "not":
		return map[string]string{"yes": "no", "no": "yes"}[m.holds(c.kids[0], r)]
	}
	a, b := m.holds(c.kids[0], r), m.holds(c.kids[1], r)
	decisive, weak := "yes", "no"
	if c.op == "all" {
		decisive, weak = "no", "yes"
	}
	switch {
	case a == decisive || b == decisive:
		return decisive
	case a == weak && b == weak:
		return weak
	}
	return ""
}

// because lists the leaves that make a condition true, as "says kiwi".
func (m *decidingModel) because(c *modelCond, r *modelRule) (leaves []string) {
	switch {
	case c.op == "not" || m.holds(c, r) != "yes":
		return nil
	case c.op == "rule":
		return m.because(c.ref.when, r)
	case len(c.kids) == 0:
		return []string{c.op + " " + c.word}
	}
	return append(m.because(c.kids[0], r), m.because(c.kids[1], r)...)
}

func (m *decidingModel) bySays(r *modelRule) bool {
	return slices.ContainsFunc(m.because(r.when, r), func(s string) bool { return strings.HasPrefix(s, "says ") })
}

// matched are the words of this message that made a rule hold.
func (m *decidingModel) matched(r *modelRule) (words []string) {
	for _, leaf := range m.because(r.when, r) {
		if _, word, _ := strings.Cut(leaf, " "); m.user && slices.Contains(m.words, word) {
			words = append(words, word)
		}
	}
	return words
}
