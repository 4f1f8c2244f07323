package rules

import (
	"os"
	"strings"
	"testing"
)

// conditionTable is the table of conditions of docs/rules.md.
func conditionTable() string {
	var b strings.Builder
	b.WriteString("| condition | holds when | turns | example |\n| --- | --- | --- | --- |\n")
	for _, c := range conditions {
		turns := map[kinds]string{onAll: "all", onUser: "user", onBot: "bot", onTimer: "timer", ratingCondition.turns: "rating", asThere: "as there"}[c.turns]
		b.WriteString("| `" + c.key + "` | " + c.doc + " | " + turns + " | `" + c.example + "` |\n")
	}
	b.WriteString("| `all`, `any`, `not` | All of these hold, one of them, this does not. | as there | `any: [{turns: {at_least: 9}}, {sends: [image]}]` |\n")
	return b.String()
}

// The table of docs/rules.md is written from the declarations; -update writes it anew.
func TestConditions_tableOfTheDocs(t *testing.T) {
	const path = "../docs/rules.md"
	doc := string(readFile(t, path))
	head, rest, ok := strings.Cut(doc, "| condition | holds when |")
	_, tail, end := strings.Cut(rest, "\n\n")
	if !ok || !end {
		t.Fatal("docs/rules.md has no table of conditions")
	}
	want := head + conditionTable() + "\n" + tail
	if want == doc {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the table of conditions is old; run this test with -update")
}

// Whoever declares a condition says everything: the hover text, the table of the docs and an example that loads.
func TestConditions_everyDeclaration_isWhole(t *testing.T) {
	for _, c := range conditions {
		if c.doc == "" || !strings.HasSuffix(c.doc, ".") || !strings.HasPrefix(c.example, c.key+": ") || c.value == nil || c.build == nil {
			t.Errorf("%s is not declared in full", c.key)
		}
		p := load(t, "lists: {angry: {add: [气死]}}\ncalendars: {office: {tz: UTC, open: [mon-fri 09:00-18:00]}}\nrules:\n"+
			"  - {id: bot-stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}\n"+
			"  - {id: r, when: {"+c.example+"}, then: {tag: [t]}}\n")
		if can, _ := p.findRule("r").when.canHold(); c.turns != asThere && can != c.turns {
			t.Errorf("%s: holds on turns %b, declared for %b", c.key, can, c.turns)
		}
	}
}

// Whoever writes a condition in an editor is told which turns it is about.
func TestConditions_hoverTextsTellTheTurns(t *testing.T) {
	for key, want := range map[string]string{
		"says": "Applies to a user message only.", "bot_says": "Applies to a bot message only.",
		"bot_silent": "Applies to a timer only.", "rating": "Applies to a user message and a bot message and a rating only.", "turns": "Applies to all turns.", "rule": "Applies to the turns to which that applies.",
	} {
		if doc := conditionShape.field(key).doc; !strings.HasSuffix(doc, want) {
			t.Errorf("%s: %q", key, doc)
		}
	}
}
