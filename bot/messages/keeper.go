package messages

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/notify"
	"escalator/bot/quiet"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

const (
	// lookEvery is how often the words are looked through for those whose time is over.
	lookEvery = 5 * time.Second
	// leaseFor is how long one process is the one that contacts customers, without
	// renewing that.
	leaseFor = 3 * lookEvery
	// callFor is how long a call may be under way; after that its outcome is unknown.
	callFor = 30 * time.Second
	// maxOpen bounds the customers who wait for a contact; beyond it the oldest is
	// dropped.
	maxOpen = 10_000
	// maxKept bounds what is kept in all. The store has its own bound a little above: it
	// would forget what was put least recently, and that may be a customer who waits.
	maxKept = 19_000
)

// Desk is what is needed of the REST API; *desk.Client is one.
type Desk interface {
	SessionState(ctx context.Context, r desk.StateRequest) (desk.SessionState, error)
	ContactUser(ctx context.Context, r desk.ContactRequest) (agent string, err error)
}

// Options is what a Keeper is made of. All fields are needed but Tell.
type Options struct {
	Records store.Records
	Desk    Desk
	// Target returns a target of the rules in force; nil: there is none of that name.
	Target func(name string) *rules.Target
	// OnItsWay reports whether a transfer of the conversation is on its way or waits for
	// an agent: then the customer is not contacted as well.
	OnItsWay func(ctx context.Context, conversation string) bool
	Tell     func(notify.Event)  // nil: nobody
	Happened func(history.Entry) // takes what the history is to tell; nil: nobody keeps it
	LogText  mask.Mode

	Log     *logrus.Logger
	Metrics *metrics.Metrics
	Clock   *clock.Clock
}

// Keeper looks after the words that customers left. Make one with New.
type Keeper struct {
	Options
	lease store.Lease // has one process contact customers: each agent that is free gets one customer, not one from each
	index index
	stamp string // of the store that replicas share, at the last look; "": there was none
	quiet quiet.Lines

	readings chan *rules.Reading // holds the newest that was not looked at
	wake     chan struct{}       // holds a value when there is something to do

	taking     context.Context //nolint:containedctx // the keeper's own life, made in New
	stopTaking context.CancelFunc
	working    context.Context //nolint:containedctx // the same, for the call under way
	stopAll    context.CancelFunc
	running    sync.WaitGroup
}

// New returns a keeper that does not contact anybody yet.
func New(o Options) *Keeper {
	if o.Happened == nil {
		o.Happened = func(history.Entry) {}
	}
	if o.Tell == nil {
		o.Tell = func(notify.Event) {}
	}
	k := &Keeper{Options: o, readings: make(chan *rules.Reading, 1), wake: make(chan struct{}, 1)}
	k.lease = store.Lease{Records: o.Records, Name: "messages", Owner: rand.Text(), For: leaseFor, Now: o.Clock.Now}
	k.taking, k.stopTaking = context.WithCancel(context.Background())
	k.working, k.stopAll = context.WithCancel(context.Background())
	for _, outcome := range outcomes {
		o.Metrics.Messages.WithLabelValues(outcome)
	}
	return k
}

// Start begins to look after the words. It returns at once.
func (k *Keeper) Start() { k.running.Go(k.run) }

// Stop begins nothing new and ends a call under way when ctx ends. It may be
// called more than once.
func (k *Keeper) Stop(ctx context.Context) {
	k.stopTaking()
	done := make(chan struct{})
	go func() { k.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		k.stopAll()
		<-done
	}
}

// Reading takes what Desk said of its agents, and returns at once.
func (k *Keeper) Reading(r *rules.Reading) {
	select {
	case <-k.readings: // an older one
	default:
	}
	select {
	case k.readings <- r:
	default: // somebody was faster, with one as new
	}
}

// Waiting reports whether customers wait for somebody to be free: only then are
// readings needed.
func (k *Keeper) Waiting() bool { return k.index.waiting() > 0 }

// Kept tells of words that were put with their conversation.
func (k *Keeper) Kept(m *Message) {
	k.index.add(m)
	last := m.Words[len(m.Words)-1]
	k.Tell(event(m, notify.Message, last.Text))
	if !m.Since.Equal(last.At) {
		return
	}
	k.log(m, left, logrus.InfoLevel)
	if m.State == StaffOnly {
		k.log(m, string(StaffOnly), logrus.WarnLevel)
	}
}

// Reached tells that a customer is with a person, or in the queue for one: who
// waits for a contact needs none any more. It returns at once.
func (k *Keeper) Reached(conversation, user, service string) {
	if k.index.reached(conversation, user, service) {
		k.look()
	}
}

