package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/store"
	"escalator/rules"
)

// errWordsUnread says that a customer leaves words, and that those left before have
// to be read first.
var errWordsUnread = errors.New("the words left before were not read")

// awaitWords tells the conversation that its customer was asked to leave words.
func (b *Bot) awaitWords(id, rule, requestID string, take *rules.TakeMessage) {
	err := b.Conversations.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.AwaitWords(rule, take, b.Clock.Now())
		return store.Effect{}, nil
	})
	if err != nil {
		b.quiet.Log("take_message", b.Log.WithError(err).WithFields(logrus.Fields{"session": mask.Clip(id), "rule": rule, "request_id": requestID}), logrus.ErrorLevel, "a customer was asked to leave a message, but the conversation could not be updated: the answer goes to the bot")
	}
}

// readWords reads what was left before, when a run has found that it is needed.
func (b *Bot) readWords(ctx context.Context, r *record) error {
	if r == nil || r.decision.Left == nil {
		return nil // as with nearly all messages
	}
	before, err := b.Records.Record(ctx, store.KindWords, messages.Name(r.message.Conversation))
	r.before = &before
	return err //nolint:wrapcheck // decide says what it was for
}

// addWords adds what the customer leaves to what was left before.
func (r *record) addWords() (kept store.Record, err error) {
	if r.before == nil {
		return kept, errWordsUnread
	}
	m, d := r.message, &r.decision
	kept, r.words, err = messages.Add(*r.before, &messages.Left{
		Conversation: strings.Clone(m.Conversation), Session: strings.Clone(m.Session), User: strings.Clone(m.Customer()), Service: strings.Clone(m.Service),
		RequestID: strings.Clone(mask.Clip(m.RequestID)), Rule: d.Rule, Target: d.Target, Text: strings.Clone(d.Left.Words), Opened: d.Left.Opened, At: r.at, ContactWithin: d.Left.ContactWithin,
	})
	return kept, err
}

// onItsWay reports whether a transfer of a conversation is on its way, or waits for
// an agent. While that cannot be read, it may be.
func (b *Bot) onItsWay(ctx context.Context, conversation string) bool {
	t, err := b.Outbox.Get(ctx, conversation)
	if err != nil {
		return !errors.Is(err, store.ErrNotFound)
	}
	return t.State != store.GivenUp
}

// Messages is what keeps the words that customers leave.
func (b *Bot) Messages() *messages.Keeper { return b.messages }
