package bot

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/store"
	"escalator/rules"
)

// exchange is one callback on its way to its answer. It takes up to three steps.
// Each has a dedup key of its own and is stored on its own, so that each happens
// once, whatever is sent again, refused by the store or killed in between:
//
//	count     the message counts into its conversation, the rules decide
//	pass on   the operator's own bot is asked; for each command that reports the message
//	miss      the own bot failed: that counts, the rules decide again
type exchange struct {
	*Bot
	Request
	policy   *rules.Policy
	at, wall time.Time // when it came: by the clock that only goes on, and by the one on the wall
	key      string
	chat     *inbound.Chat    // whose other copies may come to other replicas; nil: it has none
	known    *inbound.Known   // what all replicas know of it; nil: nothing
	home     string           // the conversation beside which its keys are kept
	left     *inbound.Message // plain IM's copy, of which Desk's own counts; nil: it is none
	json     []byte           // the answer
	failed   time.Duration    // after this the own bot had failed
	news     bool             // it is worth recording
	decision record           // of its count
}

// exchanges are used again: each is more than all else that a callback allocates. Nobody
// may keep one, or a piece of it, beyond Handle.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// first handles the first copy of a callback and says what to keep for the others.
func (x *exchange) first(ctx context.Context) (kept []byte, err error) {
	x.news, x.json = true, answerOK
	switch command := x.Event.Command; {
	case command == desk.CommandC2CAfter, passedOn(command):
		return x.count(ctx)
	case command == desk.CommandAssignHuman, command == desk.CommandAssignAgent:
		x.json, err = x.assign(ctx)
		return x.json, err
	case command == desk.CommandTaskFlow:
		x.json, err = x.taskFlow(ctx)
		return x.json, err
	case command == desk.CommandMemberChanged:
		x.memberChanged(ctx, x.Event)
	case command == desk.CommandC2CBefore, command == desk.CommandGroupBefore, command == desk.CommandGroupAfter:
	default:
		x.noteUnknownEvent(x.Event)
	}
	// Everything else is acknowledged: anything but success makes Tencent send it
	// again. That lets every message pass whose callback comes before it is sent,
	// which never feeds the rules.
	return keptCounted(0), nil
}

// count counts a message into its conversation, and passes on what we do not act
// upon. A failure after that leaves the message counted.
func (x *exchange) count(ctx context.Context) (kept []byte, err error) {
	m, err := x.inbound.Read(ctx, x.policy, x.Event, x.at, x.known)
	if err != nil {
		return nil, fmt.Errorf("%w: waiting for another copy of the message: %w", ErrUnavailable, err)
	}
	acted, counted := m.Acted, false
	defer func() {
		if counted { // also when we panic after that
			m.Commit(acted)
		} else {
			m.Abort()
		}
	}()
	if m.Unknown {
		x.noteUnknownEvent(x.Event)
	}
	if m.Missing != nil {
		x.noteMissing(m)
	}
	if m.LeftToDesk { // its own copy must be the first, and not wait for the own bot's answer to this one
		x.left, x.news = m, false
		return nil, nil
	}
	switch {
	case m.Echo:
		err = x.noteEcho(context.WithoutCancel(ctx), m)
	case m.Counts():
		r := &x.decision
		*r = record{message: m, policy: x.policy, at: x.at, wall: x.wall, key: x.key, of: x, answer: (*exchange).keep, said: x.Event.Text}
		acted, err = x.decide(context.WithoutCancel(ctx), r)
	default:
		x.keepRating(m, x.wall)
	}
	if err != nil {
		return nil, err
	}
	counted = true
	acted, err = x.answer(ctx, m, acted)
	return x.kept(acted), err
}

