package cli

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"escalator/bot"
	"escalator/bot/history"
	"escalator/rules"
	"escalator/rules/lang"
)

const conversationUsage = `SESSION [flags]

Prints what the running service has kept of a conversation, in order of time: what was
said, what was decided and why, what became of each rule, the transfers, and what the
customer was told. SESSION is the conversation's name in the log. Words are masked as
in the log.`

const forgetUsage = `USER [flags]

Deletes what the running service keeps about a user, and prints how much that was: the
history of conversations, decisions, the words of labels, the customer record, and
messages left for agents. It needs ESCALATOR_ADMIN_TOKEN.`

// showConversation shows the history of a conversation.
func showConversation(ctx context.Context, env Env, args []string) error {
	fs := newFlags("conversation")
	makeClient := clientFlags(fs, env)
	session, err := oneArgument(fs, env, args, conversationUsage)
	if err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var told history.Conversation
	return c.ask(ctx, "GET /api/conversations/"+url.PathEscape(session), nil, &told, func() { newPage(env).conversation(&told) })
}

// forgetUser has the service forget a user.
func forgetUser(ctx context.Context, env Env, args []string) error {
	fs := newFlags("forget")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	user, err := oneArgument(fs, env, args, forgetUsage)
	if err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var gone bot.Forgotten
	return c.ask(ctx, "DELETE /api/users/"+url.PathEscape(user), who(), &gone, func() {
		p, record := newPage(env), 0
		if gone.Record {
			record = 1
		}
		p.line("", lang.Say("removed of %s:", user))
		for _, some := range []struct {
			n    int
			what lang.Text
		}{
			{gone.Conversations, "conversations in the history"},
			{gone.Decisions, "decisions"},
			{gone.Labels, "labels (right or wrong stays, without the words)"},
			{record, "customer record"},
			{gone.Words, "conversations with messages left for agents"},
		} {
			p.line("", lang.Say("%6d  %s", some.n, some.what))
		}
	})
}

// conversation prints a history.
func (p *page) conversation(told *history.Conversation) {
	about := lang.Say("session %s", told.Session)
	if told.User != "" {
		about = lang.Say("%s, user %s", about, told.User)
	}
	if told.Phase != "" {
		about = lang.Say("%s, phase %s", about, phaseWords(told.Phase))
	}
	if n := told.Counters; n != nil {
		about = lang.Say("%s, %s", about, n.Line())
	}
	p.line("", about)
	if told.Older {
		p.line("", "Anything earlier is no longer kept.")
	}
	day := lang.Text("")
	for i := range told.Entries {
		e := &told.Entries[i]
		at := e.At.Local()
		if d := rules.Day(at, "2006-01-02"); d != day {
			day = d
			p.blank()
			p.line("", d)
		}
		p.entry(lang.Say("%s  ", at.Format("15:04:05")), e)
	}
}

// entry prints one thing that happened.
func (p *page) entry(label lang.Text, e *history.Entry) {
	indent := columnsOf(p.in(label))
	switch e.Kind {
	case history.Attempt, history.Contact:
		p.hang(label, indent, attemptWords(e))
	case history.Said:
		p.hang(label, indent, joinSome(": ", lang.Say("we said %q: %s", e.Text, outcomeOf(e.Outcome)), lang.Raw(e.Error)))
	case history.Phase:
		moved := lang.Text("")
		if by := cmp.Or(e.Event, e.Outcome); e.From != "" && by != "" {
			moved = lang.Say("from %s to %s by %s", phaseWords(e.From), phaseWords(e.Phase), outcomeOf(by))
		} else if e.From != "" {
			moved = lang.Say("from %s to %s", phaseWords(e.From), phaseWords(e.Phase))
		}
		p.hang(label, indent, joinSome(", ", moved, stars(e)))
	default:
		p.turnOf(label, indent, e)
	}
}

