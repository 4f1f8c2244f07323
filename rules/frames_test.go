package rules

import (
	"strings"
	"testing"

	"escalator/rules/packs"
)

const framesFile = `version: 1
targets: {default: {}}
lists: {LISTS}
rules: [{id: ask, when: {says: [$ask_human]}, then: {transfer: default}, cooldown: 0s}]`

// A regular expression may hit a mark alone, before, between or behind all words.
func TestFrames_aRole_aPatternThatHitsNoWord_isNone(t *testing.T) {
	p := mustLoad(t, []byte(strings.Replace(framesFile, "LISTS", `ask_human.person: {add: ["/[!~]/"]}, ask_human.aside: {add: ["/[!~]/"]}`, 1)))
	for text, asks := range map[string]bool{
		"! I want to talk to a human": true, "I want to talk to a human!": true, "I want to talk to ~ !": false,
		"!": false, "~ !": false, "! human ~": true, "~ I want to talk to": false,
	} {
		if d := p.Decide(&Conversation{}, Turn{Text: text, At: start}); (d.Rule == "ask") != asks {
			t.Errorf("%q asks %v", text, !asks)
		}
	}
}

func TestFrames_aRole_isExtendedByOneWord(t *testing.T) {
	plain := mustLoad(t, []byte(strings.Replace(framesFile, "LISTS", "", 1)))
	more := mustLoad(t, []byte(strings.Replace(framesFile, "LISTS", "ask_human.person: {add: [shaman, 店小厮], without: [operator]}", 1)))
	counted := func(p *Policy) PackSummary {
		for _, pack := range p.Summary().Packs {
			if pack.Name == "ask_human" {
				return pack
			}
		}
		return PackSummary{}
	}
	if a, b := counted(plain), counted(more); a.Phrases < 1000 || a.Changed || b.Phrases != a.Phrases+2 || !b.Changed {
		t.Errorf("counted as %+v, with two words more %+v", a, b)
	}
	for _, c := range []struct {
		text        string
		plain, more bool
	}{
		{"can I talk to the shaman", false, true},
		{"get me a real shaman", false, true},
		{"shaman please", false, true},
		{"what does a shaman cost", false, false},
		{"I want to talk to an operator", true, false},
		{"I want to talk to a human", true, true},
	} {
		for name, p := range map[string]*Policy{"plain": plain, "more": more} {
			d, trace := p.Explain(&Conversation{}, Turn{Text: c.text, At: start})
			if want := map[string]bool{"plain": c.plain, "more": c.more}[name]; (d.Rule == "ask") != want {
				t.Errorf("%s: %q asks %v: %s", name, c.text, !want, trace.Rules[0].Why)
			}
		}
	}
}

func TestFrames_mistakes_areTold(t *testing.T) {
	for lists, want := range map[string]string{
		"ask_human.persn: {add: [x]}":       "did you mean person",
		"ask_human.person: [owner]":         "write {add",
		"refund.person: {add: [x]}":         "no list's name",
		`ask_human.person: {add: ["(own"]}`: "not closed",
		"ask_human.xyzzy: {add: [x]}":       "known: person",
	} {
		p, r := Load([]byte(strings.Replace(framesFile, "LISTS", lists, 1)), LoadOptions{})
		if p != nil || !strings.Contains(r.Errors[0].Message.String()+r.Errors[0].Hint.String(), want) {
			t.Errorf("%s: %+v, want %q", lists, r.Errors, want)
		}
	}
}

func TestFrames_areExplained(t *testing.T) {
	p := mustLoad(t, []byte(strings.Replace(framesFile, "LISTS", "", 1)))
	for _, c := range []struct{ text, why string }{
		{"could I talk to a supervisor", "asks to speak to a person: talk to + supervisor ($ask_human, en)"},
		{"could I talk to a supervisr", "supervisr read as supervisor"},
		{"last week I was talking to a supervisor", "does not count, for the message tells: last week"},
		{"what does a human cost", "none of its phrases is there"},
		{"I don't want to talk to a supervisor", "talk to a supervisor is negated by"},
		{"θα ήθελα να μιλήσω με κάποιον", "no pack for this language"},
	} {
		_, trace := p.Explain(&Conversation{}, Turn{Text: c.text, At: start})
		if why := trace.Rules[0].Why; !strings.Contains(why.String(), c.why) {
			t.Errorf("%q: %s, want %s", c.text, why, c.why)
		}
	}
}

// The words of a frame are those of the decision, and an exception lies over them like over a phrase.
func TestFrames_standWherePhrasesStand(t *testing.T) {
	p := mustLoad(t, []byte(`version: 1
targets: {default: {}}
rules:
  - {id: refused, when: {says: {any: [$ask_human], negation: require}}, then: {keep: true}, cooldown: 0s}
  - {id: both, when: {says: {all: [$ask_human, invoice], not_part_of: [blue agent]}}, then: {keep: true}, cooldown: 0s}
  - {id: lately, when: {said: {any: [$ask_human], within: 5m}, says: [xyzzy]}, then: {keep: true}, cooldown: 0s}`))
	var c Conversation
	for _, m := range []struct{ text, rule, matched string }{
		{"I don't want an agent", "refused", "want an agent"},
		{"please get me an agent for my invoice", "both", "get me an agent"},
		{"get me the blue agent for my invoice", "", ""},
		{"xyzzy", "lately", "xyzzy"},
	} {
		d, _ := p.Explain(&c, Turn{Text: m.text, At: start})
		if d.Rule != m.rule || m.matched != "" && (len(d.Matched) == 0 || d.Matched[0].Text != m.matched) {
			t.Errorf("%q: %q by %+v, want %q by %q", m.text, d.Rule, d.Matched, m.rule, m.matched)
		}
	}
}

// The words that a file changes are of that file only, whether they have the matcher of all files or one of their own.
func TestFrames_aChange_isOfItsFileOnly(t *testing.T) {
	const asks, wish = "the zorblify human arrived", "ask_human.want: {add: [zorblify]}"
	for _, lists := range []string{"", wish, "", "polite: {add: [zorblify]}", ""} {
		p := mustLoad(t, []byte(strings.Replace(framesFile, "LISTS", lists, 1)))
		if d := p.Decide(&Conversation{}, Turn{Text: asks, At: start}); (d.Rule == "ask") != (lists == wish) {
			t.Errorf("with %q: %q asks %v", lists, asks, d.Rule == "ask")
		}
		if d := p.Decide(&Conversation{}, Turn{Text: "I want a human", At: start}); d.Rule != "ask" {
			t.Errorf("with %q nobody asks any more", lists)
		}
	}
}

// A wrong word of a pack would be left out without a word.
func TestFrames_wordsOfPacks_areRight(t *testing.T) {
	b := newPhraseBook(&checker{})
	b.tie()
	b.builder.SetGrammar(grammarOf(packs.Shared()))
	if b.eachRoleWord(b.addRole); len(b.packFaults)+len(b.problems) > 0 {
		t.Errorf("%v %v", b.packFaults, b.problems)
	}
}
