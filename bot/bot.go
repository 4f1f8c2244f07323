package bot

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/decisions"
	"escalator/bot/delivery"
	"escalator/bot/history"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/metrics"
	"escalator/bot/mute"
	"escalator/bot/notify"
	"escalator/bot/quiet"
	"escalator/bot/stats"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// ErrUnavailable says that a decided transfer could be stored nowhere. Nothing
// of the callback was kept: the sender should try again.
var ErrUnavailable = errors.New("the transfer cannot be stored")

// Desk is what is needed of the REST API; *desk.Client is one.
type Desk interface {
	delivery.Desk
	messages.Desk
}

// Backend is the operator's own bot, to which callbacks are passed on;
// *backend.Client is one.
type Backend interface {
	Forward(ctx context.Context, query string, header http.Header, body []byte) (answer []byte, err error)
}

// Recorder keeps accepted callbacks; *recording.Writer is one. It must not
// block.
type Recorder interface {
	// Record keeps a callback received at a time; failed says after how long the
	// bot behind us had failed it, 0 if it had not.
	Record(at time.Time, query string, body []byte, failed time.Duration)
	// RecordDesk keeps what Desk said at a time of its agents and its queue.
	RecordDesk(at time.Time, told *rules.Reading)
}

// Options is what a Bot is made of. All fields are needed but those that say
// otherwise.
type Options struct {
	Policy        *rules.Policy
	Desk          Desk
	Conversations store.Conversations
	Dedup         store.Dedup
	Outbox        store.Outbox
	// Records are what is kept beside the conversations: of users, words left, notices.
	// nil: every customer is unknown.
	Records store.Records

	// Chats is Dedup where replicas share it: one of them may get plain IM's copy of a
	// message, another one Desk's. nil: all come here.
	Chats store.Chats
	// Backend is the operator's own bot; nil: there is none behind us.
	Backend Backend
	// RateLimiter holds the courier to the rule file's `global`; nil: by itself, and
	// not together with other replicas.
	RateLimiter delivery.RateLimiter
	// Recorder keeps the callbacks for replay; nil: they are not kept.
	Recorder Recorder

	// History keeps what happens in conversations, for people to read; nil: nothing is kept.
	History *history.History

	// Feed is where replicas tell each other of decisions; nil: there is one. Replica is the
	// name of this one there, HistoryFor how far back History goes.
	Feed       store.Feed
	Replica    string
	HistoryFor time.Duration

	// Mutes are the rules that operators silenced; nil: none, kept nowhere.
	Mutes *mute.Mutes

	// Reception knows what Desk said last of its agents and its queue; nil: nobody asks.
	Reception Reception

	// ServiceAccounts are the accounts of the service in plain IM that do not begin
	// with @.
	ServiceAccounts []string

	// Unsigned says that callbacks bear no signature: whoever knows the address may send
	// one.
	Unsigned bool

	// Tell tells the staff; nil: nobody is told. It must not block.
	Tell func(notify.Event)
	// Notices makes of what a rule tells the staff a record; nil: rules tell nobody.
	Notices Notices

	AIProvider AIProvider
	Horizon    time.Duration // after this a transfer is given up
	LogText    mask.Mode     // how much of customers' words the log may show

	Log     *logrus.Logger
	Metrics *metrics.Metrics
	Tracer  trace.Tracer // nil: tracing is off
	Clock   *clock.Clock // nil: the host's
}

// Bot handles callbacks. Make one with New, run its courier with Start.
type Bot struct {
	Options
	policy  atomic.Pointer[rules.Policy]
	unknown *nameSet
	inbound *inbound.Reader
	byClock *store.Stripes // see beginTurn

	requests *requests
	quiet    quiet.Lines

	stats       *stats.Stats
	decisions   *decisions.List
	courier     *delivery.Courier
	messages    *messages.Keeper
	timers      *timers
	showing     sync.WaitGroup // ends when stopShowing has been called
	stopShowing context.CancelFunc
}

