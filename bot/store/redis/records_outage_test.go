package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// What is kept while Redis is away is shared when it is back, whatever way it went.
func TestReplica_recordsKeptWithoutRedis_areSharedWhenItIsBack(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			server := redistest.Start(t, "--appendfsync", "always")
			app := apps.Add(1)
			o, other := join(t, server, app), join(t, server, app)
			if err := o.PutRecords(t.Context(), aRecord(store.KindUser, "known", "1"), aRecord(store.KindNotice, "sent", "1")); err != nil {
				t.Fatal(err)
			}
			known, sent := readRecord(t, o, store.KindUser, "known"), readRecord(t, o, store.KindNotice, "sent")
			known.Value, sent.Value = []byte("2"), nil
			fault.breaks(server)
			if err := o.PutRecords(t.Context(), aRecord(store.KindReading, "r", "first")); err != nil { // Redis may get it all the same
				t.Fatal(err)
			}
			o.away()
			err := o.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
				return store.Effect{Records: []store.Record{known, aRecord(store.KindWords, "s", "words")}}, nil
			})
			if err := errors.Join(err, o.PutRecords(t.Context(), sent), o.PutRecords(t.Context(), aRecord(store.KindLease, "l", "ours"))); err != nil {
				t.Fatal(err)
			}
			wantRecord(t, o, store.KindWords, "s", "words")
			fault.mends(server)
			o.back()
			other.back()
			eventually(t, "bringing what was kept", func() bool { return o.local.Len() == 0 })
			wantRecord(t, other, store.KindUser, "known", "2")
			wantRecord(t, other, store.KindWords, "s", "words")
			wantRecord(t, other, store.KindNotice, "sent", "")
			wantRecord(t, other, store.KindLease, "l", "")
			if all, err := other.Records(t.Context(), store.KindNotice); err != nil || len(all) != 0 {
				t.Errorf("notices are left: %v, %v", all, err)
			}
			if told := o.reported() + other.reported(); told != "" {
				t.Errorf("reported %s", told)
			}
		})
	}
}

// sender counts how often each notice is sent by all replicas.
type sender struct {
	mu   sync.Mutex
	sent map[string]int
	made map[string]bool
}

// work makes notices and sends what it can take, as those do who work on a record that one
// of them must act on: they put it before they act, and remove it after.
func (s *sender) work(ctx context.Context, o *one, name string) {
	for n := 0; ctx.Err() == nil; n++ {
		if n%3 == 0 {
			made := fmt.Sprint(name, "-", n)
			if o.PutRecords(context.WithoutCancel(ctx), aRecord(store.KindNotice, made, "new")) == nil {
				s.mu.Lock()
				s.made[made] = true
				s.mu.Unlock()
			}
		}
		s.sendOne(context.WithoutCancel(ctx), o, name)
		_ = clock.Pause(ctx, time.Duration(rand.IntN(3))*time.Millisecond)
	}
}

func (s *sender) sendOne(ctx context.Context, o *one, by string) {
	all, err := o.Records(ctx, store.KindNotice)
	if err != nil {
		return
	}
	for _, r := range all {
		mine := "taken by " + by
		if string(r.Value) != "new" {
			continue
		}
		r.Value = []byte(mine)
		if o.PutRecords(ctx, r) != nil {
			continue
		}
		s.mu.Lock()
		s.sent[r.Name]++
		s.mu.Unlock()
		for range 100 { // until nobody has it any more
			r, err := o.Record(ctx, r.Kind, r.Name)
			if err != nil || string(r.Value) != mine {
				return
			}
			if r.Value = nil; o.PutRecords(ctx, r) == nil {
				return
			}
		}
		return
	}
}

// Redis is stopped and started again and again while three replicas make notices and send
// them: none is sent twice, and none is lost. What was taken when it stopped, and not ended,
// stays taken: its sender has to know by itself.
func TestReplica_noticesOverOutages_areSentOnce_andNoneIsLost(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	app := apps.Add(1)
	s := &sender{sent: map[string]int{}, made: map[string]bool{}}
	var replicas []*one
	for range 3 {
		replicas = append(replicas, join(t, server, app))
	}
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for n, o := range replicas {
		for m := range 2 {
			working.Go(func() { s.work(ctx, o, fmt.Sprint(n, ".", m)) })
		}
	}
	for n := range 4 {
		_ = clock.Pause(ctx, 300*time.Millisecond)
		fault := faults[n%2]
		fault.breaks(server)
		_ = clock.Pause(ctx, 1500*time.Millisecond)
		fault.mends(server)
		replicas[n%3].back()
	}
	stop()
	working.Wait()
	for _, o := range replicas {
		o.back()
		eventually(t, "bringing what was kept", func() bool { return o.local.Len() == 0 })
	}
	left, err := replicas[0].Records(t.Context(), store.KindNotice)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range left {
		known[r.Name] = true
		if s.sent[r.Name] > 0 && string(r.Value) == "new" {
			t.Errorf("%s was sent, and waits to be sent", r.Name)
		}
	}
	for name, n := range s.sent {
		if n != 1 {
			t.Errorf("%s was sent %d times", name, n)
		}
	}
	for name := range s.made {
		if s.sent[name] == 0 && !known[name] {
			t.Errorf("%s is lost", name)
		}
	}
	t.Logf("%d made, %d sent, %d left", len(s.made), len(s.sent), len(left))
}
