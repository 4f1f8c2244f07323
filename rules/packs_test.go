package rules

import (
	"strings"
	"testing"

	"escalator/rules/packs"
)

// packPolicy uses all built-in packs.
func packPolicy(t testing.TB) (*Policy, Report) {
	t.Helper()
	p, r := Load([]byte(`version: 1
targets: {default: {}}
rules:
  - {id: ask_human, when: {says: [$ask_human]}, then: {transfer: default}}
  - {id: bot_missed, when: {bot_missed: {times: 1, within: 1m}}, then: {transfer: default}}
  - {id: angry, when: {mood: {list: angry, at_least: 1, within: 1m}}, then: {transfer: default}}
  - {id: thanks, when: {says: [$thanks]}, then: {offer: 好吗, transfer: default}}
  - {id: greeting, when: {says: [$greeting]}, then: {transfer: default}}
`), LoadOptions{})
	if p == nil {
		t.Fatalf("the packs do not load: %+v", r.Errors)
	}
	return p, r
}

func TestPacks_everyPhrase_compiles(t *testing.T) {
	_, r := packPolicy(t)
	for _, w := range r.Warnings {
		if strings.HasPrefix(w.Message, "built-in pack") {
			t.Error(w.Message)
		}
	}
}

// Each pack brings messages that it must find and messages that it must leave alone.
func TestPacks_ownExamples_hold(t *testing.T) {
	p, _ := packPolicy(t)
	for _, f := range packs.All() {
		for _, name := range packs.Names {
			for _, text := range f.Packs[name].Match {
				if !packFinds(p, name, text) {
					t.Errorf("%s %s: %q is not found", f.Lang, name, text)
				}
			}
			for _, text := range f.Packs[name].Ignore {
				if packFinds(p, name, text) {
					t.Errorf("%s %s: %q is found", f.Lang, name, text)
				}
			}
		}
	}
}

// packFinds asks as the rules do: requests respect negation, yes and no must be the whole message.
func packFinds(p *Policy, name, text string) bool {
	e := p.begin(&Conversation{}, &Turn{Text: text, At: start})
	defer e.end()
	switch name {
	case "ask_human":
		return p.rules[0].when.eval(e) == yes
	case "bot_missed":
		return p.missSays.find(e).ok
	case "angry":
		_, some := e.moodOf(p.rules[2].when.leaf.(*moodLeaf).set)
		return some
	case "thanks":
		return p.rules[3].when.eval(e) == yes
	case "greeting":
		return p.rules[4].when.eval(e) == yes
	case "yes":
		return e.answer() == answerYes
	case "no":
		return e.answer() == answerNo
	}
	set := map[string]*matchSet{"polite": p.polite, "negators": p.negators, "negation_idioms": p.idioms}[name]
	for i := range e.hits {
		if set.has(e.hits[i].Phrase) && e.masked(set, i) < 0 {
			return true
		}
	}
	return false
}
