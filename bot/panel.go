package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/messages"
	"escalator/rules"
)

const (
	// panelTurns is how many of the last messages an agent is shown: what is read while the
	// customer waits.
	panelTurns = 12
	// panelFor bounds the time of an answer, whatever hangs.
	panelFor = 2 * time.Second
)

// Panel is what an agent is shown of the customer who comes.
type Panel struct {
	// Known says that there is something to show; nothing else is set where it is false.
	Known   bool   `json:"known"`
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	// Phase says who the customer is with: bot, transferring, queued or human.
	Phase    string             `json:"phase,omitempty"`
	Why      *PanelReason       `json:"why,omitempty"` // nil: it was no rule of ours, or it is kept no longer
	Counters *rules.Counters    `json:"counters,omitempty"`
	Turns    []PanelTurn        `json:"turns,omitempty"` // the last ones, masked as in the log
	Older    bool               `json:"older,omitempty"` // there were more
	Fields   []rules.PanelField `json:"fields,omitempty"`
	Words    []messages.Words   `json:"words,omitempty"` // that the customer left, unmasked
	// Missing names what could not be read: conversation, history, words. no_history says
	// that none is kept.
	Missing []string `json:"missing,omitempty"`
}

// PanelReason is the decision that brought the customer to a person.
type PanelReason struct {
	At      time.Time `json:"at"`
	Rule    string    `json:"rule"`
	About   string    `json:"about,omitempty"` // what the rule is for, as the file says now
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
	Target  string    `json:"target,omitempty"`
	Matched []string  `json:"matched,omitempty"`
	Why     string    `json:"why,omitempty"`
}

// PanelTurn is one message.
type PanelTurn struct {
	At    time.Time `json:"at"`
	Role  string    `json:"role"` // user, bot, agent, or escalator for what we said
	Text  string    `json:"text,omitempty"`
	Sends []string  `json:"sends,omitempty"`
}

// Panel returns what the agent of a session is shown. Of a user without a session, or with
// one of which nothing is known, it tells only while that user is on the way to a person
// or with one. What cannot be read is named, and does not keep the rest from the agent.
func (b *Bot) Panel(ctx context.Context, session, user string) *Panel {
	ctx, cancel := context.WithTimeout(ctx, panelFor)
	defer cancel()
	var missing []string
	if session != "" {
		p := b.panelOf(ctx, session)
		if p.Known || user == "" {
			return p
		}
		missing = p.Missing
	}
	if user == "" {
		return &Panel{}
	}
	session, err := b.sessionOf(ctx, user)
	if err != nil {
		return &Panel{Missing: append(missing, b.unread("history", err))}
	}
	if session != "" {
		if p := b.panelOf(ctx, session); p.Known && p.Phase != rules.PhaseBot.String() {
			return p
		}
	}
	return &Panel{Missing: missing}
}

// sessionOf is the last session of a user, "" where none is known.
func (b *Bot) sessionOf(ctx context.Context, user string) (session string, err error) {
	if b.History == nil {
		return "", ErrNoHistory
	}
	session, err = b.History.OfUser(ctx, user)
	return session, err //nolint:wrapcheck // it is not shown
}

// panelOf gathers what is known of a session.
func (b *Bot) panelOf(ctx context.Context, session string) *Panel {
	p := &Panel{Session: session}
	conversation := b.conversationOf(session)
	err := b.Conversations.View(ctx, conversation, func(c *rules.Conversation) {
		if c.Seen().IsZero() {
			return
		}
		p.Known, p.Phase, p.User, p.Fields = true, c.Phase().String(), c.UserID(), b.Policy().PanelFields(c)
	})
	if err != nil {
		p.Missing = append(p.Missing, b.unread("conversation", err))
	}
	switch told, err := b.Conversation(ctx, session); {
	case err == nil:
		p.Known = true
		p.tell(told, b.Policy())
	case !errors.Is(err, history.ErrUnknown):
		p.Missing = append(p.Missing, b.unread("history", err))
	}
	if b.Records != nil {
		words, err := b.messages.Of(ctx, p.User, session, conversation)
		if err != nil {
			p.Missing = append(p.Missing, b.unread("words", err))
		}
		p.Words, p.Known = words, p.Known || len(words) > 0
	}
	if !p.Known {
		return &Panel{Missing: p.Missing}
	}
	return p
}

// unread takes note that a part could not be read, and returns its name.
func (b *Bot) unread(part string, err error) string {
	if errors.Is(err, ErrNoHistory) {
		return "no_history"
	}
	b.quiet.Log("panel "+part, b.Log.WithError(err).WithField("part", part), logrus.WarnLevel, "the panel shows less: a part of what is known of a customer cannot be read")
	return part
}

// tell takes over what the history has of a conversation.
func (p *Panel) tell(c *history.Conversation, policy *rules.Policy) {
	p.User, p.Phase, p.Counters, p.Older = cmp.Or(p.User, c.User), cmp.Or(p.Phase, c.Phase), c.Counters, c.Older
	for i := range c.Entries {
		e := &c.Entries[i]
		switch {
		case e.Kind == history.Said && e.Error == "":
			p.Turns = append(p.Turns, PanelTurn{At: e.At, Role: "escalator", Text: e.Text})
		case e.Kind == history.Turn && (e.Role == "user" || e.Role == "bot" || e.Role == "agent") && (e.Text != "" || len(e.Sends) > 0):
			p.Turns = append(p.Turns, PanelTurn{At: e.At, Role: e.Role, Text: e.Text, Sends: e.Sends})
		}
	}
	if last := len(p.Turns) - panelTurns; last > 0 {
		p.Turns, p.Older = p.Turns[last:], true
	}
	at := lastOf(c.Entries, func(e *history.Entry) bool { return brings[e.Outcome] && e.Rule != "" })
	if at < 0 {
		return
	}
	e := &c.Entries[at]
	p.Why = &PanelReason{
		At: e.At, Rule: e.Rule, About: policy.About(e.Rule), Outcome: e.Outcome, Reason: e.Reason, Target: e.Target, Matched: e.Matched, Why: e.Why,
	}
	p.Counters = cmp.Or(e.Counters, p.Counters)
	if e.Reason != string(rules.ReasonOfferAccepted) && firedIn(e) {
		return
	}
	// “Yes” and words that are left do not say what the customer wanted: that was said when the rule fired.
	fired := lastOf(c.Entries[:at], func(o *history.Entry) bool { return o.Rule == e.Rule && firedIn(o) })
	if fired >= 0 {
		p.Why.Matched, p.Why.Why = c.Entries[fired].Matched, c.Entries[fired].Why
	}
}

// firedIn reports whether the rule of a decision held in that very turn.
func firedIn(e *history.Entry) bool {
	return slices.ContainsFunc(e.Rules, func(r rules.RuleStory) bool { return r.ID == e.Rule && r.Result == "fired" })
}

// brings are the outcomes of decisions that bring a customer to a person.
var brings = map[string]bool{
	rules.OutcomeTransfer.String(): true, rules.OutcomeAsked.String(): true, rules.OutcomeMessage.String(): true,
}

// lastOf is where the last entry of turns stands that fits, -1: none does.
func lastOf(entries []history.Entry, fits func(*history.Entry) bool) int {
	for i := range slices.Backward(entries) {
		if e := &entries[i]; (e.Kind == history.Turn || e.Kind == history.Asked) && fits(e) {
			return i
		}
	}
	return -1
}
