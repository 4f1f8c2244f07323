package bot

import (
	"context"
	"strings"
	"sync"

	"escalator/bot/desk"
	"escalator/rules"
)

// imPrefix begins the id of a conversation that is known by who talks to whom,
// because plain IM callbacks carry no session id.
const imPrefix = "im:"

// conversationID names the conversation that an event belongs to; empty: none.
func conversationID(e *desk.Event) string {
	if e.SessionID != "" {
		return strings.Clone(e.SessionID)
	}
	if e.UserID != "" && e.ServiceID != "" {
		return imPrefix + e.UserID + "|" + e.ServiceID
	}
	return ""
}

// directMessage handles a one-to-one message of plain IM (Bot.OnC2CMessage,
// C2C.CallbackAfterSendMsg). Accounts of the service begin with @ (customer
// service accounts and robots), customers' do not.
func (b *Bot) directMessage(ctx context.Context, e *desk.Event) ([]byte, error) {
	if e.SendFailed || e.Control() || isService(e.From) == isService(e.To) {
		return answerOK, nil // not delivered, no words, or between two customers or two accounts of ours
	}
	kind := rules.UserTurn
	if isService(e.From) {
		kind = rules.BotTurn
	}
	if b.aliases.known(e.UserID, e.ServiceID) || ours(e) {
		return answerOK, nil // Desk itself tells us of this conversation
	}
	s := step{turn: turn(e, kind)}
	if kind == rules.BotTurn && e.Role == roleSeat {
		seat := rules.EventAgentMessage
		s = step{observe: &seat}
	}
	return b.converse(ctx, b.Policy(), e, s)
}

// nameParties says who of the two in a message of plain IM is the customer: its
// callback is claimed together with the conversation, so that must be known first.
func nameParties(e *desk.Event) {
	switch {
	case e.Command != desk.CommandBotC2C && e.Command != desk.CommandC2CAfter, isService(e.From) == isService(e.To):
	case isService(e.From):
		e.UserID, e.ServiceID = e.To, e.From
	default:
		e.UserID, e.ServiceID = e.From, e.To
	}
}

// isService reports whether an account is one of the service.
func isService(account string) bool { return strings.HasPrefix(account, "@") }

// roleSeat is the role, in CloudCustomData, of words that a person wrote.
const roleSeat = "seat"

// maxAliases bounds what is remembered of who has a Desk session.
const maxAliases = 200_000

// aliases remembers which customers have a Desk session with which account, so
// that IM callbacks of the same messages do not count twice. It keeps the newest
// in two generations: when one is full it becomes the old one.
type aliases struct {
	mu       sync.Mutex
	now, old map[string]bool
}

// note remembers the Desk session of an event.
func (a *aliases) note(e *desk.Event) {
	if e.UserID == "" || e.ServiceID == "" {
		return
	}
	key := e.UserID + "|" + e.ServiceID
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now[key] {
		return
	}
	if a.now == nil || len(a.now) >= maxAliases/2 {
		a.old, a.now = a.now, map[string]bool{}
	}
	a.now[key] = true
}

func (a *aliases) known(user, service string) bool {
	key := user + "|" + service
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now[key] || a.old[key]
}
