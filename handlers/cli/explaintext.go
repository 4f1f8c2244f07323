package cli

import (
	"cmp"
	"fmt"
	"strings"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// results are the words for what became of a rule.
var results = map[string]lang.Text{
	"fired": "fired", "suppressed": "suppressed", "shadow": "would", "no": "no", "off": "off", "muted": "muted", "not_tried": "-",
}

// whoWords are the words for who or what a turn is of.
var whoWords = map[string]lang.Text{
	"user": "user", "bot": "bot", "agent": "agent", "timer": "timer", "wait": "wait", "desk": "desk", "event": "event", "rating": "rating", "start": "start",
}

// phases are the words for the phases of a conversation.
var phases = map[string]lang.Text{"bot": "bot", "transferring": "transferring", "queued": "queued", "human": "human"}

func phaseWords(name string) lang.Text { return cmp.Or(phases[name], lang.Raw(name)) }

// turn prints the story of one turn.
func (p *page) turn(t *replay.ExplainedTurn) {
	if t.Role == "user" || t.Role == "bot" {
		p.marked(p.in(lang.Say("%s: ", whoWords[t.Role])), t.Text, t.Decision.Matched)
	} else {
		label := whoWords[t.Role]
		if t.Text != "" {
			label = lang.Say("%s: ", label)
		}
		p.line(label, lang.Raw(t.Text))
	}
	if t.Text != "" && (t.Role == "user" || t.Role == "bot") {
		p.line("  normal form   ", lang.Raw(t.Normal))
		p.line("  tokens        ", lang.List(" · ", t.Tokens...))
	}
	if t.Counters != nil {
		language := lang.Raw(t.Language)
		if language == "" {
			language = "not known"
		}
		p.line("  conversation  ", lang.Say("%s, phase %s, language %s, %s",
			rules.Day(t.At, "2006-01-02 15:04:05 -07:00"), phaseWords(t.Phase), language, t.Counters.Line()))
	}
	p.rules(t.Rules)
	p.line("  → ", t.Summary)
	d := &t.Decision
	p.effect("    ", t.Language, &rules.RuleTrace{Chain: d.Chain, Say: d.Say, Offer: d.Offer, Notify: d.Notify})
	for _, r := range t.Rules {
		if r.Result == "shadow" {
			p.effect(lang.Say("    %s would ", r.ID), t.Language, &r)
		}
	}
}

// rules prints what became of each rule.
func (p *page) rules(traces []rules.RuleTrace) {
	names := 0
	for _, r := range traces {
		names = max(names, min(columnsOf(r.ID), widestLabel))
	}
	for _, r := range traces {
		why := r.Why
		if r.Owner != "" {
			why = lang.Say("%s (owner: %s)", why, r.Owner)
		}
		p.hang(lang.Say("  %s  %s  ", padded(r.ID, names), p.padded(results[r.Result], 10)), names+16, why)
	}
}

// effect prints where a rule leads and who is told what: the customer, first in the language of the conversation, and the
// staff.
func (p *page) effect(label lang.Text, language string, r *rules.RuleTrace) {
	special := false
	var stops []lang.Text
	for _, s := range r.Chain {
		stop := lang.Raw(s.Target)
		if s.Closed != "" {
			stop = lang.Say("%s (%s)", stop, s.Closed)
			special = true
		}
		if s.LastAgent != "" {
			stop = lang.Say("%s (had the customer last)", s.LastAgent)
		}
		if len(s.Agents) > 0 {
			stop = lang.Say("%s, only %s", stop, strings.Join(s.Agents, ", "))
			special = true
		}
		if s.Priority != nil {
			stop = lang.Say("%s, priority %d", stop, *s.Priority)
			special = true
		}
		stops = append(stops, stop)
	}
	if len(stops) > 1 || special {
		p.line(lang.Say("%stry ", label), lang.Join(" → ", stops...))
	}
	p.words(lang.Say("%ssay ", label), language, r.Say)
	p.words(lang.Say("%sask ", label), language, r.Offer)
	if len(r.Notify) > 0 {
		p.line(lang.Say("%stell ", label), lang.List(", ", r.Notify...))
	}
}

func (p *page) words(label lang.Text, language string, texts []rules.SpeechText) {
	if len(texts) == 0 || texts[0].Text == "" {
		return
	}
	first := (&rules.Speech{Texts: texts}).For(language)
	p.line(label, lang.Say(`"%s"`, first))
	for _, t := range texts {
		if t.Text != first {
			p.line(lang.Say("%s in %s ", strings.Repeat(" ", columnsOf(p.in(label))-1), t.Lang), lang.Say(`"%s"`, t.Text))
		}
	}
}

// marked prints a text and underlines the words that were found in it.
func (p *page) marked(label, words string, matched []rules.Match) {
	var cells []cell
	var marks []bool
	for i, r := range words {
		under := false
		for _, m := range matched {
			under = under || m.Start <= i && i < m.End
		}
		cells, marks = append(cells, cellOf(r)), append(marks, under)
	}
	indent := columnsOf(label)
	for first := true; first || len(cells) > 0; first = false {
		n, next := fit(cells, p.width-indent)
		fmt.Fprintln(p.env.Stdout, strings.TrimRight(label+joined(cells[:n]), " "))
		var under strings.Builder
		for i, c := range cells[:n] {
			under.WriteString(strings.Repeat(map[bool]string{true: "^", false: " "}[marks[i]], c.columns))
		}
		if line := strings.TrimRight(under.String(), " "); line != "" {
			fmt.Fprintln(p.env.Stdout, strings.Repeat(" ", indent)+line)
		}
		cells, marks, label = cells[next:], marks[next:], strings.Repeat(" ", indent)
	}
}