// look has the words looked through soon.
func (k *Keeper) look() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *Keeper) run() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		var free *rules.Reading
		if !first { // what an earlier process left is looked at without delay
			select {
			case <-k.taking.Done():
				return
			case <-tick.C:
			case <-k.wake:
			case free = <-k.readings:
			}
		}
		k.settle()
		// Without the lease it is another process's work. Where nobody waits it is nobody's,
		// so that an idle service need not write.
		if open, ended := k.list(); len(open) > 0 && k.holds() {
			k.tidy(open)
			k.makeRoom(ended, len(open))
			k.contactAll(open, free)
		}
	}
}

// holds reports whether this process is the one that contacts customers. That nobody is
// contacted twice does not rest on it.
func (k *Keeper) holds() bool {
	holder, err := k.lease.Hold(k.taking)
	return err == nil && holder == k.lease.Owner
}

// list returns the customers who wait or are being contacted, the oldest first, and takes
// note of them; and what led to something, that first which was put least recently.
func (k *Keeper) list() (open, ended []*Message) {
	if k.emptied(k.taking) {
		k.putBack(k.taking)
	}
	err := k.each(k.taking, func(m *Message) error {
		if m.State.open() {
			open = append(open, m)
		} else {
			ended = append(ended, m)
		}
		return nil
	})
	if err != nil {
		k.unreadable(err)
		return nil, nil
	}
	slices.SortStableFunc(open, func(a, b *Message) int { return a.Since.Compare(b.Since) })
	k.index.replace(open)
	k.Metrics.MessagesOpen.Set(float64(len(open)))
	return open, ended
}

func (k *Keeper) unreadable(err error) {
	if k.taking.Err() == nil {
		k.quiet.Log("read", k.Log.WithError(err), logrus.ErrorLevel, "messages that customers left cannot be read")
	}
}

// settle ends the waiting of customers who reached a person.
func (k *Keeper) settle() {
	for _, name := range k.index.takeReached() {
		k.end(name, Done, func(m *Message) bool { return m.State == Waiting })
	}
}

// tidy ends what is over, and drops the oldest of those that are too many.
func (k *Keeper) tidy(open []*Message) {
	now := k.Clock.Now()
	for i, m := range open {
		switch {
		case m.State == Calling && (now.Sub(m.Changed) > callFor || m.Changed.Sub(now) > callFor):
			k.end(m.record.Name, Unknown, func(m *Message) bool {
				m.Error = lang.Text("the process that called Desk ended before it could store the answer").String()
				return m.State == Calling
			})
		case m.State == Waiting && now.After(m.Until):
			k.end(m.record.Name, GivenUp, func(m *Message) bool { return m.State == Waiting && now.After(m.Until) })
		case m.State == Waiting && len(open)-i > maxOpen:
			k.drop(m)
		}
	}
}

// makeRoom forgets what led to something before the store has to forget anybody.
func (k *Keeper) makeRoom(ended []*Message, open int) {
	for _, m := range ended[:min(len(ended), max(0, len(ended)+open-maxKept))] {
		r := m.record
		r.Value = nil
		if k.Records.PutRecords(k.working, r) == nil {
			k.Metrics.Evicted(string(store.KindWords))()
		}
	}
}

// drop forgets a customer who waits, because too many do.
func (k *Keeper) drop(m *Message) {
	r := m.record
	r.Value = nil
	if k.Records.PutRecords(k.working, r) != nil {
		return // somebody changed it: another look decides
	}
	m.State, m.Error = GivenUp, lang.Say("more than %d customers wait", maxOpen).String()
	k.log(m, dropped, logrus.ErrorLevel)
	k.Tell(failure(m))
}

// end takes a message into its last state, where it still fits, and tells of it.
func (k *Keeper) end(name string, s State, fits func(*Message) bool) {
	m, err := k.change(name, func(m *Message) bool {
		if !fits(m) {
			return false
		}
		m.State = s
		return true
	})
	if err == nil && m != nil {
		k.ended(m)
	}
}

// change reads a record, changes it and puts it, once more where somebody else was
// faster. It returns nil where do says that nothing is to be changed.
func (k *Keeper) change(name string, do func(*Message) bool) (m *Message, err error) {
	ctx := context.WithoutCancel(k.working) // what has happened must be written down
	err = store.UpdateRecord(ctx, k.Records, store.KindWords, name, func(r *store.Record) (put bool, err error) {
		if m, err = decode(*r); err != nil || r.Value == nil || !do(m) {
			m = nil
			return false, err
		}
		m.Changed = k.Clock.Now()
		*r, err = m.encode()
		return true, err
	})
	if err != nil {
		k.quiet.Log("write", k.Log.WithError(err).WithField("session", mask.Clip(name)), logrus.ErrorLevel, "the state of a customer's message could not be stored")
		return nil, err
	}
	return m, nil
}
