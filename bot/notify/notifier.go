package notify

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/sirupsen/logrus"
	"github.com/sony/gobreaker/v2"

	"escalator/bot/clock"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/quiet"
	"escalator/bot/secrets"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

const (
	// maxQueue bounds the events that are not stored yet; over it the oldest goes.
	maxQueue = 1000
	// lookEvery is how often the records are read, for what another replica left.
	lookEvery = 5 * time.Second
)

// What became of a message, for the log and the metric notify_total.
const (
	outcomeSent     = "sent"
	outcomeRetrying = "retrying"
	outcomeFailed   = "failed"  // given up: too late
	outcomeDropped  = "dropped" // too many at once
)

// Options is what a Notifier is made of. All fields are needed but those that say
// otherwise.
type Options struct {
	// Policy returns the rules in force, which name the teams.
	Policy  func() *rules.Policy
	Records store.Records
	// GivenUp lists the transfers that were given up; nil: there are none.
	GivenUp func(context.Context) ([]*store.Transfer, error)
	// Waiting is how many customers wait for a transfer to be made; nil: nobody knows.
	Waiting func(context.Context) int
	Secrets secrets.Folder

	Log     *logrus.Logger
	Metrics *metrics.Metrics
	Tracer  trace.Tracer // nil: tracing is off
	Clock   *clock.Clock

	// post sends a request; nil: by HTTP. A test in virtual time has its own.
	post func(context.Context, *request) (answer, error)
}

// Notifier tells the teams. Make one with New. A nil Notifier tells nobody.
type Notifier struct {
	Options
	sender   sender
	quiet    quiet.Lines
	breakers map[string]*gobreaker.TwoStepCircuitBreaker[any] // by the code of the address; the worker's own
	most     int                                              // how many events are taken up at once; the worker's own

	mu      sync.Mutex
	queue   []Event
	gone    int             // how many events have left the queue
	sending map[string]bool // the codes of the addresses to which a message is under way
	woken   chan struct{}   // receives a value when there is something to do

	ctx    context.Context //nolint:containedctx // the worker's own life, made in New
	cancel context.CancelFunc
	work   sync.WaitGroup
	once   sync.Once
}

// New returns a notifier that stores events and sends nothing yet.
func New(o Options) *Notifier {
	if o.post == nil {
		o.post = newPoster().post
	}
	if o.Tracer == nil {
		o.Tracer = trace.Off{}
	}
	n := &Notifier{Options: o, sender: sender{o.Secrets, o.post, o.Clock.Wall}, breakers: map[string]*gobreaker.TwoStepCircuitBreaker[any]{}, most: maxTaken, sending: map[string]bool{}, woken: make(chan struct{}, 1)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for _, channel := range rules.Channels {
		for _, outcome := range []string{outcomeSent, outcomeRetrying, outcomeFailed, outcomeDropped} {
			o.Metrics.Notices.WithLabelValues(channel, outcome)
		}
	}
	return n
}

// Start begins to send. It returns at once.
func (n *Notifier) Start() { n.once.Do(func() { n.work.Go(n.run) }) }

// Stop stores what was told and is not stored yet, and ends what is under way; what
// was not sent is sent after the next start. It may be called more than once.
func (n *Notifier) Stop(context.Context) error {
	n.once.Do(func() {})
	n.cancel()
	n.work.Wait()
	return nil
}

// Tell takes note of an event, if some team asks for its kind or it names one. It does
// not wait for anything.
func (n *Notifier) Tell(e Event) {
	if n == nil {
		return
	}
	if e.Kind == NoAgent && e.Over { // Desk has taken a transfer: what an earlier process was held for is over too
		n.enqueue(Event{Kind: Held, Over: true})
	}
	n.enqueue(e)
}

func (n *Notifier) enqueue(e Event) {
	if len(n.teams(e)) == 0 {
		return
	}
	n.prepare(&e)
	n.mu.Lock()
	if len(n.queue) == maxQueue {
		n.drop(n.queue[0])
		n.queue, n.gone = n.queue[1:], n.gone+1
	}
	n.queue = append(n.queue, e)
	n.mu.Unlock()
	n.Stored()
}

// Record is an event as a record, to be put together with what it is about; false:
// no team of the rules in force is told. Stored follows when it was put.
func (n *Notifier) Record(e Event) (store.Record, bool) {
	if n == nil || len(n.teams(e)) == 0 {
		return store.Record{}, false
	}
	n.prepare(&e)
	r, err := encode(store.Record{Kind: store.KindNotice, Name: eventPrefix + rand.Text()}, e, n.Clock.Now().Add(keepFor))
	return r, err == nil
}

// Stored says that a record was put, so that it is sent at once.
func (n *Notifier) Stored() {
	if n == nil {
		return
	}
	select {
	case n.woken <- struct{}{}:
	default:
	}
}

// prepare bounds what is kept of an event, and masks the words.
func (n *Notifier) prepare(e *Event) {
	shown := false
	for _, t := range n.teams(*e) {
		shown = shown || t.Words
	}
	if !shown {
		e.Words = nil
	}
	e.Words = masked(e.Words)
	for _, name := range []*string{&e.Session, &e.RequestID, &e.Rule, &e.Target, &e.Detail} {
		*name = onOneLine(mask.Clip(*name))
	}
}

// onOneLine is what a stranger wrote without line ends, which would begin a line of its
// own in a message, and without what is not seen.
func onOneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unseen(r) }), " ")
}

// teams are those that are told of an event under the rules in force.
func (n *Notifier) teams(e Event) (teams []*rules.Team) {
	p := n.Policy()
	for _, name := range e.Teams {
		if t := p.Team(name); t != nil {
			teams = append(teams, t)
		}
	}
	if e.Teams != nil {
		return teams
	}
	for _, t := range p.Teams() {
		if t.Wants(string(e.Kind)) && (e.Kind != WaitingLong || e.Over || e.Waited >= t.WaitingLong) {
			teams = append(teams, t)
		}
	}
	return teams
}

// drop tells of an event that is lost because too much happens at once.
func (n *Notifier) drop(e Event) {
	for _, t := range n.teams(e) {
		n.Metrics.Notices.WithLabelValues(t.Channel, outcomeDropped).Inc()
		n.quiet.Log("dropped", n.Log.WithFields(logrus.Fields{"team": t.Name, "kind": e.Kind}), logrus.WarnLevel, "too many events at once: some notifications were dropped")
	}
}