// New returns a bot that is not delivering yet.
func New(o Options) *Bot {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.Tracer == nil {
		o.Tracer = trace.Off{}
	}
	if o.Mutes == nil {
		o.Mutes, _ = mute.Open(mute.Options{Log: o.Log, Now: o.Clock.Wall}) // there is no file
	}
	b := &Bot{
		Options: o, unknown: newNameSet(maxUnknownNames), stats: stats.New(o.Clock.Wall),
		inbound: inbound.New(o.ServiceAccounts), requests: newRequests(), byClock: store.NewStripes(),
	}
	b.decisions, b.stopShowing = b.newDecisions(), func() {} // nothing is shown yet
	b.timers = newTimers(b)
	b.courier = delivery.New(delivery.Options{
		Outbox: o.Outbox, Desk: o.Desk, RateLimiter: o.RateLimiter, Global: o.Policy.Global(), Horizon: o.Horizon, OwnMark: ownWords,
		Settle: b.settle, LeftQueue: b.leftQueue, Tell: b.tell, Chain: b.chain, AwaitWords: b.awaitWords, SessionFound: b.inbound.Restore,
		Happened: b.happened, Log: o.Log, Metrics: o.Metrics, Tracer: o.Tracer, Now: o.Clock.Now,
	})
	b.messages = messages.New(messages.Options{
		Records: o.Records, Desk: o.Desk, Target: func(name string) *rules.Target { return b.Policy().Target(name) }, OnItsWay: b.onItsWay,
		Tell: b.tell, Happened: b.happened, LogText: o.LogText, Log: o.Log, Metrics: o.Metrics, Clock: o.Clock,
	})
	o.Metrics.UnknownEvents.WithLabelValues(otherName)
	b.SetPolicy(o.Policy)
	return b
}

// Policy returns the rules in force.
func (b *Bot) Policy() *rules.Policy { return b.policy.Load() }

// Stats is what was counted of the decisions.
func (b *Bot) Stats() *stats.Stats { return b.stats }

// SetPolicy puts other rules in force. A message that is being handled ends
// under those that it began with.
func (b *Bot) SetPolicy(p *rules.Policy) {
	b.Metrics.KnowRules(p.Rules())
	b.policy.Store(p)
	b.courier.SetRate(p.Global())
}

// Muted returns the rules that an operator silenced; some mutes may be over.
func (b *Bot) Muted() rules.Muted { return b.Mutes.Muted() }

// Mute silences a rule for a while, or ends its mute with 0; see mute.Mutes.Set.
func (b *Bot) Mute(rule string, d time.Duration, by, why string) (rules.Mute, error) {
	known := slices.ContainsFunc(b.Policy().Rules(), func(r rules.RuleInfo) bool { return r.ID == rule })
	return b.Mutes.Set(rule, known, d, by, why)
}

// Start begins to deliver, to speak and to watch the time. It returns at once.
func (b *Bot) Start() {
	showing, stop := context.WithCancel(context.Background())
	b.stopShowing = stop
	b.showing.Go(func() { b.decisions.Run(showing) })
	b.recallTransfers()
	b.courier.Start()
	b.messages.Start()
	b.timers.start()
}

// recallTransfers takes note of the transfers of plain IM that an earlier process
// left: a session that Desk reports must not get a second one.
func (b *Bot) recallTransfers() {
	left, err := b.Outbox.List(context.Background())
	if err != nil {
		return // the courier complains
	}
	for _, t := range left {
		b.inbound.Restore(t.ID, t.Session)
	}
}

// Stop ends delivery: what is in flight is finished until ctx ends, the rest
// stays in the outbox. It may be called more than once.
func (b *Bot) Stop(ctx context.Context) error {
	b.timers.cancel() // a turn under way may hang on its storage: the courier must not wait for it
	var contacts sync.WaitGroup
	contacts.Go(func() { b.messages.Stop(ctx) }) // beside the courier: a call that is cut has an unknown outcome
	err := b.courier.Stop(ctx)
	contacts.Wait()
	b.timers.stop()
	b.stopShowing() // last: it shows what became of the transfers
	b.showing.Wait()
	return err
}
