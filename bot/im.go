package bot

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"

	"escalator/bot/desk"
	"escalator/rules"
)

// imPrefix begins the id of a conversation that is known by who talks to whom,
// because plain IM callbacks carry no session id.
const imPrefix = "im:"

// conversationID names the conversation that an event belongs to; empty: none.
// It shares the memory of the event's other ids: who keeps it clones it.
func conversationID(e *desk.Event) string {
	if e.SessionID != "" {
		return e.SessionID
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
	kind := rules.UserTurn
	switch {
	case e.SendFailed || e.Control() || isService(e.From) == isService(e.To):
		return answerOK, nil // not delivered, no words, or between two customers or two accounts of ours
	case isService(e.From):
		kind = rules.BotTurn
		e.UserID, e.ServiceID = e.To, e.From
	default:
		e.UserID, e.ServiceID = e.From, e.To
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

// isService reports whether an account is one of the service.
func isService(account string) bool { return strings.HasPrefix(account, "@") }

// roleSeat is the role, in CloudCustomData, of words that a person wrote.
const roleSeat = "seat"

// maxAliases bounds what is remembered of who has a Desk session.
const maxAliases = 200_000

// aliases remembers which customers have a Desk session with which account, so
// that IM callbacks of the same messages do not count twice. It keeps the newest
// in two generations: when one is full it becomes the old one. A customer is
// known by a keyed hash, which takes a quarter of the room of the names: that two
// of them agree within 200,000 has a chance of one in a thousand million.
type aliases struct {
	mu       sync.Mutex
	seed     maphash.Seed
	now, old map[uint64]struct{}
}

func newAliases() aliases { return aliases{seed: maphash.MakeSeed()} }

func (a *aliases) key(user, service string) uint64 {
	return maphash.Comparable(a.seed, [2]string{user, service})
}

// note remembers the Desk session of an event.
func (a *aliases) note(e *desk.Event) {
	if e.UserID == "" || e.ServiceID == "" {
		return
	}
	key := a.key(e.UserID, e.ServiceID)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.now[key]; known {
		return
	}
	if a.now == nil || len(a.now) >= maxAliases/2 {
		a.old, a.now = a.now, map[uint64]struct{}{}
	}
	a.now[key] = struct{}{}
}

func (a *aliases) known(user, service string) bool {
	key := a.key(user, service)
	a.mu.Lock()
	defer a.mu.Unlock()
	_, now := a.now[key]
	_, before := a.old[key]
	return now || before
}
