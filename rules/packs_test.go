package rules

import (
	"slices"
	"strings"
	"testing"

	"escalator/rules/packs"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
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
  - {id: bot_offers, when: {bot_says: [$bot_offers]}, then: {transfer: default}}
`), LoadOptions{})
	if p == nil {
		t.Fatalf("the packs do not load: %+v", r.Errors)
	}
	return p, r
}

func TestPacks_everyPhrase_compiles(t *testing.T) {
	_, r := packPolicy(t)
	for _, w := range r.Warnings {
		if strings.HasPrefix(w.Message.String(), "built-in pack") {
			t.Error(w.Message)
		}
	}
}

// examples are messages that a pack must find, and messages that it must leave alone.
type examples struct{ Match, Ignore []string }

func examplesOf(t *testing.T, lang string) (own map[string]examples) {
	t.Helper()
	if err := yaml.Unmarshal(readFile(t, "packs/testdata/"+lang+".yaml"), &own); err != nil {
		t.Fatal(err)
	}
	return own
}

// Each pack brings messages that it must find and messages that it must leave alone.
func TestPacks_ownExamples_hold(t *testing.T) {
	p, _ := packPolicy(t)
	for _, f := range packs.All() {
		own := examplesOf(t, f.Lang)
		for _, name := range packs.Names {
			if name == "negators" || name == "asking_idioms" {
				continue // theirs are about an object: see below
			}
			for _, message := range own[name].Match {
				if !packFinds(p, name, message) {
					t.Errorf("%s %s: %q is not found", f.Lang, name, message)
				}
			}
			for _, message := range own[name].Ignore {
				if packFinds(p, name, message) {
					t.Errorf("%s %s: %q is found", f.Lang, name, message)
				}
			}
		}
	}
}

// packFinds asks as the rules do: requests respect negation, yes and no must be the whole message.
func packFinds(p *Policy, name, message string) bool {
	kind := UserTurn
	if strings.HasPrefix(name, "bot_") {
		kind = BotTurn
	}
	e := p.begin(&Conversation{}, &Turn{Kind: kind, Text: message, At: start})
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
	case "bot_offers":
		return p.rules[5].when.eval(e) == yes
	case "yes":
		return e.answer() == answerYes
	case "no":
		return e.answer() == answerNo
	}
	for i := range e.hits {
		if p.polite.has(e.hits[i].Phrase) && e.masked(p.polite, i) < 0 {
			return true
		}
	}
	return false
}

// A negationProbe looks for the object of one language under roles of its own.
type negationProbe struct {
	p      *Policy
	object *matchSet
	roles  text.Roles
}

func newNegationProbe(t *testing.T, f packs.File) *negationProbe {
	t.Helper()
	p, r := Load([]byte("version: 1\ntargets: {default: {}}\nrules:\n  - {id: a, when: {says: ["+f.Object+"]}, then: {transfer: default}}"), LoadOptions{})
	if p == nil {
		t.Fatalf("%s: %+v", f.Lang, r.Errors)
	}
	return &negationProbe{p, p.rules[0].when.leaf.(*saysLeaf).test.any, p.roles}
}

// asks says whether a message holds the object, and whether one of its hits is not refused.
func (n *negationProbe) asks(message string) (found, asked bool) {
	e := n.p.begin(&Conversation{}, &Turn{Text: message, At: start})
	defer e.end()
	e.negation.Reset(&e.msg, e.hits, &n.roles)
	for i := range e.hits {
		if n.object.has(e.hits[i].Phrase) {
			found, asked = true, asked || e.negation.Of(i) < 0
		}
	}
	return found, asked
}

// only gives the groups that are left when one phrase is, as it was written.
func (n *negationProbe) only(groups []text.Group, src string) (left []text.Group) {
	for id := range n.p.matcher.Len() {
		id := text.PhraseID(id)
		for _, g := range groups {
			if n.p.matcher.Phrase(id) == src && g.Phrases.Has(id) {
				one := text.Group{Masks: g.Masks}
				one.Phrases.Add(id)
				left = append(left, one)
			}
		}
	}
	return left
}

// It is not enough that a negator is found: each must refuse the object in one of its own examples.
func TestPacks_eachNegator_negates(t *testing.T) {
	for _, f := range packs.All() {
		n, pack := newNegationProbe(t, f), f.Packs["negators"]
		own := examplesOf(t, f.Lang)["negators"]
		roles := n.roles
		for _, ph := range pack.Phrases {
			n.roles.Negators = n.only(roles.Negators, ph.Text)
			if !slices.ContainsFunc(own.Match, func(m string) bool { found, asked := n.asks(m); return found && !asked }) {
				t.Errorf("%s: no example is refused by %s", f.Lang, shorten(ph.Text))
			}
		}
		n.roles = roles
		n.check(t, f.Lang, own.Match, false)
		n.check(t, f.Lang, own.Ignore, true)
	}
}

// Each asking idiom must save the object from a negator in one of its own examples.
func TestPacks_eachAskingIdiom_asks(t *testing.T) {
	for _, f := range packs.All() {
		n, pack := newNegationProbe(t, f), f.Packs["asking_idioms"]
		own := examplesOf(t, f.Lang)["asking_idioms"]
		roles := n.roles
		for _, ph := range pack.Phrases {
			one := n.only(roles.Asking, ph.Text)
			if !slices.ContainsFunc(own.Match, func(m string) bool {
				n.roles.Asking = nil
				found, unprotected := n.asks(m)
				n.roles.Asking = one
				_, asked := n.asks(m)
				return found && !unprotected && asked
			}) {
				t.Errorf("%s: no example needs %s", f.Lang, shorten(ph.Text))
			}
		}
		n.roles = roles
		n.check(t, f.Lang, own.Match, true)
		n.check(t, f.Lang, own.Ignore, false)
	}
}

func (n *negationProbe) check(t *testing.T, lang string, messages []string, want bool) {
	t.Helper()
	for _, m := range messages {
		if found, asked := n.asks(m); !found || asked != want {
			t.Errorf("%s: %q: object found %v, asked for %v, want %v", lang, m, found, asked, want)
		}
	}
}
