package delivery

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/metrics"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// Desk is what delivery needs of the REST API; *desk.Client is one.
type Desk interface {
	TransferToHuman(ctx context.Context, r desk.TransferRequest) (desk.TransferResult, error)
	SessionState(ctx context.Context, r desk.StateRequest) (desk.SessionState, error)
	SendMsg(ctx context.Context, r desk.SendRequest) error
	EndQueuing(ctx context.Context, session string) error
}

// RateLimiter is how fast transfers are sent to Desk; *redis.RateLimiter is one that replicas
// share.
type RateLimiter interface {
	// SetRate allows count transfers per time, and as many at once.
	SetRate(count int, per time.Duration)
	// Wait waits for the turn of the next transfer, or for the end of ctx.
	Wait(ctx context.Context) error
}

// Options is what a Courier is made of. All fields are needed but those that
// say otherwise.
type Options struct {
	Outbox store.Outbox
	Desk   Desk
	// RateLimiter holds the courier to the rule file's `global`; nil: by itself, and
	// not together with other replicas.
	RateLimiter RateLimiter
	Global      rules.Rate    // the rate to begin with
	Horizon     time.Duration // after this a transfer is given up
	OwnMark     string        // CloudCustomData of all that we say: by it our words are known when Desk sends them back

	// Settle tells the conversation of a transfer how it ended; agent is who has the
	// customer, "" where Desk does not say.
	Settle func(ctx context.Context, t *store.Transfer, r rules.Result, agent string)
	// Chain returns the targets to try under the rules in force, by the name of the
	// transfer's first one; nil: there is none of that name any more.
	Chain func(t *store.Transfer) []*rules.Target
	// AwaitWords tells a conversation that its customer was asked to leave words.
	AwaitWords func(conversation, rule, requestID string, take *rules.TakeMessage)
	// LeftQueue tells the conversation of a transfer that Desk has let its customer go.
	LeftQueue func(ctx context.Context, t *store.Transfer)
	// Tell tells the staff; nil: nobody wants to know.
	Tell func(notify.Event)
	// SessionFound tells which Desk session a conversation of plain IM has.
	SessionFound func(conversation, session string)

	// Happened takes what the history of a conversation is to tell; nil: nobody keeps it.
	Happened func(e history.Entry)

	Log     *logrus.Logger
	Metrics *metrics.Metrics
	Tracer  trace.Tracer // nil: tracing is off
	Now     func() time.Time
}
