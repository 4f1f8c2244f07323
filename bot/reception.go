package bot

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/delivery"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/rules"
)

// Reception knows what Desk said last of its agents and its queue; *reception.Watcher
// is one.
type Reception interface {
	// Reading returns the last reading, nil where there is none. It must not block.
	Reading() *rules.Reading
	// MemberChanged takes the word of Desk that an agent is free, or is not.
	MemberChanged(agent string, free bool)
}

// reading is what Desk said last, nil where nobody asks.
func (b *Bot) reading() *rules.Reading {
	if b.Reception == nil {
		return nil
	}
	return b.Reception.Reading()
}

// DeskTold takes a new reading: it is recorded, and whoever waits for a free agent
// looks at it. It returns at once.
func (b *Bot) DeskTold(r *rules.Reading) {
	if b.Recorder != nil {
		b.Recorder.RecordDesk(b.Clock.Wall(), r)
	}
	b.messages.Reading(r)
}

// equip gives a turn what the service knows beside it.
func (b *Bot) equip(t *rules.Turn, at, wall time.Time) {
	t.At, t.Wall, t.Muted, t.Desk, t.WithWhy = at, wall, b.Muted(), b.reading(), true
}

// waiting is a customer's wait in Desk's queue before and after a change.
type waiting struct {
	before, after bool
	wait          rules.Wait  // the one of before, else of after
	unanswered    *rules.Wait // the transfer came to nothing with it
	alarm         bool        // the change is that time has passed
}

// waitBefore begins to look at the wait of a conversation that is about to change.
func waitBefore(c *rules.Conversation) (w waiting) {
	w.wait, w.before = c.Waits()
	return w
}

// beginTurn has what a turn by the clock tells be told before anything that comes after the turn: what the turn stores is
// taken up at once, and may end the wait of which it is about to tell. Whoever calls it calls end when all is told.
func (b *Bot) beginTurn(m *inbound.Message) (end func()) {
	if m.Turn == nil || m.Turn.Kind != rules.TimerTurn {
		return func() {}
	}
	return b.byClock.Lock(m.Conversation).Unlock
}

// then looks at the wait when the conversation was changed.
func (w *waiting) then(c *rules.Conversation) {
	if now, waits := c.Waits(); waits {
		w.wait, w.after = now, true
	}
}

// tellOf tells of a wait that goes on for long or is over: the log, where the transfer
// that led there came to nothing, and the staff.
func (b *Bot) tellOf(w *waiting, conversation, session string, now time.Time) {
	over := w.before && !w.after
	long := over || w.after && w.alarm
	if w.unanswered == nil && !long {
		return
	}
	if !w.alarm {
		b.byClock.Lock(conversation).Unlock() // a turn by the clock that came before tells first
	}
	session = mask.Clip(session)
	if u := w.unanswered; u != nil {
		t := store.Transfer{Session: session, Rule: u.Rule, Target: u.Target}
		if d := b.decisions.Queued(session, u.Rule); d != nil {
			t.Decision, t.User, t.RequestID = d.ID, d.User, d.RequestID
		}
		b.courier.Unanswered(&t, u.Since)
	}
	if long {
		b.tell(notify.Event{
			Kind: notify.WaitingLong, Over: over, Rule: w.wait.Rule, Target: w.wait.Target, Session: session,
			Waited: now.Sub(w.wait.Since),
		})
	}
}

// tell tells the staff, with the length of the queue where it is known.
func (b *Bot) tell(e notify.Event) {
	if b.Tell == nil {
		return
	}
	if r := b.reading().Fresh(b.Clock.Now()); r != nil {
		e.Waiting = r.Queue
	}
	b.Tell(e)
}

// leftQueue tells the conversation that Desk has let its customer go.
func (b *Bot) leftQueue(ctx context.Context, t *store.Transfer) {
	var w waiting
	at := b.Clock.Now()
	err := b.Conversations.Update(ctx, t.ID, func(c *rules.Conversation) (store.Effect, error) {
		w = waitBefore(c)
		c.LeftQueue(at)
		return store.Effect{}, nil
	})
	if err != nil { // the end of the transfer says where the customer is
		b.quiet.Log("left", b.Log.WithError(err).WithFields(delivery.LogFields(t)), logrus.ErrorLevel, "a customer left the queue, but the conversation could not be updated")
		return
	}
	b.tellOf(&w, t.ID, t.Session, at)
}
