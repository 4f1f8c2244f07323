package cli

import (
	"fmt"
	"strconv"
	"strings"

	"escalator/rules"
	"escalator/rules/replay"
)

// results are the words for what became of a rule.
var results = map[string]string{"shadow": "would", "not_tried": "-"}

// turn prints the story of one turn.
func (p *page) turn(t *replay.ExplainedTurn) {
	if t.Role == "user" || t.Role == "bot" {
		p.marked(t.Role+": ", t.Text, t.Decision.Matched)
	} else {
		p.line(t.Role+strings.Repeat(": ", min(1, len(t.Text))), t.Text)
	}
	if t.Text != "" && (t.Role == "user" || t.Role == "bot") {
		p.line("  normal form   ", t.Normal)
		p.line("  tokens        ", strings.Join(t.Tokens, " · "))
	}
	if t.Counters != nil {
		language := t.Language
		if language == "" {
			language = "not known"
		}
		p.line("  conversation  ", fmt.Sprintf("%s, phase %s, language %s, %s",
			t.At.Format("Mon 2006-01-02 15:04:05 -07:00"), t.Phase, language, t.Counters))
	}
	p.rules(t.Rules)
	p.line("  → ", t.Summary.String())
	d := &t.Decision
	p.effect("    ", t.Language, &rules.RuleTrace{Chain: d.Chain, Say: d.Say, Offer: d.Offer, Notify: d.Notify})
	for _, r := range t.Rules {
		if r.Result == "shadow" {
			p.effect("    "+r.ID+" would ", t.Language, &r)
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
		result := r.Result
		if word := results[result]; word != "" {
			result = word
		}
		why := r.Why.String()
		if r.Owner != "" {
			why += " (owner: " + r.Owner + ")"
		}
		p.hang("  "+padded(r.ID, names)+"  "+padded(result, 10)+"  ", names+16, why)
	}
}

// effect prints where a rule leads and who is told what: the customer, first in the language of the conversation, and the
// staff.
func (p *page) effect(label, language string, r *rules.RuleTrace) {
	special := false
	var stops []string
	for _, s := range r.Chain {
		if s.Closed != "" {
			s.Target += " (" + s.Closed.String() + ")"
			special = true
		}
		if s.LastAgent != "" {
			s.Target = s.LastAgent + " (had the customer last)"
		}
		if len(s.Agents) > 0 {
			s.Target += ", only " + strings.Join(s.Agents, ", ")
			special = true
		}
		if s.Priority != nil {
			s.Target += ", priority " + strconv.Itoa(*s.Priority)
			special = true
		}
		stops = append(stops, s.Target)
	}
	if len(stops) > 1 || special {
		p.line(label+"try ", strings.Join(stops, " → "))
	}
	p.words(label+"say", language, r.Say)
	p.words(label+"ask", language, r.Offer)
	if len(r.Notify) > 0 {
		p.line(label+"tell ", strings.Join(r.Notify, ", "))
	}
}

func (p *page) words(label, language string, texts []rules.SpeechText) {
	if len(texts) == 0 || texts[0].Text == "" {
		return
	}
	first := (&rules.Speech{Texts: texts}).For(language)
	p.line(label+" ", `"`+first+`"`)
	for _, t := range texts {
		if t.Text != first {
			p.line(strings.Repeat(" ", columnsOf(label))+" in "+t.Lang+" ", `"`+t.Text+`"`)
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
