package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/rules"
)

// ownMark is the key in CloudCustomData by which we know our own messages when
// Desk sends them back to us.
const ownMark = "escalator"

// ownWords is the CloudCustomData of everything that we say.
const ownWords = `{"` + ownMark + `":"say"}`

// sessionEvent handles Desk.SessionEventNotify: every message and every change
// of a conversation.
func (b *Bot) sessionEvent(ctx context.Context, e *desk.Event) ([]byte, error) {
	policy := b.Policy()
	step, known, before := b.links.session(policy, e, b.Now())
	if !known {
		b.noteUnknownEvent(e)
	}
	if b.links.acted(before) {
		return b.answerTo(e, true), nil
	}
	return b.converse(ctx, policy, e, step)
}

// converse counts a step into its conversation and answers.
func (b *Bot) converse(ctx context.Context, policy *rules.Policy, e *desk.Event, step step) ([]byte, error) {
	if conversationID(e) == "" || step.empty() || ours(e) {
		return b.passOn(ctx, e, b.answerTo(e, false))
	}
	record, err := b.decide(ctx, policy, e, step)
	if err != nil {
		b.links.unhear(step.heard)
		return nil, err
	}
	if s := step.observe; s != nil && *s == rules.EventClosed {
		b.courier.Withdraw(ctx, conversationID(e))
	}
	if step.turn != nil {
		b.report(record)
		b.speak(record)
	}
	if acts(record.decision) {
		b.links.act(step.heard)
		return b.answerTo(e, true), nil
	}
	return b.passOn(ctx, e, b.answerTo(e, false))
}

// step is what an event does to its conversation: a turn for the rules, a
// change of phase, or nothing.
type step struct {
	turn    *rules.Turn
	observe *rules.EventKind
	heard   *heard // set where Desk may tell of the same message yet
}

func (s step) empty() bool { return s.turn == nil && s.observe == nil }

// understand says what an event means. Three names are documented by Tencent,
// the rule file may map others; a system mark speaks for itself under any name.
func understand(policy *rules.Policy, e *desk.Event) (s step, known bool) {
	kind, known := eventKind(policy, e)
	marked, isMark := rules.MarkEvent(e.Mark)
	switch {
	case isMark: // Desk's own prompt is no answer of the bot
		s.observe = &marked
		return s, known
	case !known:
		return s, false
	case kind == rules.EventUserMessage && e.Control():
		// The client tells of itself (start of the service, typing, …): no words.
		return s, true
	case kind == rules.EventSessionBegin:
		s.turn = turn(e, rules.StartTurn)
	case kind == rules.EventUserMessage:
		s.turn = turn(e, rules.UserTurn)
		s.turn.Unsure = e.Name != desk.EventUserMessage
	case kind == rules.EventBotMessage:
		s.turn = turn(e, rules.BotTurn)
	default:
		s.observe = &kind
	}
	return s, true
}

// eventKind names what an event is. A message of the bot that carries the role
// of a seat was written by a person.
func eventKind(policy *rules.Policy, e *desk.Event) (rules.EventKind, bool) {
	switch e.Name {
	case desk.EventSessionBegin:
		return rules.EventSessionBegin, true
	case desk.EventUserMessage:
		return rules.EventUserMessage, true
	case desk.EventBotMessage:
		if e.Role == roleSeat {
			return rules.EventAgentMessage, true
		}
		return rules.EventBotMessage, true
	default:
		return policy.EventKind(e.Name)
	}
}

// turn is the event as the rules see it. When it was received is for the
// caller to say.
func turn(e *desk.Event, kind rules.TurnKind) *rules.Turn {
	return &rules.Turn{
		Kind:   kind,
		Sent:   e.Time,
		Text:   e.Text,
		Mark:   e.Mark,
		Sends:  rules.Sends(e.Sends), // the same bits in the same order
		Fields: e,
	}
}

// ours reports whether a message was sent by this program: it must never feed
// the rules.
func ours(e *desk.Event) bool {
	if !strings.Contains(e.CloudCustomData, ownMark) {
		return false
	}
	_, ok := e.Field("CloudCustomData." + ownMark)
	return ok
}

