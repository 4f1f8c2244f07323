package cli

import (
	"maps"
	"slices"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/text"
)

// writeReplay prints what every rule did and, where two files were compared, what
// is different, with conversations to look at.
func writeReplay(env Env, p *rules.Policy, r *replayed, samples int) {
	env.print("%d conversations, %d turns", r.Conversations, r.Turns)
	for _, rule := range p.Rules() {
		env.print("  %s %s", padded(rule.ID, 20), did(r.ByRule[rule.ID]))
	}
	if r.Difference == nil {
		writeSamples(env, r.Result, samples)
		return
	}
	writeDifference(env, r.Difference, samples)
}

// did tells in words what a rule did.
func did(c *replay.Counts) lang.Text {
	if c.Never() {
		return "never"
	}
	var parts []lang.Text
	add := func(n int, did lang.Text, more ...any) {
		if n > 0 {
			parts = append(parts, lang.Say(did, append([]any{times(n)}, more...)...))
		}
	}
	add(c.Called, "called a person %s")
	add(c.Offered, "offered %s (%d accepted)", c.Accepted)
	if c.Offered == 0 {
		add(c.Accepted, "accepted %s")
	}
	add(c.Said, "kept with words %s")
	add(c.Kept-c.Said, "kept %s")
	add(c.Closed, "closed %s")
	add(c.Messages, "asked for words %s (%d left)", c.Left)
	if c.Messages == 0 {
		add(c.Left, "took words %s")
	}
	add(c.Asked, "named in an answer %s")
	add(c.Shadow, "shadow %s")
	add(c.Suppressed, "suppressed %s")
	add(c.Near, "near %s")
	return lang.Join(", ", parts...)
}

func times(n int) lang.Text {
	if n == 1 {
		return "once"
	}
	return lang.Say("%d times", n)
}

// writeSamples shows some of what each rule did.
func writeSamples(env Env, r *replay.Result, samples int) {
	shown := map[string]int{}
	show := func(rule string, what lang.Text, d *replay.Decided) {
		if shown[rule+" "+what.String()]++; shown[rule+" "+what.String()] <= samples {
			env.print("    %s  %s", rule, describe(what, d))
		}
	}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		switch {
		case d.Outcome == rules.OutcomeTransfer, d.Outcome == rules.OutcomeOffer, d.Outcome == rules.OutcomeClosed, d.Outcome == rules.OutcomeMessage,
			d.Outcome == rules.OutcomeKeep && d.Say != "":
			show(d.Rule, d.Outcome.Words(), d)
		}
		for _, id := range d.Shadow {
			show(id, rules.OutcomeShadow.Words(), d)
		}
	}
	for i := range r.Near {
		show(r.Near[i].Rule, "near", &r.Near[i])
	}
}

// kinds are what is compared, in the order in which they matter, with the words
// for it.
var kinds = []struct {
	kind                replay.Kind
	words, gained, lost lang.Text
}{
	{replay.KindTransfer, "transfer", "go to a person only now", "went to a person only before"},
	{replay.KindOffer, "offer", "are asked only now", "were asked only before"},
	{replay.KindSay, "say", "are told something only now", "were told something only before"},
	{replay.KindShadow, "shadow", "are watched by a shadow rule only now", "were watched by a shadow rule only before"},
	{replay.KindNear, "near", "come near only now", "came near only before"},
}

// kindWords names a kind of what is compared.
func kindWords(kind replay.Kind) lang.Text {
	for _, k := range kinds {
		if k.kind == kind {
			return k.words
		}
	}
	return lang.Raw(string(kind))
}

// writeDifference tells what another file does otherwise, kind by kind.
func writeDifference(env Env, d *replay.Difference, samples int) {
	env.print("\ncompared with the other file:")
	same := true
	for _, k := range kinds {
		gained, lost, changed := ofKind(d.Gained, k.kind), ofKind(d.Lost, k.kind), ofKind(d.Changed, k.kind)
		if len(gained)+len(lost)+len(changed) == 0 {
			continue
		}
		same = false
		env.print("  %s: %d gained, %d lost, %d changed", k.words, len(gained), len(lost), len(changed))
	}
	if same {
		env.print("  no difference")
	}
	for _, k := range kinds {
		writeChanges(env, lang.Say("gained: %s", k.gained), ofKind(d.Gained, k.kind), samples)
		writeChanges(env, lang.Say("lost: %s", k.lost), ofKind(d.Lost, k.kind), samples)
		writeChanges(env, lang.Say("changed: %s by another rule, to another target, in other words or at another turn", k.words), ofKind(d.Changed, k.kind), samples)
	}
}

func ofKind(changes []replay.Change, kind replay.Kind) []replay.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c replay.Change) bool { return c.Kind != kind })
}

// writeChanges shows changes by rule, a few of each.
func writeChanges(env Env, title lang.Text, changes []replay.Change, samples int) {
	if len(changes) == 0 {
		return
	}
	env.print("\n%s", title)
	byRule := map[string][]replay.Change{}
	for _, c := range changes {
		byRule[c.Rule()] = append(byRule[c.Rule()], c)
	}
	for _, rule := range sortedKeys(byRule) {
		list := byRule[rule]
		env.print("  %s: %d", rule, len(list))
		for _, c := range list[:min(samples, len(list))] {
			what := kindWords(c.Kind)
			switch {
			case c.Before == nil:
				env.print("    %s", describe(what, c.After))
			case c.After == nil:
				env.print("    %s", describe(what, c.Before))
			default:
				env.print("    before: by %s, %s\n    now:    by %s, %s", c.Before.Rule, describe(what, c.Before), c.After.Rule, describe(what, c.After))
			}
		}
	}
}

// maxShownText bounds the words of a sample.
const maxShownText = 100

// describe tells a decision in one line.
func describe(what lang.Text, d *replay.Decided) lang.Text {
	line := what
	if d.Target != "" { // an offer has none yet
		line = lang.Say("%s to %s", line, d.Target)
	}
	if d.Reason != "" {
		line = lang.Say("%s (%s)", line, d.Reason.Words())
	}
	line = lang.Say("%s at turn %d of %s", line, d.Turn, text.Printable(d.Session))
	if d.Text != "" {
		line = lang.Say(`%s: "%s"`, line, text.Printable(shorten(d.Text)))
	}
	if d.Say != "" {
		line = lang.Say(`%s, says "%s"`, line, text.Printable(shorten(d.Say)))
	}
	return line
}

// shorten cuts words that nobody reads to their end in a list.
func shorten(s string) string {
	if long := []rune(s); len(long) > maxShownText {
		return string(long[:maxShownText]) + "…"
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
