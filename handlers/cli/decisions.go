package cli

import (
	"context"
	"flag"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

const decisionsUsage = `[--follow] [flags]

Lists the decisions of the running service, newest last. With --follow, new ones are
printed as they are made, until Ctrl-C; after a lost connection nothing is missed.
Words are masked as in the log.`

// shownDecisions is how many are shown unless -n says otherwise.
const shownDecisions = 20

// decision is what GET /api/decisions tells of one, as far as it is shown.
type decision struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Session  string    `json:"session"`
	User     string    `json:"user"`
	Text     string    `json:"text"`
	Rule     string    `json:"rule"`
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason"`
	Shadow   []string  `json:"shadow"`
	Matched  []string  `json:"matched"`
	Why      string    `json:"why"`
	Target   string    `json:"target"`
	Near     string    `json:"near"`
	Replica  string    `json:"replica"`
	Transfer *tried    `json:"transfer"`
	Label    string    `json:"label"`
}

// tried is an attempt to transfer.
type tried struct {
	Outcome string    `json:"outcome"`
	Agent   string    `json:"agent"`
	Code    string    `json:"code"`
	Error   string    `json:"error"`
	TookMS  int64     `json:"took_ms"`
	At      time.Time `json:"at"`
}

// decisionFilter declares the flags by which decisions are chosen, and returns what makes
// the query of them.
func decisionFilter(fs *flag.FlagSet) func() url.Values {
	values := map[string]*string{}
	for _, f := range []struct {
		name string
		help lang.Text
	}{
		{"session", "only those of this `SESSION`"},
		{"user", "only those of this `USER`"},
		{"rule", "only those that this `RULE` made or nearly made"},
		{"outcome", "only those with one of these `OUTCOMES`, separated by commas: transfer, offer, keep, suppressed, near, shadow, none and others"},
		{"reason", "only those with this `REASON`, such as negated or cooldown"},
		{"since", "only those since a `TIME`: 15m, 2h, or 2026-01-05T10:00:00+08:00"},
		{"q", "only those with these `WORDS`, in upper or lower case, in what was said, why, user or session"},
		{"label", "only those with this `LABEL`: right or wrong"},
	} {
		values[f.name] = fs.String(f.name, "", f.help.String())
	}
	return func() url.Values {
		query := url.Values{}
		for name, value := range values {
			if *value != "" {
				query.Set(name, *value)
			}
		}
		return query
	}
}

// showDecisions lists decisions, or follows them.
func showDecisions(ctx context.Context, env Env, args []string) error {
	fs := newFlags("decisions")
	makeClient, filter := clientFlags(fs, env), decisionFilter(fs)
	n := fs.Int("n", shownDecisions, "how many of the newest; with --follow, before the new ones")
	follow := fs.Bool("follow", false, "keep printing new decisions; with --json, one document a line")
	if err := flagsOnly(fs, env, args, decisionsUsage); err != nil {
		return err
	}
	if *n < 0 || *n == 0 && !*follow {
		return &usageError{[]lang.Text{"-n must be a number above 0"}}
	}
	query := filter()
	if *follow && slices.Contains(strings.Split(query.Get("outcome"), ","), "none") {
		return &usageError{[]lang.Text{"--follow cannot show the outcome none: what leads to nothing is read from the history (leave out --follow or none)"}}
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	if *follow {
		return newFollower(c, query).run(ctx, *n)
	}
	query.Set("n", strconv.Itoa(*n))
	var answer struct {
		Decisions []decision `json:"decisions"`
	}
	return c.ask(ctx, "GET /api/decisions?"+query.Encode(), nil, &answer, func() {
		p := newPage(env)
		if len(answer.Decisions) == 0 {
			p.line("", "No such decision is kept.")
			return
		}
		p.decisionHead()
		for _, d := range slices.Backward(answer.Decisions) {
			p.decision(&d)
		}
	})
}

// The columns of a decision.
const (
	decisionTime    = "01-02 15:04:05"
	outcomeColumns  = 10
	ruleColumns     = 18
	decisionColumns = len(decisionTime) + 2 + outcomeColumns + 2 + ruleColumns + 2
	// detailsColumns are those of what follows; where the terminal has fewer it stands
	// below.
	detailsColumns = 24
)

func (p *page) decisionHead() {
	p.decisionLine(p.in("time"), "outcome", uncoloured, p.in("rule"), "session, user, target, words, why")
}

// decisionLine prints a line of the list of decisions.
func (p *page) decisionLine(at string, outcome lang.Text, c colour, rule string, details lang.Text) {
	label := padded(at, len(decisionTime)) + "  " + p.paint(c, padded(p.in(outcome), outcomeColumns)) + "  " + padded(rule, ruleColumns) + "  "
	columns := decisionColumns + max(0, columnsOf(rule)-ruleColumns)
	if p.width-columns >= detailsColumns {
		p.lay(label, columns, decisionColumns, p.in(details))
		return
	}
	p.lay(strings.TrimRight(label, " "), columns, 4, "")
	p.hang("    ", 4, details)
}

// decision prints one decision.
func (p *page) decision(d *decision) {
	outcome, rule := d.Outcome, d.Rule
	switch {
	case outcome == "none" && d.Near != "":
		outcome, rule = "near", d.Near
	case outcome == "none" && len(d.Shadow) > 0:
		outcome, rule = "shadow", strings.Join(d.Shadow, ",")
	}
	words := d.Text
	if words == "" {
		words = strings.Join(d.Matched, ", ")
	}
	if words != "" {
		words = `"` + words + `"`
	}
	why := joinSome(": ", reasonWords(d.Reason), lang.Raw(d.Why))
	p.decisionLine(d.At.Local().Format(decisionTime), rules.OutcomeWords(outcome), outcomeColours[outcome], rule, joinSome("  ",
		lang.Raw(d.Session), lang.Raw(d.User), behind("→ %s", d.Target), lang.Raw(words), why, d.Transfer.words(), behind("labelled %s", d.Label), behind("on %s", d.Replica)))
}

var outcomeColours = map[string]colour{
	"transfer": green, "offer": green, "keep": yellow, "suppressed": yellow, "near": yellow, "shadow": faint, "none": faint,
	"assigned": green, "queued": green, "failed": red, "no_agent": yellow, "retrying": yellow,
}

// words tells an attempt in a few words, "" where there was none.
func (t *tried) words() lang.Text {
	if t == nil {
		return ""
	}
	code := t.Code
	if code == "0" { // Desk's for good
		code = ""
	}
	return joinSome(" ", outcomeOf(t.Outcome), lang.Raw(t.Agent), behind("code %s", code), lang.Raw(t.Error), lang.Say("(%d ms)", t.TookMS))
}
