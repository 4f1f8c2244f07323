package cli

import (
	"fmt"
	"strconv"
	"strings"

	"escalator/bot/report"
	"escalator/rules/lang"
)

// unknownFigure stands where nobody knows.
const unknownFigure = "–"

// writeReport prints a report as a table.
func writeReport(env Env, r *report.Report) {
	p := newPage(env)
	contained := unknownFigure
	if r.Containment != nil {
		contained = fmt.Sprintf("%.1f%%", 100**r.Containment)
	}
	p.line("", lang.Say("%d sessions: %d ended without a person, %d with one (%d of them called by no rule), unknown %d, may go on %d", r.Sessions, r.Alone, r.WithPerson, r.Unruled, r.Unknown, r.Running))
	p.line("", lang.Say("containment: %s", contained))
	switch {
	case r.Records == nil:
		p.line("", "Desk's records were not read (--records FILE or --desk): how sessions ended is known only where callbacks say so")
	case !r.Whole:
		p.line("", lang.Say("records of Desk that were read: %d, and there are more: ask for a shorter period", *r.Records))
	default:
		p.line("", lang.Say("records of Desk that were read: %d", *r.Records))
	}
	if r.All.Called == 0 {
		p.line("", "no rule called a person")
		return
	}
	p.blank()
	names := columnsOf(p.in("all rules"))
	for i := range r.Rules {
		names = max(names, min(columnsOf(r.Rules[i].Rule), widestLabel))
	}
	p.line(lang.Raw(padded("", names)), " called  taken nobody  unans. failed   ?   <30s     rating  again")
	for i := range r.Rules {
		p.line(lang.Raw(padded(r.Rules[i].Rule, names)), lang.Raw(reportRow(&r.Rules[i])))
	}
	p.line(p.padded("all rules", names), lang.Raw(reportRow(&r.All)))
}

// reportRow writes the figures of a rule below the titles.
func reportRow(w *report.Row) string {
	rating := unknownFigure
	if w.Rating != nil {
		rating = fmt.Sprintf("%.1f (%d)", *w.Rating, w.Rated)
	}
	var b strings.Builder
	for _, cell := range []struct {
		width int
		text  string
	}{
		{7, strconv.Itoa(w.Called)},
		{7, figure(w.Taken)},
		{7, figure(w.Nobody)},
		{8, figure(w.Unanswered)},
		{7, figure(w.Failed)},
		{4, strconv.Itoa(w.Unknown)},
		{7, figure(w.Short)},
		{11, rating},
		{7, figure(w.Again)},
	} {
		b.WriteString(strings.Repeat(" ", max(1, cell.width-columnsOf(cell.text))) + cell.text)
	}
	return b.String()
}

func figure(n *int) string {
	if n == nil {
		return unknownFigure
	}
	return strconv.Itoa(*n)
}
