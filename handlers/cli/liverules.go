package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"escalator/bot/rulefile"
	"escalator/bot/stats"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/text"
)

const rulesUsage = `[history | diff [FROM [TO]] | rollback VERSION] [flags]

Shows the rules of the running service and what each of them did. history lists the
versions that were accepted; diff compares two of them (without any, the rules in
force with the file); rollback goes back to one. A version may be shortened; "file"
is the file as it is now.`

// liveRules asks the running service for its rules, or changes them.
func liveRules(ctx context.Context, env Env, args []string) error {
	fs := newFlags("rules")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	rest, err := parse(fs, env, args, rulesUsage)
	if err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	verb, rest := strings.Join(rest[:min(1, len(rest))], ""), rest[min(1, len(rest)):]
	switch {
	case verb == "" && len(rest) == 0:
		return c.listRules(ctx)
	case verb == "history" && len(rest) == 0:
		return c.ruleHistory(ctx)
	case verb == "diff" && len(rest) <= 2:
		return c.ruleDiff(ctx, rest)
	case verb == "rollback" && len(rest) == 1:
		return c.rollBack(ctx, rest[0], who())
	}
	return &usageError{[]lang.Text{"rules takes nothing, history, diff [FROM [TO]] or rollback VERSION (escalator rules --help)"}}
}

// clockTime is how times are shown to people, in their own zone.
const clockTime = "2006-01-02 15:04:05"

func (c *client) listRules(ctx context.Context) error {
	var answer struct {
		rulefile.Status
		Mode  rules.Mode `json:"mode"`
		Rules []struct {
			ID    string     `json:"id"`
			Mode  rules.Mode `json:"mode"`
			Owner string     `json:"owner"`
			Share string     `json:"share"`
			From  *time.Time `json:"from"`
			Until *time.Time `json:"until"`
			stats.Rule
			Muted *rules.Mute `json:"muted"`
		} `json:"rules"`
	}
	return c.ask(ctx, "GET /api/rules", nil, &answer, func() {
		p := newPage(c.env)
		p.line("", lang.Say("version %s, in force since %s, mode %s", answer.Version, answer.LoadedAt.Local().Format(clockTime), answer.Mode))
		if answer.LastGood != nil {
			p.line("  ", lang.Say("This is the last version that was accepted, %s: the file was refused at the start.", answer.LastGood.Local().Format(clockTime)))
		}
		if answer.LastError != "" {
			p.line("  ", lang.Say("The file as it is now is refused: %s", answer.LastError))
		}
		if answer.Unkept != "" {
			p.line("  ", lang.Say("This version cannot be kept in the data folder: %s", answer.Unkept))
		}
		p.blank()
		p.line("", lang.Say("%s  mode    fired  near suppressed shadow  last fired", p.padded("rule, last 24 h", widestLabel)))
		for _, r := range answer.Rules {
			last := lang.Text("never")
			if r.LastFired != nil {
				last = lang.Raw(r.LastFired.Local().Format("01-02 15:04:05")) // with the year it would be 83 columns
			}
			p.line(lang.Raw(padded(r.ID, widestLabel)), lang.Say("  %-7s %5d %5d %10d %6d  %s", r.Mode, r.Fired, r.Near, r.Suppressed, r.Shadow, last))
			if limits := limitWords(r.Owner, r.Share, r.From, r.Until); limits != "" {
				p.line("  ", limits)
			}
			if r.Muted != nil {
				p.line("  ", lang.Say("muted until %s by %s: %s", r.Muted.Until.Local().Format(clockTime), r.Muted.By, r.Muted.Why))
			}
		}
	})
}

// limitWords says who answers for a rule, for whom it is, and for how long.
func limitWords(owner, share string, from, until *time.Time) lang.Text {
	var words []lang.Text
	if owner != "" {
		words = append(words, lang.Say("owner %s", owner))
	}
	if share != "" {
		words = append(words, lang.Say("for %s of the customers", share))
	}
	if from != nil {
		words = append(words, lang.Say("from %s", from.Local().Format(clockTime)))
	}
	if until != nil {
		words = append(words, lang.Say("until %s", until.Local().Format(clockTime)))
	}
	return lang.Join(", ", words...)
}

func (c *client) ruleHistory(ctx context.Context) error {
	var answer struct {
		InForce  string              `json:"in_force"`
		Versions []rulefile.Accepted `json:"versions"`
	}
	return c.ask(ctx, "GET /api/rules/history", nil, &answer, func() {
		p := newPage(c.env)
		if len(answer.Versions) == 0 {
			p.line("", "No version is kept.")
		}
		marked := false
		for _, v := range answer.Versions {
			mark := " "
			if v.Version == answer.InForce && !marked {
				mark, marked = "*", true
			}
			how := lang.Raw(v.How)
			if v.By != "" {
				how = lang.Say("%s by %s", how, v.By)
			}
			if v.Why != "" {
				how = lang.Say("%s: %s", how, v.Why)
			}
			p.line(lang.Raw(mark+" "+v.Version+"  "), lang.Say("%s  %s", v.At.Local().Format(clockTime), how))
		}
	})
}

func (c *client) ruleDiff(ctx context.Context, versions []string) error {
	query := url.Values{}
	for i, version := range versions {
		query.Set([]string{"from", "to"}[i], version)
	}
	var d rulefile.Diff
	return c.ask(ctx, "GET /api/rules/diff?"+query.Encode(), nil, &d, func() {
		p := newPage(c.env)
		switch {
		case d.Refused != "":
			p.line("", lang.Say("version %s is refused: %s", d.To, d.Refused))
		case d.Text == "":
			p.line("", lang.Say("no difference, version %s", d.To))
		case d.Change != nil:
			c.showChange(d.Change)
		}
		for line := range strings.Lines(d.Text) { // not broken: it is to be read by patch too
			fmt.Fprintln(c.env.Stdout, text.Printable(strings.TrimSuffix(line, "\n")))
		}
	})
}

func (c *client) rollBack(ctx context.Context, version string, who operator) error {
	if err := needBy("rollback", who); err != nil {
		return err
	}
	in := map[string]string{"version": version, "by": who.By, "why": who.Why}
	var answer struct {
		Change  string          `json:"change"`
		Details rulefile.Change `json:"details"`
	}
	return c.ask(ctx, "POST /api/rules/rollback", in, &answer, func() { c.showChange(&answer.Details) })
}

// showChange prints what a reload did, or would do.
func (c *client) showChange(change *rulefile.Change) {
	p := newPage(c.env)
	p.line("", change.Words())
	for _, line := range change.Lines() {
		p.line("  ", line)
	}
}