// turnOf prints a message, and what the rules made of it.
func (p *page) turnOf(label lang.Text, indent int, e *history.Entry) {
	words := joinSome(", ", lang.Raw(e.Text), lang.Raw(strings.Join(e.Sends, " ")), behind("mark %s", e.Mark), lang.Raw(e.Error), stars(e))
	switch {
	case e.Kind == history.Asked:
		p.hang(label, indent, joinSome(": ", "Desk asks", words))
	case e.Role == "start":
		p.hang(label, indent, "the session begins")
	case e.Role == "timer":
		p.hang(label, indent, "the bot is silent")
	default:
		p.hang(label, indent, lang.Say("%s: %s", cmp.Or(whoWords[e.Role], lang.Raw(e.Role)), words))
	}
	blanks := strings.Repeat(" ", indent)
	if e.From != "" {
		p.hang(lang.Raw(blanks), indent, lang.Say("from %s to %s", phaseWords(e.From), phaseWords(e.Phase)))
	}
	if e.Outcome == "" || e.Role == "start" {
		return
	}
	names := 0
	for _, r := range e.Rules {
		names = max(names, min(columnsOf(r.ID), widestLabel))
	}
	for _, r := range e.Rules {
		result := p.padded(cmp.Or(results[r.Result], lang.Raw(r.Result)), 10)
		p.hang(lang.Say("%s%s  %s  ", blanks, padded(r.ID, names), result), indent+names+14, joinSome(": ", r.Reason.Words(), lang.Raw(r.Why)))
	}
	p.hang(lang.Say("%s→ ", blanks), indent+2, decisionWords(e))
	if before, after := e.CountersBefore, e.Counters; before != nil && after != nil {
		p.hang(lang.Say("%s  before: ", blanks), indent+10, before.Line())
		p.hang(lang.Say("%s  after:  ", blanks), indent+10, after.Line())
	}
}

// stars is a rating in words.
func stars(e *history.Entry) lang.Text {
	if e.Rating == 0 {
		return ""
	}
	return lang.Say("%d of %d stars", e.Rating, 5)
}

// decisionWords tells a decision in one line.
func decisionWords(e *history.Entry) lang.Text {
	words := rules.OutcomeWords(e.Outcome)
	if e.Target != "" {
		words = lang.Say("%s to %s", words, e.Target)
	}
	if e.Rule != "" {
		words = lang.Say("%s by %s", words, e.Rule)
	}
	if e.Near != "" {
		words = lang.Say("%s; near: %s", words, e.Near)
	}
	if e.Reason != "" {
		words = lang.Say("%s (%s)", words, reasonWords(e.Reason))
	}
	return joinSome("; ", words, behind("shadow: %s", strings.Join(e.Shadow, ", ")), lang.Raw(e.Why))
}

// attemptWords tells a try to transfer in one line.
func attemptWords(e *history.Entry) lang.Text {
	words := lang.Text("transfer")
	if e.Kind == history.Contact {
		words = "contacting the customer who left a message"
	}
	if e.Target != "" {
		words = lang.Say("%s to %s", words, e.Target)
	}
	if e.Group != 0 {
		words = lang.Say("%s (group %d)", words, e.Group)
	}
	words = lang.Say("%s: %s", words, outcomeOf(e.Outcome))
	end := lang.Text("another one follows")
	if e.Final {
		end = "the last one"
	}
	code := behind("code %s", e.Code)
	if e.CodeWords != "" {
		code = lang.Say("code %s: %s", e.Code, e.CodeWords)
	}
	calls := lang.Text("")
	if e.Attempt > 0 { // else Desk was not asked: time went by
		calls = lang.Say("attempt %d", e.Attempt)
	}
	return joinSome(", ", words, behind("agent %s", e.Agent), calls, lang.Say("%d ms", e.TookMS),
		code, lang.Raw(e.Error), behind("by %s", e.By), lang.Raw(e.Why), end)
}

// attempts are the words for how an attempt to transfer, or to say something, ended.
var attempts = map[string]lang.Text{
	"assigned": "assigned", "queued": "queued", "no_agent": "no_agent", "already_human": "already_human", "session_gone": "session_gone",
	"failed": "failed", "retrying": "retrying", "unanswered": "unanswered", "sent": "sent", "given_up": "given_up", "pending": "pending",
}

func outcomeOf(name string) lang.Text { return cmp.Or(attempts[name], lang.Raw(name)) }

// behind puts words into a message, if there are any.
func behind(format lang.Text, words string) lang.Text {
	if words == "" {
		return ""
	}
	return lang.Say(format, words)
}

// joinSome joins the texts that are not empty.
func joinSome(sep lang.Text, texts ...lang.Text) lang.Text {
	var some []lang.Text
	for _, t := range texts {
		if t != "" {
			some = append(some, t)
		}
	}
	return lang.Join(sep, some...)
}
