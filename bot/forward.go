package bot

import (
	"context"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/trace"
)

// maxOwnAnswer bounds an answer of the own bot that is kept for repeats; those of
// a longer one get our own answer.
const maxOwnAnswer = 16 << 10

// passedOn reports whether callbacks of a command concern a bot.
func passedOn(command string) bool {
	return command == desk.CommandSessionEvent || strings.HasPrefix(command, "Bot.")
}

// passOn gives a callback to the operator's own bot, whose answer becomes ours. It
// returns what to keep for copies. The conversation is not locked meanwhile.
func (x *exchange) passOn(ctx context.Context, m *inbound.Message) (kept []byte) {
	ctx, span := x.Tracer.Start(ctx, "forward", trace.Client)
	defer span.End()
	began := x.Clock.Now()
	answer, err := x.Backend.Forward(ctx, x.Query, trace.Onward(span, x.Header), x.Event.Body)
	took := x.Clock.Now().Sub(began)
	if err != nil {
		span.Fail("your own bot failed to answer")
		x.Metrics.Forwarded.WithLabelValues("failed").Observe(took.Seconds())
		x.failed = max(took, time.Microsecond)
		x.quiet.Log("own bot", x.Log.WithError(err).WithFields(logrus.Fields{
			"session": nameOf(m), "user": mask.Clip(m.User), "event": mask.Clip(m.Name), "request_id": mask.Clip(m.RequestID), "took_ms": took.Milliseconds(),
		}), logrus.WarnLevel, "your own bot failed to answer")
		return keptFailed(took)
	}
	x.Metrics.Forwarded.WithLabelValues("ok").Observe(took.Seconds())
	x.json = answer
	if len(answer) > maxOwnAnswer {
		return keptLarge
	}
	return answer
}

// read takes over what another copy got from the own bot.
func (x *exchange) read(kept []byte) {
	if isJSON(kept) {
		x.json = kept
	}
	x.failed = time.Duration(number(kept, markFailed)) * time.Microsecond
}
