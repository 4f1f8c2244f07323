package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/bot/store/failover"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// turns counts the turns that paces give until enough.
func turns(t *testing.T, enough int64, paces ...*failover.RateLimiter) (took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for _, p := range paces {
		for range 4 {
			all.Go(func() {
				for p.Wait(ctx) == nil {
					if n.Add(1) >= enough {
						cancel()
					}
				}
			})
		}
	}
	all.Wait()
	return time.Since(began)
}

func TestRateLimiter_ofTwoReplicas_isTogetherTheRate(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	var paces []*failover.RateLimiter
	for range 2 {
		p := join(t, server, app).RateLimiter()
		p.SetRate(20, 200*time.Millisecond) // 10 ms each, 20 at once
		paces = append(paces, p)
	}
	// The bucket's 20 come at once, the other 40 each 10 ms.
	if took := turns(t, 60, paces...); took < 390*time.Millisecond {
		t.Errorf("60 turns took %s, want 400ms: faster than the rate", took)
	}
}

func TestRateLimiter_withoutRedis_isEachReplicasOwn(t *testing.T) {
	o := makeReplica(t, "redis://127.0.0.1:1", apps.Add(1))
	p := o.RateLimiter()
	p.SetRate(20, 200*time.Millisecond)
	if took := turns(t, 40, p); took < 190*time.Millisecond || took > 5*time.Second {
		t.Errorf("40 turns took %s, want 200ms", took)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.EOF)
	if err := p.Wait(ctx); err == nil {
		t.Error("Wait goes on after the end of its context")
	}
}

func TestRateLimiter_whenRedisGoesAwayWhileWaiting_goesOnAlone(t *testing.T) {
	server := redistest.Start(t)
	p := join(t, server, apps.Add(1)).RateLimiter()
	p.SetRate(1, 20*time.Millisecond)
	turns(t, 3, p)
	server.Kill()
	if took := turns(t, 5, p); took > 5*time.Second {
		t.Errorf("5 turns took %s", took)
	}
}

