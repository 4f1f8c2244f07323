package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// ownWords is the CloudCustomData of everything that we say.
const ownWords = `{"` + inbound.OwnMark + `":"say"}`

// decide counts a message into its conversation, lets the rules decide, stores the
// transfer that is due, and does what follows at once. It reports whether we act
// on the message, so that no robot must answer it.
func (b *Bot) decide(ctx context.Context, r *record) (acted bool, err error) {
	m := r.message
	end := b.beginTurn(m)
	defer end()
	r.span = trace.None{}
	if m.Turn != nil {
		ctx, r.span = b.Tracer.Start(ctx, "decision", trace.Internal)
		defer r.span.End()
		b.equip(m.Turn, r.at, r.wall)
		m.Identify()
	}
	b.takeNote(r)
	defer b.giveBack(r)
	err = b.changeWith(ctx, r.policy, change{m.Conversation, m.Customer(), r, func(c *rules.Conversation, u *rules.User) (store.Effect, error) {
		r.apply(c, u)
		return b.effect(r)
	}})
	if errors.Is(err, store.ErrPending) {
		err = b.alreadyOnItsWay(ctx, r)
	}
	if err != nil {
		r.span.Fail("the decision could not be stored")
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	b.timers.describe(m)
	if m.Turn != nil {
		b.report(r)
		b.speak(r)
	} else {
		b.keepChange(r)
	}
	b.follow(ctx, r)
	return acts(&r.decision), nil
}

// follow does what else a message leads to. It comes after the message's own line, so that
// the log tells a cause before its effects.
func (b *Bot) follow(ctx context.Context, r *record) {
	m := r.message
	b.tellOf(&r.wait, m.Conversation, nameOf(m), r.at)
	if r.decision.Notify != nil && b.Notices != nil {
		b.Notices.Stored()
	}
	if m.Change != nil {
		b.changed(ctx, m)
	}
	if r.words != nil {
		b.messages.Kept(r.words)
	}
}

// changed does what follows where Desk has moved the phase.
func (b *Bot) changed(ctx context.Context, m *inbound.Message) {
	switch *m.Change {
	case rules.EventClosed:
		b.courier.Withdraw(ctx, m.Conversation)
	case rules.EventWithHuman, rules.EventAgentMessage:
		b.messages.Reached(m.Conversation, m.Customer(), m.Service)
	default:
	}
}

// apply lets the message change its conversation and what is kept of the customer, and
// the rules decide. It may be called again with others.
func (r *record) apply(c *rules.Conversation, u *rules.User) {
	m := r.message
	r.decision, r.words, r.from, r.wait = rules.Decision{}, nil, c.Phase(), waitBefore(c)
	if m.Change != nil {
		r.wait.unanswered = c.Observe(*m.Change, r.at, m.Sent)
		if c.Phase() == rules.PhaseHuman {
			u.WithAgent(m.Agent, r.at)
		}
	}
	if m.Turn != nil {
		m.Turn.User = u
		r.decision = r.policy.Decide(c, *m.Turn)
		r.wait.unanswered = cmp.Or(r.wait.unanswered, r.decision.Unanswered)
		r.wait.alarm = m.Turn.Kind == rules.TimerTurn
	}
	r.wait.then(c)
	r.language, r.phase, r.user = c.Language(), c.Phase(), c.UserID()
}

// effect is what a decision leads to, for the store to keep with the conversation.
func (b *Bot) effect(r *record) (f store.Effect, err error) {
	if r.decision.Left != nil {
		kept, err := r.addWords()
		if err != nil {
			return f, err
		}
		f.Records = append(f.Records, kept)
	}
	if notice, ok := b.notice(r); ok {
		f.Records = append(f.Records, notice)
	}
	if r.decision.Outcome == rules.OutcomeTransfer {
		f.Transfer = b.transfer(r)
	}
	if r.key != "" {
		f.DedupKey, f.Answer = r.key, r.answer(r.of, acts(&r.decision))
	}
	return f, nil
}

// alreadyOnItsWay corrects a conversation that had forgotten that it is being
// transferred (it was evicted, say): the outbox knows better.
func (b *Bot) alreadyOnItsWay(ctx context.Context, r *record) error {
	r.decision.Outcome = rules.OutcomeSuppressed
	r.decision.Reason = rules.ReasonAlreadyTransferring
	r.decision.Chain = nil
	return b.Conversations.Update(ctx, r.message.Conversation, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventTransferring, r.at, time.Time{})
		return store.Effect{}, nil
	})
}

