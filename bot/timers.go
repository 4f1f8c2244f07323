package bot

import (
	"container/heap"
	"context"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/inbound"
	"escalator/bot/store"
	"escalator/rules"
)

// eventTimer is the name under which a timer appears in the log.
const eventTimer = "timer"

// timers wakes conversations in which the bot has been silent for as long as a
// rule asks about. They are kept in memory; after a restart they are made again
// from the conversations (Bot.Wake).
type timers struct {
	bot     *Bot
	mu      sync.Mutex
	heap    alarms
	byID    map[string]*alarm
	planned atomic.Int64    // how many: with most rules there are none, and nobody need look
	earlier chan struct{}   // receives a value when the first alarm changes
	ctx     context.Context //nolint:containedctx // the timers' own life, made in newTimers
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

// alarm is when to look at a conversation, and whose it is as far as that is known. There
// may be one for each conversation, so it is no whole message.
type alarm struct {
	at                         time.Time
	id, session, user, service string
	index                      int // in the heap
}

func newAlarm(id string, at time.Time) *alarm {
	of := inbound.Stored(id)
	return &alarm{at: at, id: id, session: of.Session, user: of.User, service: of.Service}
}

func newTimers(b *Bot) *timers {
	t := &timers{bot: b, byID: map[string]*alarm{}, earlier: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *timers) start() { t.work.Go(t.run) }

func (t *timers) stop() {
	t.cancel()
	t.work.Wait()
}

// SetAlarm plans, moves or (zero) cancels the turn by the clock of a conversation.
// A store calls it with the conversation locked (store.Alarms), so this must not
// call the store.
func (b *Bot) SetAlarm(id string, at time.Time) { b.timers.set(id, at) }

// NextAlarm is when a conversation wants a turn by the clock; see store.Alarms.
func (b *Bot) NextAlarm(c *rules.Conversation) time.Time {
	at, _ := b.Policy().NextTimer(c)
	return at
}

// set plans, moves or (zero) cancels the alarm of a conversation.
func (t *timers) set(id string, at time.Time) {
	if at.IsZero() && t.planned.Load() == 0 { // nothing to cancel: who plans one holds the lock of its conversation, as the caller does
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.byID[id]
	switch {
	case at.IsZero() && a == nil:
		return
	case at.IsZero():
		heap.Remove(&t.heap, a.index)
		t.drop(id)
		return
	case a == nil:
		id = strings.Clone(id)
		a = newAlarm(id, at)
		t.byID[id] = a
		t.planned.Add(1)
		heap.Push(&t.heap, a)
	default:
		a.at = at
		heap.Fix(&t.heap, a.index)
	}
	if t.heap[0] == a {
		select {
		case t.earlier <- struct{}{}:
		default:
		}
	}
}

func (t *timers) drop(id string) {
	delete(t.byID, id)
	t.planned.Add(-1)
}

// describe says whose conversation it is that has an alarm: its id may not tell.
func (t *timers) describe(m *inbound.Message) {
	if t.planned.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.byID[m.Conversation]
	if a == nil {
		return
	}
	for _, s := range [...]struct {
		to   *string
		from string
	}{{&a.session, m.Session}, {&a.user, m.User}, {&a.service, m.Service}} {
		if *s.to == "" && s.from != "" {
			*s.to = strings.Clone(s.from)
		}
	}
}

// run fires alarms in their order until the timers are stopped.
func (t *timers) run() {
	for t.ctx.Err() == nil {
		due, wait := t.next()
		if due != nil {
			t.fire(due)
			continue
		}
		t.sleep(wait)
	}
}

// sleep waits for the first alarm, or for an earlier one to be set.
func (t *timers) sleep(wait time.Duration) {
	var alarm <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-alarm:
	case <-t.earlier:
	case <-t.ctx.Done():
	}
}

// next takes the first alarm if it is due, or says how long to wait for it; a
// negative time means that there is none.
func (t *timers) next() (due *alarm, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return nil, -1
	}
	first := t.heap[0]
	if wait = first.at.Sub(t.bot.Clock.Now()); wait > 0 {
		return nil, wait
	}
	heap.Pop(&t.heap)
	t.drop(first.id)
	return first, 0
}

// fire gives the conversation a timer turn, if it still wants one.
func (t *timers) fire(a *alarm) {
	m := &inbound.Message{
		Conversation: a.id, Session: a.session, User: a.user, Service: a.service, Name: eventTimer, Turn: &rules.Turn{Kind: rules.TimerTurn},
	}
	defer func() {
		if p := recover(); p != nil { // the alarm comes again after a restart: dying of it would not end
			t.bot.quiet.Log("panic", t.bot.Log.WithFields(logrus.Fields{
				"session": nameOf(m), "panic": p, "stack": string(debug.Stack()),
			}), logrus.ErrorLevel, "panic in a turn by the clock")
		}
	}()
	now := t.bot.Clock.Now()
	if _, err := t.bot.decide(t.ctx, &record{message: m, policy: t.bot.Policy(), at: now, wall: t.bot.Clock.Wall()}); err != nil {
		t.set(a.id, now.Add(storeRetry)) // nothing can be stored now; the silence goes on, so look again
	}
}

// Restored takes note of conversations that a store has restored after a restart: some
// began in plain IM.
func (b *Bot) Restored(ids []string) {
	for _, id := range ids {
		b.inbound.Restore(id, "")
	}
}

// Wake plans the alarms of conversations that came from elsewhere.
func (b *Bot) Wake(ids []string) {
	b.Restored(ids)
	for _, id := range ids {
		// The store plans the alarm, and forgets one that nobody needs any more.
		_ = b.Conversations.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
			c.SetBack(b.Clock.Now())
			return store.Effect{}, nil
		})
	}
}

// overdueEvery is how often a replica looks for alarms that others let pass.
const overdueEvery = time.Second

// TakeOver wakes conversations whose replica is gone, until ctx ends. overdue
// returns those that this replica is to wake.
func (b *Bot) TakeOver(ctx context.Context, overdue func(context.Context) ([]string, error)) {
	clock.Every(ctx, overdueEvery, func(ctx context.Context) {
		if ids, err := overdue(ctx); err == nil {
			b.Wake(ids)
		}
	})
}

// alarms is a heap (container/heap), the earliest first.
type alarms []*alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *alarms) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

func (h *alarms) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
