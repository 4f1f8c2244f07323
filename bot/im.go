package bot

import (
	"context"
	"strings"

	"escalator/bot/desk"
	"escalator/rules"
)

// imPrefix begins the id of a conversation that is known by who talks to whom,
// because plain IM callbacks carry no session id.
const imPrefix = "im:"

// conversationID names the conversation that an event belongs to; empty: none.
// It shares the memory of the event's other ids: who keeps it clones it.
func conversationID(e *desk.Event) string {
	switch {
	case e.Conversation != "":
		return e.Conversation
	case e.SessionID != "":
		return e.SessionID
	default:
		return pairID(e.UserID, e.ServiceID)
	}
}

// directMessage handles a one-to-one message of plain IM (Bot.OnC2CMessage,
// C2C.CallbackAfterSendMsg).
func (b *Bot) directMessage(ctx context.Context, e *desk.Event) ([]byte, error) {
	return b.converse(ctx, b.Policy(), e, b.links.message(e, b.Now()))
}

// direct says what a message of plain IM does and who talks with whom. Accounts
// of the service begin with @ (customer service accounts and robots), customers'
// do not.
func direct(e *desk.Event) (s step, user, service string) {
	switch {
	case e.SendFailed || e.Control() || isService(e.From) == isService(e.To):
		return step{}, "", "" // not delivered, no words, or between two customers or two accounts of ours
	case !isService(e.From):
		return step{turn: turn(e, rules.UserTurn)}, e.From, e.To
	case e.Role == roleSeat:
		seat := rules.EventAgentMessage
		return step{observe: &seat}, e.To, e.From
	default:
		return step{turn: turn(e, rules.BotTurn)}, e.To, e.From
	}
}

// named is the conversation that a callback names by itself, whatever is known of
// it: its mark is kept beside that.
func named(e *desk.Event) string {
	if e.Command == desk.CommandBotC2C || e.Command == desk.CommandC2CAfter {
		_, user, service := direct(e)
		return pairID(user, service)
	}
	return conversationID(e)
}

// isService reports whether an account is one of the service.
func isService(account string) bool { return strings.HasPrefix(account, "@") }

// roleSeat is the role, in CloudCustomData, of words that a person wrote.
const roleSeat = "seat"
