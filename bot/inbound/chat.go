package inbound

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

// Chat is what a callback tells of a chat that plain IM and Desk may both report, for
// other processes that get the other copies.
type Chat struct {
	// Pair is plain IM's conversation, and Session Desk's; "": plain IM tells.
	Pair, Session string
	// Words tell apart who said what, their first byte who; "": nothing was said. Begins says that Desk's
	// session begins, and Asks that Desk asks something and tells nothing.
	Words        string
	Begins, Asks bool
	// Reported says that this process knows that Desk reports the chat.
	Reported bool
}

// Known is what all processes together know of a callback.
type Known struct {
	// Conversation is the id of the one that it counts into.
	Conversation string
	// Left says that Desk reports the chat, so that plain IM's copy counts for nothing.
	Left bool
	// Echo says that the message was counted under another key, and Acted whether we
	// acted on it then.
	Echo, Acted bool
}

// Chat returns the chat of a callback, nil where no other kind of callback tells of it.
func (r *Reader) Chat(p *rules.Policy, e *desk.Event) *Chat {
	m, c := r.message(e), &Chat{}
	switch e.Command {
	case desk.CommandSessionEvent:
		m.understand(p, e)
		c.Pair, c.Session = pairID(e.UserID, e.ServiceID), ownID(e)
	case desk.CommandAssignHuman, desk.CommandAssignAgent:
		c.Pair, c.Session, c.Asks = pairID(e.UserID, e.ServiceID), ownID(e), true
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		if m.direct(p, e, r.accounts.speaker(e)) {
			c.Pair, c.Reported = m.Conversation, r.aliases.reported(m.Conversation)
		}
	}
	switch {
	case c.Pair == "":
		return nil
	case m.Turn == nil, m.Turn.Kind == rules.RatingTurn:
	case m.Turn.Kind == rules.StartTurn:
		c.Begins = true
	default:
		c.Words = spoken(m.Turn)
	}
	return c
}

// spoken is wordsOf with the speaker, and the same in each process.
func spoken(t *rules.Turn) string {
	sum := sha256.Sum256(part(part(nil, 's', strconv.Itoa(int(t.Sends))), 't', t.Text))
	return strconv.Itoa(int(t.Kind)) + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Learn takes over what all processes know of a callback's chat, for when this one has
// to go on alone.
func (r *Reader) Learn(c *Chat, known *Known) {
	a := &r.aliases
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.find(c.Pair)
	switch {
	case known.Left && k == deskOnly: // nobody else may know more
		return
	case known.Conversation != c.Pair:
		if k != deskOnly && !c.Asks {
			a.put(c.Pair, deskOnly)
		}
		session := sessionKey(known.Conversation) // it may have belonged to another conversation
		a.drop(session, a.find(session))
		return
	}
	if k == nil || k.id == "" {
		k = a.begin(c.Pair, time.Time{})
	}
	k.kept = true
	if c.Session != "" && !c.Asks || known.Left {
		a.markReported(k, c.Pair, c.Session)
	}
}

// place gives a message of Desk its place in a chat that all processes know.
func (a *aliases) place(m *Message, e *desk.Event, at time.Time, known *Known) {
	m.Conversation = known.Conversation
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.find(pairID(e.UserID, e.ServiceID)); k != nil {
		if before := k.find(m, e, at); before != nil {
			before.forget()
		}
	}
	if known.Echo {
		m.Echo, m.Acted, m.Turn = true, known.Acted, nil
	}
}
