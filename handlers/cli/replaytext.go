package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/text"
)

// writeReplay prints what every rule did and, where two files were compared, what
// is different, with conversations to look at.
func writeReplay(w io.Writer, p *rules.Policy, r *replayed, samples int) {
	fmt.Fprintf(w, "%d conversations, %d turns\n", r.Conversations, r.Turns)
	for _, rule := range p.Rules() {
		fmt.Fprintf(w, "  %-20s %s\n", rule.ID, did(r.ByRule[rule.ID]))
	}
	if r.Difference == nil {
		writeSamples(w, r.Result, samples)
		return
	}
	writeDifference(w, r.Difference, samples)
}

// did tells in words what a rule did.
func did(c *replay.Counts) string {
	if c.Never() {
		return "never"
	}
	var parts []string
	add := func(n int, format string, more ...any) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, append([]any{n}, more...)...))
		}
	}
	add(c.Called, "called a person %d times")
	add(c.Offered, "offered %d times (%d accepted)", c.Accepted)
	if c.Offered == 0 {
		add(c.Accepted, "accepted %d times")
	}
	add(c.Said, "kept with words %d times")
	add(c.Kept-c.Said, "kept %d times")
	add(c.Closed, "closed %d times")
	add(c.Messages, "asked for words %d times (%d left)", c.Left)
	if c.Messages == 0 {
		add(c.Left, "took words %d times")
	}
	add(c.Asked, "named in an answer %d times")
	add(c.Shadow, "shadow %d times")
	add(c.Suppressed, "suppressed %d times")
	add(c.Near, "near %d times")
	return strings.ReplaceAll(strings.Join(parts, ", "), " 1 times", " once")
}

// writeSamples shows some of what each rule did.
func writeSamples(w io.Writer, r *replay.Result, samples int) {
	shown := map[string]int{}
	show := func(rule, what string, d *replay.Decided) {
		if shown[rule+" "+what]++; shown[rule+" "+what] <= samples {
			fmt.Fprintf(w, "    %s  %s\n", rule, describe(what, d))
		}
	}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		switch {
		case d.Outcome == rules.OutcomeTransfer, d.Outcome == rules.OutcomeOffer, d.Outcome == rules.OutcomeClosed, d.Outcome == rules.OutcomeMessage,
			d.Outcome == rules.OutcomeKeep && d.Say != "":
			show(d.Rule, d.Outcome.String(), d)
		}
		for _, id := range d.Shadow {
			show(id, rules.OutcomeShadow.String(), d)
		}
	}
	for i := range r.Near {
		show(r.Near[i].Rule, "near", &r.Near[i])
	}
}

// kinds are what is compared, in the order in which they matter, with the words
// for it.
var kinds = []struct {
	kind         replay.Kind
	gained, lost string
}{
	{replay.KindTransfer, "go to a person only now", "went to a person only before"},
	{replay.KindOffer, "are asked only now", "were asked only before"},
	{replay.KindSay, "are told something only now", "were told something only before"},
	{replay.KindShadow, "are watched by a shadow rule only now", "were watched by a shadow rule only before"},
	{replay.KindNear, "come near only now", "came near only before"},
}

// writeDifference tells what another file does otherwise, kind by kind.
func writeDifference(w io.Writer, d *replay.Difference, samples int) {
	fmt.Fprintln(w, "\ncompared with the other file:")
	same := true
	for _, k := range kinds {
		gained, lost, changed := ofKind(d.Gained, k.kind), ofKind(d.Lost, k.kind), ofKind(d.Changed, k.kind)
		if len(gained)+len(lost)+len(changed) == 0 {
			continue
		}
		same = false
		fmt.Fprintf(w, "  %s: %d gained, %d lost, %d changed\n", k.kind, len(gained), len(lost), len(changed))
	}
	if same {
		fmt.Fprintln(w, "  no difference")
	}
	for _, k := range kinds {
		writeChanges(w, "gained: "+k.gained, ofKind(d.Gained, k.kind), samples)
		writeChanges(w, "lost: "+k.lost, ofKind(d.Lost, k.kind), samples)
		writeChanges(w, "changed: "+string(k.kind)+" by another rule, to another target, in other words or at another turn", ofKind(d.Changed, k.kind), samples)
	}
}

func ofKind(changes []replay.Change, kind replay.Kind) []replay.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c replay.Change) bool { return c.Kind != kind })
}

// writeChanges shows changes by rule, a few of each.
func writeChanges(w io.Writer, title string, changes []replay.Change, samples int) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	byRule := map[string][]replay.Change{}
	for _, c := range changes {
		byRule[c.Rule()] = append(byRule[c.Rule()], c)
	}
	for _, rule := range sortedKeys(byRule) {
		list := byRule[rule]
		fmt.Fprintf(w, "  %s: %d\n", rule, len(list))
		for _, c := range list[:min(samples, len(list))] {
			what := string(c.Kind)
			switch {
			case c.Before == nil:
				fmt.Fprintf(w, "    %s\n", describe(what, c.After))
			case c.After == nil:
				fmt.Fprintf(w, "    %s\n", describe(what, c.Before))
			default:
				fmt.Fprintf(w, "    before: by %s, %s\n    now:    by %s, %s\n", c.Before.Rule, describe(what, c.Before), c.After.Rule, describe(what, c.After))
			}
		}
	}
}

// maxShownText bounds the words of a sample.
const maxShownText = 100

// describe tells a decision in one line.
func describe(what string, d *replay.Decided) string {
	line := what
	if d.Target != "" { // an offer has none yet
		line += " to " + d.Target
	}
	if d.Reason != "" {
		line += " (" + string(d.Reason) + ")"
	}
	line += fmt.Sprintf(" at turn %d of %s", d.Turn, text.Printable(d.Session))
	if d.Text != "" {
		line += `: "` + text.Printable(shorten(d.Text)) + `"`
	}
	if d.Say != "" {
		line += `, says "` + text.Printable(shorten(d.Say)) + `"`
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