// transfer makes the outbox's record of a decision.
func (b *Bot) transfer(r *record) *store.Transfer {
	m, d, now := r.message, &r.decision, b.Clock.Now()
	r.id = b.decisions.NewID()
	t := &store.Transfer{
		ID:          strings.Clone(m.Conversation),
		Session:     strings.Clone(m.Session),
		User:        strings.Clone(m.Customer()),
		Service:     strings.Clone(m.Service),
		RequestID:   strings.Clone(mask.Clip(m.RequestID)),
		Decision:    r.id,
		Traceparent: r.span.Traceparent(),
		Rule:        d.Rule,
		Reason:      d.Reason,
		Target:      d.Target,
		Chain:       d.Chain,
		Language:    r.language,
		Episode:     rand.Text(),
		Created:     now,
		Due:         now,
		VerifyFirst: d.Verify,
		Unproven:    b.Unsigned,
		Say:         d.Say.For(r.language),
		SayAs:       desk.NewMsgRandom(),
	}
	if d.LeaveQueue {
		t.LeaveQueue = store.LeaveDue
	}
	return t
}

// speak says what a decision says. What comes before a transfer goes with it
// instead; an offer is open, and words are taken, once the customer has it.
func (b *Bot) speak(r *record) {
	d, m := &r.decision, r.message
	switch d.Outcome {
	case rules.OutcomeKeep, rules.OutcomeClosed, rules.OutcomeOffer, rules.OutcomeMessage:
	default:
		return
	}
	words := &delivery.Speech{
		Name: nameOf(m), Session: strings.Clone(m.Session), User: strings.Clone(m.User), Service: strings.Clone(m.Service),
		Rule: d.Rule, RequestID: strings.Clone(mask.Clip(m.RequestID)), Text: d.Say.For(r.language), Traceparent: r.span.Traceparent(),
	}
	id := strings.Clone(m.Conversation)
	if d.Outcome == rules.OutcomeOffer {
		words.Text = d.Offer.For(r.language)
		words.Done = func(sent bool) { b.offered(id, words, sent) }
	}
	if take := d.Take; take != nil {
		words.Done = func(sent bool) {
			if sent {
				b.awaitWords(id, words.Rule, words.RequestID, take)
			}
		}
	}
	b.courier.Say(words)
}

// offered tells the conversation whether the customer has the offer.
func (b *Bot) offered(conversation string, offer *delivery.Speech, sent bool) {
	err := b.Conversations.Update(context.Background(), conversation, func(c *rules.Conversation) (store.Effect, error) {
		if sent {
			b.Policy().OfferSent(c, offer.Rule, b.Clock.Now())
		} else {
			b.Policy().OfferFailed(c, offer.Rule)
		}
		return store.Effect{}, nil
	})
	if err != nil {
		b.quiet.Log("offer", b.Log.WithError(err).WithFields(logrus.Fields{"session": offer.Name, "rule": offer.Rule, "request_id": offer.RequestID}), logrus.ErrorLevel, "an offer could not be kept with its conversation")
	}
}

// acts reports whether we take this message on ourselves, so that no robot
// must answer it.
func acts(d *rules.Decision) bool {
	switch d.Outcome {
	case rules.OutcomeTransfer, rules.OutcomeOffer, rules.OutcomeMessage:
		return true
	case rules.OutcomeKeep:
		return d.Say != nil
	default:
		return d.Take != nil // closed: who is asked for words must not hear the bot as well
	}
}
