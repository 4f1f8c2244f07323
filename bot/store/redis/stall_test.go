package redis

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// A fork, or one slow command of somebody else, stops Redis for a moment.
func TestReplicas_aStallOfRedis_isNoOutage(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.observe("s", rules.EventUserMessage)
	server.Pause()
	mended := time.AfterFunc(300*time.Millisecond, server.Continue)
	defer mended.Stop()
	var all sync.WaitGroup
	for _, o := range []*one{a, b} {
		all.Go(func() { o.observe("s", rules.EventUserMessage) })
	}
	all.Wait()
	for name, o := range map[string]*one{"a": a, "b": b} {
		if tr := o.mustEscalate("s of "+name, name); o.fell.Load() != 0 || !o.Sharing() || tr.OutcomeUnknown {
			t.Errorf("%s: away %d times, sharing %v, Desk is asked first: %v", name, o.fell.Load(), o.Sharing(), tr.OutcomeUnknown)
		}
	}
}

// One that is longer than a call waits has callbacks handled alone until it ends, and
// is no outage either.
func TestReplicas_aStallLongerThanACall_isBridged(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.observe("s", rules.EventUserMessage)
	server.Pause()
	mended := time.AfterFunc(callTimeout+200*time.Millisecond, server.Continue)
	defer mended.Stop()
	began := time.Now()
	if tr := o.mustEscalate("s", "e"); !tr.OutcomeUnknown {
		t.Error("decided without Redis, and Desk is not asked first")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the callback took %s", took)
	}
	o.back()
	if o.fell.Load() != 0 {
		t.Errorf("away %d times", o.fell.Load())
	}
	eventually(t, "Redis hearing of it", func() bool { conversations, _, _ := o.Behind(); return conversations == 0 })
}

// farAway forwards to an address, and holds each write back for the time that a network
// takes. It ends with the test.
func farAway(t *testing.T, to string, latency time.Duration) (url string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	pipe := func(from, to net.Conn) {
		defer func() { _ = to.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if err != nil || clock.Pause(ctx, latency) != nil {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(ctx, "tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			all.Go(func() { pipe(near, far) })
			all.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
			context.AfterFunc(ctx, func() { _ = near.Close(); _ = far.Close() })
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); all.Wait() })
	return "redis://" + l.Addr().String()
}

func TestReplica_aThousandCallbacksAtOnceOnASlowNetwork_areNoOutage(t *testing.T) {
	server := redistest.Start(t)
	o := makeReplica(t, farAway(t, strings.TrimPrefix(server.URL(), "redis://"), 20*time.Millisecond), apps.Add(1))
	if err := o.connect(); err != nil {
		t.Fatal(err)
	}
	o.run()
	callback{key: "loads the scripts", id: "warm", escalates: true}.to(t, o)
	began := time.Now()
	var all sync.WaitGroup
	for n := range 1024 {
		all.Go(func() {
			key, id := fmt.Sprint("k", n), name(n)
			c, err := o.Claim(t.Context(), key, id)
			if err != nil || !c.First {
				t.Errorf("Claim = %+v, %v", c, err)
				return
			}
			err = o.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
				return store.Effect{DedupKey: key, Answer: []byte("ok")}, nil
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
			o.Finish(t.Context(), key, []byte("ok"))
		})
	}
	all.Wait()
	if o.fell.Load() != 0 || !o.Sharing() {
		t.Errorf("away %d times, sharing %v", o.fell.Load(), o.Sharing())
	}
	alone, _, _ := o.Behind()
	t.Logf("took %s, %d were handled alone", time.Since(began), alone)
	if alone > 100 {
		t.Errorf("%d of 1024 were handled alone", alone)
	}
}

// What was answered must not be lost with Redis: a failover to an empty one, or to an
// older copy.
func TestReplicas_whoseRedisLostWhatTheyPromised_putItBackAndSaySo(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	const many = 20
	for n := range many {
		a.mustEscalate(name(n), fmt.Sprint("e", n))
	}
	delivered := b.take() // by another replica, which is what is not put back
	if err := b.Delete(t.Context(), delivered); err != nil {
		t.Fatal(err)
	}
	if missing, ended, err := b.outbox.Missing(t.Context(), []*store.Transfer{delivered, transfer("s1", "e1"), transfer("s1", "older")}); len(missing) != 0 || len(ended) != 2 || err != nil {
		t.Errorf("missing %d, ended %d, %v; want 0 and the one delivered, the one replaced", len(missing), len(ended), err)
	}
	ended := a.take()
	if err := a.Delete(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	do(t, raw(t, server), "FLUSHALL")
	left := map[string]bool{}
	for n := range many {
		left[fmt.Sprint("e", n)] = true
	}
	delete(left, ended.Episode)
	for range len(left) {
		tr := b.take()
		if !tr.OutcomeUnknown || !left[tr.Episode] {
			t.Errorf("put back: %s, Desk is asked first: %v", tr.Episode, tr.OutcomeUnknown)
		}
		delete(left, tr.Episode)
		if err := b.Delete(t.Context(), tr); err != nil {
			t.Error(err)
		}
	}
	// That the first was delivered is lost too: Desk will tell.
	if told := strings.Count(a.reported(), "put back: <nil>"); len(left) != 0 || told != many-1 {
		t.Errorf("not put back: %v; told of %d, want %d", left, told, many-1)
	}
}

// Redis carries out, when it goes on, what it was asked while it stood still: such a
// claim is nobody's, and a copy to another replica would wait for it in vain.
func TestReplicas_aClaimWhoseAnswerWasLost_isAnsweredAllTheSame(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.observe("s", rules.EventUserMessage)
	a.wire.loseAnswerOf(claimSource)
	if c, err := a.Claim(t.Context(), "k", "s"); !c.First || err != nil {
		t.Fatal(c, err)
	}
	a.Finish(t.Context(), "k", []byte("ok"))
	eventually(t, "telling of the answer", func() bool { _, callbacks, _ := a.Behind(); return callbacks == 0 })
	if c, err := b.Claim(t.Context(), "k", "s"); c.First || string(c.Answer) != "ok" || err != nil {
		t.Errorf("a copy to another replica got %+v, %v", c, err)
	}
}
