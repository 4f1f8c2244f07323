package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"escalator/bot"
	"escalator/bot/history"
)

const conversationUsage = `SESSION [flags]

What the running service has kept of a conversation, in the order of time: what was
said, what was decided and why, what became of each rule, the transfers, and what the
customer was told. SESSION is the name that the log has for it. Words are masked as in
the log.`

const forgetUsage = `USER [flags]

Removes what the running service keeps of a user: the history of the conversations,
what is known from one conversation to the next, and words left for the agents. It
needs ESCALATOR_ADMIN_TOKEN.`

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
		record := "no record"
		if gone.Record {
			record = "the record"
		}
		newPage(env).line("", fmt.Sprintf("forgot %s: %d conversations, %s, words left in %d", user, gone.Conversations, record, gone.Words))
	})
}

// conversation prints a history.
func (p *page) conversation(told *history.Conversation) {
	about := "session " + told.Session
	if told.User != "" {
		about += ", user " + told.User
	}
	if told.Phase != "" {
		about += ", phase " + told.Phase
	}
	if n := told.Counters; n != nil {
		about += ", " + n.String()
	}
	p.line("", about)
	if told.Older {
		p.line("", "What was before is kept no longer.")
	}
	day := ""
	for i := range told.Entries {
		e := &told.Entries[i]
		at := e.At.Local()
		if d := at.Format("Mon 2006-01-02"); d != day {
			day = d
			p.blank()
			p.line("", d)
		}
		p.entry(at.Format("15:04:05")+"  ", e)
	}
}

// entry prints one thing that happened.
func (p *page) entry(label string, e *history.Entry) {
	indent := columnsOf(label)
	switch e.Kind {
	case history.Attempt, history.Contact:
		p.hang(label, indent, attemptWords(e))
	case history.Said:
		p.hang(label, indent, fmt.Sprintf("we said %q: %s%s", e.Text, e.Outcome, behind(": ", e.Error)))
	case history.Phase:
		words := ""
		if e.From != "" {
			words = fmt.Sprintf("from %s to %s%s", e.From, e.Phase, behind(" by ", cmp.Or(e.Event, e.Outcome)))
		}
		p.hang(label, indent, joinSome(", ", words, stars(e)))
	default:
		p.turnOf(label, indent, e)
	}
}

// turnOf prints a message, and what the rules made of it.
func (p *page) turnOf(label string, indent int, e *history.Entry) {
	words := joinSome(", ", e.Text, strings.Join(e.Sends, " "), behind("mark ", e.Mark), e.Error, stars(e))
	switch {
	case e.Kind == history.Asked:
		p.hang(label, indent, "Desk asks"+behind(": ", words))
	case e.Role == "start":
		p.hang(label, indent, "the session begins")
	case e.Role == "timer":
		p.hang(label, indent, "the bot is silent")
	default:
		p.hang(label, indent, e.Role+": "+words)
	}
	blanks := strings.Repeat(" ", indent)
	if e.From != "" {
		p.hang(blanks, indent, fmt.Sprintf("from %s to %s", e.From, e.Phase))
	}
	if e.Outcome == "" || e.Role == "start" {
		return
	}
	names := 0
	for _, r := range e.Rules {
		names = max(names, min(columnsOf(r.ID), widestLabel))
	}
	for _, r := range e.Rules {
		result := cmp.Or(results[r.Result], r.Result)
		p.hang(blanks+padded(r.ID, names)+"  "+padded(result, 10)+"  ", indent+names+14, joinSome(": ", string(r.Reason), r.Why))
	}
	p.hang(blanks+"→ ", indent+2, decisionWords(e))
	if before, after := e.CountersBefore, e.Counters; before != nil && after != nil {
		p.hang(blanks+"  before: ", indent+10, before.String())
		p.hang(blanks+"  after:  ", indent+10, after.String())
	}
}

// stars is a rating in words.
func stars(e *history.Entry) string {
	if e.Rating == 0 {
		return ""
	}
	return fmt.Sprintf("%d of 5 stars", e.Rating)
}

// decisionWords tells a decision in one line.
func decisionWords(e *history.Entry) string {
	words := e.Outcome + behind(" to ", e.Target) + behind(" by ", e.Rule)
	if e.Near != "" {
		words += "; near: " + e.Near
	}
	if e.Reason != "" {
		words += " (" + e.Reason + ")"
	}
	return joinSome("; ", words, behind("shadow: ", strings.Join(e.Shadow, ", ")), e.Why)
}

// attemptWords tells a try to transfer in one line.
func attemptWords(e *history.Entry) string {
	words := map[history.Kind]string{history.Attempt: "transfer ", history.Contact: "contact of who left words: "}[e.Kind] + e.Outcome + behind(" to ", e.Target)
	if e.Group != 0 {
		words += fmt.Sprintf(" (group %d)", e.Group)
	}
	end := "another one follows"
	if e.Final {
		end = "the last one"
	}
	return joinSome(", ", words, behind("agent ", e.Agent), fmt.Sprintf("attempt %d", e.Attempt), fmt.Sprintf("%d ms", e.TookMS),
		behind("code ", e.Code)+behind(": ", e.CodeWords), e.Error, behind("by ", e.By), e.Why, end)
}

// behind puts words behind a label, if there are any.
func behind(label, words string) string {
	if words == "" {
		return ""
	}
	return label + words
}

// joinSome joins the texts that are not empty.
func joinSome(sep string, texts ...string) string {
	var some []string
	for _, t := range texts {
		if t != "" {
			some = append(some, t)
		}
	}
	return strings.Join(some, sep)
}