func TestAlarms_overdue_areGivenToOneReplica(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	const many = 250 // more than are given at once
	for n := range many {
		alarm := time.Now().Add(-time.Minute)
		if n%2 == 1 {
			alarm = time.Now().Add(-alarmGrace / 2) // its own replica will see to it
		}
		callback{key: name(n), id: name(n), timed: true, alarm: alarm}.to(t, a)
	}
	var mu sync.Mutex
	given := map[string]int{}
	var all sync.WaitGroup
	for _, o := range []*one{a, b} {
		all.Go(func() {
			for range 3 {
				ids, err := o.Overdue(t.Context())
				if err != nil {
					t.Errorf("Overdue: %v", err)
				}
				mu.Lock()
				for _, id := range ids {
					given[id]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for n := range many {
		if want := (n + 1) % 2; given[name(n)] < want || given[name(n)] > 1 {
			t.Errorf("the alarm of %s was given to %d replicas, want %d", name(n), given[name(n)], want)
		}
	}
}

// TestReplicas_onLinksThatBreak_deliverAllThatWasPromised is a random walk of three replicas
// on few conversations, with links that fail and a replica that dies now and
// then. Whatever was answered must be delivered; and while all links hold, no
// conversation is tried twice at a time.
func TestReplicas_onLinksThatBreak_deliverAllThatWasPromised(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		t.Run(fmt.Sprintf("breaks %v", breaks), func(t *testing.T) {
			w := newWalk(t, 3)
			w.run(2*time.Second, breaks)
			w.judge()
		})
	}
}

// walk is that random walk.
type walk struct {
	t        *testing.T
	server   *redistest.Server
	replicas []*one
	seq      atomic.Int64

	mu        sync.Mutex
	promised  map[string]string // episode → conversation, of Updates that returned nil
	delivered map[string]bool   // episodes
	joined    map[string]string // episode → another of its conversation that goes on for both
	trying    map[string]int    // conversation → attempts under way
	doubled   []string          // conversations that were tried twice at a time
}

func newWalk(t *testing.T, n int) *walk {
	w := &walk{t: t, server: redistest.Start(t), promised: map[string]string{}, delivered: map[string]bool{}, joined: map[string]string{}, trying: map[string]int{}}
	app := apps.Add(1)
	for range n {
		o := makeReplica(t, w.server.URL(), app)
		o.outbox.lease = 2 * time.Second
		if err := o.connect(); err != nil {
			t.Fatal(err)
		}
		o.run()
		w.replicas = append(w.replicas, o)
	}
	return w
}

// run has customers ask and couriers deliver for a time, then lets all end.
func (w *walk) run(d time.Duration, breaks bool) {
	asking, stop := context.WithTimeout(w.t.Context(), d)
	defer stop()
	delivering, stopDelivering := context.WithCancel(w.t.Context())
	var customers, couriers sync.WaitGroup
	for r, o := range w.replicas {
		for c := range 4 {
			customers.Go(func() { w.customer(asking, o, r*7+c) })
		}
		for range 2 {
			couriers.Go(func() { w.courier(delivering, o) })
		}
		if breaks {
			customers.Go(func() { w.breakLink(asking, o, time.Duration(r+2)*170*time.Millisecond) })
		}
	}
	customers.Wait()
	for _, o := range w.replicas {
		o.back()
	}
	late := time.After(40 * time.Second)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
wait:
	for w.left() > 0 {
		select {
		case <-look.C:
		case <-late:
			break wait
		}
	}
	stopDelivering()
	couriers.Wait()
}

// left counts the transfers that are anywhere.
func (w *walk) left() (n int) {
	for _, o := range w.replicas {
		list, err := o.List(w.t.Context())
		if err != nil {
			return 1
		}
		n += len(list)
	}
	return n
}

// customer asks again and again, in one of a few conversations each time.
func (w *walk) customer(ctx context.Context, o *one, seed int) {
	for n := seed; ctx.Err() == nil; n++ {
		id, episode := name(n*5%6), fmt.Sprint("e", w.seq.Add(1))
		key := "k" + episode
		c, err := o.Claim(context.Background(), key, id)
		if err != nil || !c.First {
			w.t.Errorf("Claim = %+v, %v", c, err)
			return
		}
		tr, err := o.escalate(context.Background(), id, episode)
		switch {
		case err == nil && tr != nil:
			w.promise(tr)
			o.Finish(context.Background(), key, []byte("ok"))
		case err == nil:
			o.Finish(context.Background(), key, []byte("ok"))
		case errors.Is(err, store.ErrPending), errors.Is(err, errOvertaken):
			o.Release(context.Background(), key)
		default:
			w.t.Errorf("Update: %v", err)
			o.Release(context.Background(), key)
		}
		_ = clock.Pause(ctx, time.Millisecond)
	}
}

func (w *walk) promise(tr *store.Transfer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.promised[tr.Episode] = tr.ID
}

// courier delivers: some at once, some at the second try, some never get to
// tell what became of them.
func (w *walk) courier(ctx context.Context, o *one) {
	for n := 0; ctx.Err() == nil; n++ {
		tr, _, err := o.Take(ctx, time.Now())
		if err != nil || tr == nil {
			_ = clock.Pause(ctx, 2*time.Millisecond)
			continue
		}
		w.begin(tr)
		_ = clock.Pause(ctx, time.Millisecond)
		w.end(tr)
		if n%4 == 3 { // not yet
			tr.Calls++
			w.join(o, tr)
			_ = o.Save(context.Background(), tr)
			continue
		}
		w.deliver(tr)
		err = o.Update(context.Background(), tr.ID, func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(rules.EventClosed, time.Now(), time.Time{})
			return store.Effect{}, nil
		})
		if err != nil && !errors.Is(err, errOvertaken) {
			w.t.Errorf("closing: %v", err)
		}
		_ = o.Delete(context.Background(), tr)
	}
}

// join notes a transfer of the same conversation that was decided without Redis
// meanwhile: Save lets that one go on for both (Replica.Save).
func (w *walk) join(o *one, tr *store.Transfer) {
	kept, err := o.disk.Get(context.Background(), tr.ID)
	if err != nil || kept.Episode == tr.Episode {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.joined[tr.Episode] = kept.Episode
}

func (w *walk) begin(tr *store.Transfer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trying[tr.ID]++; w.trying[tr.ID] > 1 {
		w.doubled = append(w.doubled, tr.ID)
	}
}

func (w *walk) end(tr *store.Transfer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trying[tr.ID]--
}

func (w *walk) deliver(tr *store.Transfer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delivered[tr.Episode] = true
}

// breakLink has one replica's calls fail now and then.
func (w *walk) breakLink(ctx context.Context, o *one, every time.Duration) {
	for clock.Pause(ctx, every) == nil {
		o.wire.loseAnswerOf([]string{saveSource, putSource, storeSource, takeSource, claimSource, deleteSource}[w.seq.Load()%6])
	}
}

// judge wants every promise kept and, unless a link broke (a busy machine does
// that too), no conversation tried twice at a time.
func (w *walk) judge() {
	w.t.Helper()
	var fell int64
	for _, o := range w.replicas {
		o.wire.mu.Lock()
		fell += o.fell.Load() + o.wire.lost
		o.wire.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for episode, id := range w.promised {
		if !w.delivered[episode] && !w.delivered[w.joined[episode]] {
			w.t.Errorf("%s of %s was promised and never delivered", episode, id)
		}
	}
	if fell == 0 && len(w.doubled) > 0 {
		w.t.Errorf("on links that held, tried twice at a time: %v", w.doubled)
	}
	w.t.Logf("%d times a link broke: %d callbacks, %d promises, %d deliveries, %d times two at once", fell, w.seq.Load(), len(w.promised), len(w.delivered), len(w.doubled))
}