// decide counts the step into its conversation, lets the rules decide, and
// stores the transfer that is due.
func (b *Bot) decide(ctx context.Context, policy *rules.Policy, e *desk.Event, s step) (*record, error) {
	r := &record{event: e, policy: policy, started: b.Now()}
	if s.turn != nil {
		s.turn.At, s.turn.Muted = r.started, b.Muted()
	}
	id := conversationID(e)
	err := b.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		r.decision = rules.Decision{}
		if s.observe != nil {
			c.Observe(*s.observe, r.started, e.Time)
		}
		if s.turn != nil {
			r.decision = policy.Decide(c, *s.turn)
		}
		r.language = c.Language()
		return b.effect(e, r), nil
	})
	if errors.Is(err, store.ErrPending) {
		err = b.alreadyOnItsWay(ctx, id, r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	b.timers.describe(e)
	return r, nil
}

// effect is what a decision leads to, for the store to keep with the conversation.
func (b *Bot) effect(e *desk.Event, r *record) (f store.Effect) {
	if r.decision.Outcome == rules.OutcomeTransfer {
		f.Transfer = b.transfer(e, &r.decision, r.language)
	}
	ours := acts(r.decision)
	if e.Command != "" && (ours || b.Backend == nil || !passedOn(e.Command)) {
		f.DedupKey, f.Answer = e.DedupKey(), b.answerTo(e, ours)
	}
	return f
}

// alreadyOnItsWay corrects a conversation that had forgotten that it is being
// transferred (it was evicted, say): the outbox knows better.
func (b *Bot) alreadyOnItsWay(ctx context.Context, id string, r *record) error {
	r.decision.Outcome = rules.OutcomeSuppressed
	r.decision.Reason = rules.ReasonAlreadyTransferring
	r.decision.Chain = nil
	return b.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventTransferring, r.started, time.Time{})
		return store.Effect{}, nil
	})
}

// transfer makes the outbox's record of a decision.
func (b *Bot) transfer(e *desk.Event, d *rules.Decision, language string) *store.Transfer {
	now := b.Now()
	return &store.Transfer{
		ID:          strings.Clone(conversationID(e)),
		Session:     strings.Clone(e.SessionID),
		User:        e.UserID,
		Service:     e.ServiceID,
		Rule:        d.Rule,
		Reason:      d.Reason,
		Target:      d.Target,
		Chain:       d.Chain,
		Language:    language,
		Episode:     rand.Text(),
		Created:     now,
		Due:         now,
		VerifyFirst: d.Verify,
		Say:         d.Say.For(language),
		SayAs:       desk.NewMsgRandom(),
	}
}

// speak says what a decision says. What comes before a transfer goes with it
// instead; an offer is open once the customer has it.
func (b *Bot) speak(r *record) {
	d := &r.decision
	e := r.event
	words := &delivery.Speech{Session: strings.Clone(e.SessionID), User: e.UserID, Service: e.ServiceID, Rule: d.Rule, Text: d.Say.For(r.language)}
	switch d.Outcome {
	case rules.OutcomeKeep, rules.OutcomeClosed:
	case rules.OutcomeOffer:
		words.Text = d.Offer.For(r.language)
		id, rule := conversationID(e), d.Rule
		words.Done = func(sent bool) { b.offered(id, rule, sent) }
	default:
		return
	}
	b.courier.Say(words)
}

// offered tells the conversation whether the customer has the offer.
func (b *Bot) offered(session, rule string, sent bool) {
	err := b.Conversations.Update(context.Background(), session, func(c *rules.Conversation) (store.Effect, error) {
		if sent {
			b.Policy().OfferSent(c, rule, b.Now())
		} else {
			b.Policy().OfferFailed(c, rule)
		}
		return store.Effect{}, nil
	})
	if err != nil {
		b.Log.WithError(err).WithField("session", clip(session)).Error("an offer could not be kept with its conversation")
	}
}

// acts reports whether we take this message on ourselves, so that no robot
// must answer it.
func acts(d rules.Decision) bool {
	switch d.Outcome {
	case rules.OutcomeTransfer, rules.OutcomeOffer:
		return true
	case rules.OutcomeKeep:
		return d.Say != nil
	default:
		return false
	}
}

// answerTo returns the answer to an event. Only a message of the customer in
// the bot phase is asked who answers it.
func (b *Bot) answerTo(e *desk.Event, acts bool) []byte {
	if e.Name != desk.EventUserMessage {
		return answerOK
	}
	return b.AIProvider.userMessage(acts)
}