// noteEcho keeps the key of a message that was counted under another one.
func (x *exchange) noteEcho(ctx context.Context, m *inbound.Message) error {
	err := x.Conversations.Update(ctx, m.Conversation, func(*rules.Conversation) (store.Effect, error) {
		return store.Effect{DedupKey: x.key, Answer: x.keep(m.Acted)}, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// resume goes on with a callback that an earlier try had counted before it died.
func (x *exchange) resume(ctx context.Context) (kept []byte, err error) {
	acted, err := x.answer(ctx, x.inbound.Again(x.Event), false)
	if err != nil {
		return nil, err
	}
	return x.kept(acted), nil
}

// again answers a copy of a callback whose first one was answered: with the same
// decision, in the form of its own command.
func (x *exchange) again(ctx context.Context, kept []byte) error {
	switch {
	case isJSON(kept):
		x.json = kept
		return nil
	case kept == nil: // a question whose answer was not kept
		_, err := x.first(ctx)
		return err
	case hasActed(kept) || !x.asksOwnBot():
		x.inbound.Noted(x.Event)
		x.json = x.answerTo(hasActed(kept))
		return nil
	}
	m := x.inbound.Again(x.Event)
	acted, err := x.missed(ctx)
	if err == nil {
		_, err = x.answer(ctx, m, acted)
	}
	return err
}

// asksOwnBot reports whether the operator's own bot is to see the callback, if we
// do not act on it.
func (x *exchange) asksOwnBot() bool {
	if x.Backend == nil || !passedOn(x.Event.Command) {
		return false
	}
	who := x.provider()
	return who == "" || who == rules.ProviderSelf
}

// provider is who answers at the event's consultation entry, "" if the rule file leaves that to the settings. A message to
// a bot's account names the entry as its receiver.
func (x *exchange) provider() string {
	e := x.Event
	return x.policy.Provider(cmp.Or(e.ServiceID, e.To), cmp.Or(e.UserID, e.From, e.SessionID))
}

// answer sets the answer to a message: ours, or the own bot's where we do not act.
// Where the own bot fails, its miss may make us act.
func (x *exchange) answer(ctx context.Context, m *inbound.Message, acted bool) (bool, error) {
	x.json = x.answerTo(acted)
	if acted || !x.asksOwnBot() {
		return acted, nil
	}
	pass := inbound.Step(x.key, x.Event.Command)
	c, err := x.beside(ctx, pass, "")
	if err == nil {
		err = x.once(ctx, pass, c, func(x *exchange, ctx context.Context) ([]byte, error) { return x.passOn(ctx, m), nil })
	}
	if err != nil {
		return false, err
	}
	if !c.First {
		x.read(c.Answer)
	}
	if x.failed == 0 || !m.Awaited {
		return false, nil
	}
	miss := x.missKey()
	if c, err = x.beside(ctx, miss, x.home); err != nil {
		return false, err
	}
	err = x.once(ctx, miss, c, func(x *exchange, ctx context.Context) (kept []byte, err error) {
		x.news = true
		acted, err = x.decide(context.WithoutCancel(ctx), &record{message: m.Failed(), policy: x.policy, at: x.Clock.Now(), wall: x.Clock.Wall(), key: miss, of: x, answer: (*exchange).kept})
		if err != nil {
			return nil, err
		}
		return x.kept(acted), nil
	})
	if err == nil && !c.First {
		acted = hasActed(c.Answer)
	}
	if acted {
		x.json = x.answerTo(true)
	}
	return acted, err
}

// missKey is the dedup key of the third step.
func (x *exchange) missKey() string { return inbound.Step(x.key, "miss") }

// missed reports whether the own bot has failed another copy of the message and we
// act because of that: then no bot is asked about this one.
func (x *exchange) missed(ctx context.Context) (acted bool, err error) {
	miss := x.missKey()
	c, err := x.beside(ctx, miss, x.home)
	if c.First { // nobody has: it is still to be found out
		x.Dedup.Release(context.WithoutCancel(ctx), miss)
	}
	return hasActed(c.Answer), err
}

// keep is what is stored together with a decision: where the own bot is asked
// next, the answer is not known yet.
func (x *exchange) keep(acted bool) []byte {
	if !acted && x.asksOwnBot() {
		return nil
	}
	return x.kept(acted)
}

func (x *exchange) kept(acted bool) []byte {
	if acted {
		return keptActed
	}
	return keptCounted(len(x.Event.Text))
}

// answerTo returns our own answer to an event. Only a message of the customer in
// the bot phase is asked who answers it.
func (x *exchange) answerTo(acted bool) []byte {
	if x.Event.Command != desk.CommandSessionEvent || x.Event.Name != desk.EventUserMessage {
		return answerOK
	}
	p := x.AIProvider
	if name := x.provider(); name != "" {
		p, _ = ParseAIProvider(name) // the rule file has no other names
	}
	return p.userMessage(acted)
}
