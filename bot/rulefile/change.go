package rulefile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/ruletest"
)

// Change says what a reload did.
type Change struct {
	Before  string `json:"version_before,omitempty"`
	Version string `json:"version"`
	// Same says that the file had not changed.
	Same    bool       `json:"same,omitempty"`
	Rules   Difference `json:"rules"`
	Targets Difference `json:"targets"`
	// Texts are those to customers that are other words now, as `ask say` or `sales say_if_queued`.
	Texts []string `json:"texts,omitempty"`
	// Other are the other parts that came, went or say something else, as `lists refund` or `limits`.
	Other []string `json:"other,omitempty"`
	// TestsPassed of Tests went well.
	TestsPassed int             `json:"tests_passed"`
	Tests       int             `json:"tests"`
	Warnings    []rules.Problem `json:"warnings,omitempty"`
}

// Difference names what came, changed and went.
type Difference struct {
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

func (d *Difference) note(name, before, after string) {
	switch {
	case before == "":
		d.Added = append(d.Added, name)
	case after == "":
		d.Removed = append(d.Removed, name)
	default:
		d.Changed = append(d.Changed, name)
	}
}

// String is the one line that the log and the command print.
func (c *Change) String() string { return c.Words().String() }

// Words is that line for a reader of any language.
func (c *Change) Words() lang.Text {
	if c.Same {
		return lang.Say("unchanged, version %s", c.Version)
	}
	counts := func(d Difference) string {
		return fmt.Sprintf("+%d ~%d -%d", len(d.Added), len(d.Changed), len(d.Removed))
	}
	return lang.Say("rules %s, targets %s, tests %d/%d, version %s -> %s",
		counts(c.Rules), counts(c.Targets), c.TestsPassed, c.Tests, c.Before, c.Version)
}

// Lines names what changed, a line for each kind of it.
func (c *Change) Lines() (lines []lang.Text) {
	for _, kind := range []struct {
		what  lang.Text
		names []string
	}{
		{"rules added", c.Rules.Added},
		{"rules changed", c.Rules.Changed},
		{"rules removed", c.Rules.Removed},
		{"targets added", c.Targets.Added},
		{"targets changed", c.Targets.Changed},
		{"targets removed", c.Targets.Removed},
		{"texts changed", c.Texts},
		{"also changed", c.Other},
	} {
		if len(kind.names) > 0 {
			lines = append(lines, lang.Say("%s: %s", kind.what, strings.Join(kind.names, ", ")))
		}
	}
	return lines
}

// fields are what the log says of the change: only what there is.
func (c *Change) fields() map[string]any {
	fields := map[string]any{"change": c.String(), "rules_version": c.Version, "version_before": c.Before}
	for _, line := range c.Lines() {
		what, names, _ := strings.Cut(line.String(), ": ")
		fields[strings.ReplaceAll(what, " ", "_")] = names
	}
	var warnings []string
	for _, w := range c.Warnings[:min(len(c.Warnings), maxLogged)] {
		warnings = append(warnings, strings.TrimSpace(fmt.Sprintf("%s line %d: %s", w.File, w.Line, w.Message)))
	}
	if len(warnings) > 0 {
		fields["warnings"] = warnings
	}
	return fields
}

// compare names the parts that two policies do not have in common, in the order of their names.
func (c *Change) compare(before, after *rules.Policy) {
	old, now := before.Parts(), after.Parts()
	var parts []rules.Part
	for part, digest := range now {
		if old[part] != digest {
			parts = append(parts, part)
		}
	}
	for part := range old {
		if now[part] == "" {
			parts = append(parts, part)
		}
	}
	slices.SortFunc(parts, func(a, b rules.Part) int {
		return cmp.Or(cmp.Compare(a.Section, b.Section), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Text, b.Text))
	})
	for _, part := range parts {
		whole := rules.Part{Section: part.Section, Name: part.Name}
		switch {
		case part.Text != "":
			if old[whole] != "" && now[whole] != "" { // else it came or went with its rule or target
				c.Texts = append(c.Texts, part.Name+" "+part.Text)
			}
		case part.Section == "rules":
			c.Rules.note(part.Name, old[part], now[part])
		case part.Section == "targets":
			c.Targets.note(part.Name, old[part], now[part])
		default:
			c.Other = append(c.Other, strings.TrimSpace(part.Section+" "+part.Name))
		}
	}
	if !slices.Equal(order(before, now), order(after, old)) {
		c.Other = append(c.Other, "order of the rules")
	}
}

// order gives the ids of the rules that the other policy has too, in their order, which decides between them.
func order(p *rules.Policy, others map[rules.Part]string) (ids []string) {
	for _, r := range p.Rules() {
		if others[rules.Part{Section: "rules", Name: r.ID}] != "" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// RefusedError is the error of a file that was not taken. The rules in force stay.
type RefusedError struct {
	// Why is the reason in one line.
	Why lang.Text
	// Report holds the mistakes in the file, if it has any.
	Report rules.Report
	// Source is what was refused.
	Source rules.Files
	// Failed are the tests of the file that failed.
	Failed []ruletest.Result
	file   string
}

// Error tells the reason and each mistake with its place.
func (r *RefusedError) Error() string {
	return lang.Join("; ", append([]lang.Text{r.Why}, r.Problems()...)...).String()
}

// ProblemsTo is Problems for a reader of a language.
func (r *RefusedError) ProblemsTo(l lang.Language) []lang.Text {
	lines := r.Problems()
	for i := range lines {
		lines[i] = lines[i].To(l)
	}
	return lines
}

// Problems lists the mistakes and the failed tests, a line each.
func (r *RefusedError) Problems() []lang.Text {
	lines := []lang.Text{}
	for _, p := range r.Report.Errors {
		line := lang.Say("%s:%d:%d: %s", p.In(r.file), p.Line, p.Column, p.Message)
		if p.Hint != "" {
			line = lang.Say("%s (%s)", line, p.Hint)
		}
		lines = append(lines, line)
	}
	for _, t := range r.Failed {
		lines = append(lines, lang.Say("%s:%d: test %q: %s", rules.Beside(r.file, t.File), t.Line, t.Name, t.Message))
	}
	return lines
}
