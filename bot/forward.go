package bot

import (
	"context"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/rules"
)

// passOn gives a callback that we do not act on to the operator's own bot, and
// returns its answer; without such a bot the answer is ours. The conversation is
// not locked meanwhile.
//
// A bot that does not answer as it should has failed the customer: that counts
// as a miss at once, so this very callback may still call a person.
func (b *Bot) passOn(ctx context.Context, e *desk.Event, ours []byte) ([]byte, error) {
	if b.Backend == nil || !passedOn(e.Command) {
		return ours, nil
	}
	began := b.Now()
	answer, err := b.Backend.Forward(ctx, e.RawQuery, e.Header, e.Body)
	took := b.Now().Sub(began)
	if err == nil {
		b.Metrics.Forwarded.WithLabelValues("ok").Observe(took.Seconds())
		return answer, nil
	}
	b.Metrics.Forwarded.WithLabelValues("failed").Observe(took.Seconds())
	b.Log.WithError(err).WithFields(logrus.Fields{
		"session": clip(e.SessionID), "event": clip(e.Name), "took_ms": took.Milliseconds(),
	}).Warn("the bot behind us failed")
	if !fromCustomer(e) {
		return ours, nil
	}
	e.Failed = max(took, time.Microsecond) // 0 would say that it had not
	record, err := b.decide(ctx, b.Policy(), e, step{turn: &rules.Turn{Kind: rules.BotTurn, Failed: true}})
	if err != nil {
		return nil, err
	}
	b.report(record)
	b.speak(record)
	if acts(record.decision) {
		return b.answerTo(e, true), nil
	}
	return ours, nil
}

// passedOn reports whether callbacks of a command concern a bot.
func passedOn(command string) bool {
	return command == desk.CommandSessionEvent || strings.HasPrefix(command, "Bot.")
}

// fromCustomer reports whether the customer waits for an answer to the event.
func fromCustomer(e *desk.Event) bool {
	if conversationID(e) == "" || e.Control() {
		return false
	}
	return e.Name == desk.EventUserMessage || e.Command == desk.CommandBotC2C && !isService(e.From)
}
