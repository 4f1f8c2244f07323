package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// Stores are what belongs together: Update changes all of them.
type Stores struct {
	Conversations store.Conversations
	Outbox        store.Outbox
	Dedup         store.Dedup
	Records       store.Records // for the suite of records only
}

// Conversations runs the suite for conversations; open returns new and empty
// stores that use the alarms.
func Conversations(t *testing.T, open func(t *testing.T, alarms store.Alarms) Stores) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Stores, *alarmClock){
		"keeps a change":                                         keepsChange,
		"keeps nothing of a view":                                keepsNoView,
		"keeps nothing of a change that failed":                  keepsNoFailure,
		"keeps nothing of a change that panicked":                keepsNoPanic,
		"puts the transfer into the outbox, or keeps nothing":    putsTransfer,
		"keeps the answer with the change":                       keepsAnswer,
		"does not count a callback again that was given up":      countsOnce,
		"keeps no answer of a change that failed":                keepsNoAnswer,
		"plans the alarm while it has the conversation, or none": plansAlarm,
		"changes one conversation by one at a time":              changesByOne,
	} {
		t.Run(name, func(t *testing.T) {
			alarms := &alarmClock{at: map[string]time.Time{}}
			test(t, open(t, store.Alarms{Next: alarms.next, Set: alarms.set}), alarms)
		})
	}
}

// alarmClock wants to wake conversations that are queued.
type alarmClock struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (a *alarmClock) next(c *rules.Conversation) time.Time {
	if c.Phase() != rules.PhaseQueued {
		return time.Time{}
	}
	return c.Seen().Add(time.Hour)
}

func (a *alarmClock) set(id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[id] = at
}

func (a *alarmClock) want(t *testing.T, id string, want time.Time) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := a.at[id]; !got.Equal(want) {
		t.Errorf("the alarm of %s is at %s, want %s", id, got, want)
	}
}

func keepsChange(t *testing.T, s Stores, _ *alarmClock) {
	observe(t, s.Conversations, "a", rules.EventWithHuman)
	wantPhase(t, s.Conversations, "a", rules.PhaseHuman)
	wantPhase(t, s.Conversations, "b", rules.PhaseBot)
}

func keepsNoView(t *testing.T, s Stores, alarms *alarmClock) {
	observe(t, s.Conversations, "a", rules.EventWithHuman)
	for _, id := range []string{"a", "b"} {
		err := s.Conversations.View(t.Context(), id, func(c *rules.Conversation) { c.Observe(rules.EventTransferring, epoch.Add(time.Minute), time.Time{}) })
		if err != nil {
			t.Errorf("View(%s): %v", id, err)
		}
		alarms.want(t, id, time.Time{})
	}
	wantPhase(t, s.Conversations, "a", rules.PhaseHuman)
	wantPhase(t, s.Conversations, "b", rules.PhaseBot)
	if live, ok := s.Conversations.(interface{ Live() int }); ok && live.Live() != 1 {
		t.Errorf("%d conversations are kept, want only the one that was changed", live.Live())
	}
}

var errBroken = errors.New("broken")

func keepsNoFailure(t *testing.T, s Stores, _ *alarmClock) {
	observe(t, s.Conversations, "a", rules.EventWithHuman)
	err := s.Conversations.Update(t.Context(), "a", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventClosed, epoch.Add(time.Minute), time.Time{})
		return store.Effect{Transfer: transfer("a", 0)}, errBroken
	})
	if !errors.Is(err, errBroken) {
		t.Errorf("Update = %v", err)
	}
	wantPhase(t, s.Conversations, "a", rules.PhaseHuman)
	takeNone(t, s.Outbox, epoch)
}

func keepsNoPanic(t *testing.T, s Stores, alarms *alarmClock) {
	for _, id := range []string{"new", "known"} {
		if id == "known" {
			observe(t, s.Conversations, id, rules.EventWithHuman)
		}
		before := phase(t, s.Conversations, id)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not reach the caller")
				}
			}()
			_ = s.Conversations.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventTransferring, epoch.Add(time.Minute), time.Time{})
				panic("a rule")
			})
		}()
		wantPhase(t, s.Conversations, id, before)
		alarms.want(t, id, time.Time{})
		observe(t, s.Conversations, id, rules.EventTransferring) // it is not locked for ever
	}
}

func putsTransfer(t *testing.T, s Stores, _ *alarmClock) {
	change := func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, epoch, time.Time{})
		return store.Effect{Transfer: transfer("a", 0)}, nil
	}
	if err := s.Conversations.Update(t.Context(), "a", change); err != nil {
		t.Fatal(err)
	}
	observe(t, s.Conversations, "a", rules.EventClosed)
	if err := s.Conversations.Update(t.Context(), "a", change); !errors.Is(err, store.ErrPending) {
		t.Errorf("second transfer: %v, want ErrPending", err)
	}
	wantPhase(t, s.Conversations, "a", rules.PhaseBot)
	take(t, s.Outbox, epoch)
	takeNone(t, s.Outbox, epoch)
}

// count changes a conversation by a callback that is claimed.
func count(t *testing.T, s Stores, key, answer string) error {
	t.Helper()
	return s.Conversations.Update(t.Context(), "a", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, epoch, time.Time{})
		effect := store.Effect{DedupKey: key}
		if answer != "" {
			effect.Answer = []byte(answer)
		}
		return effect, nil
	})
}

func keepsAnswer(t *testing.T, s Stores, _ *alarmClock) {
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || !c.First {
		t.Fatal(c, err)
	}
	if err := count(t, s, "k", "answer"); err != nil {
		t.Fatal(err)
	}
	s.Dedup.Release(t.Context(), "k") // as after a panic
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || c.First || string(c.Answer) != "answer" {
		t.Errorf("Claim of a repeat = %+v, %v", c, err)
	}
}

func countsOnce(t *testing.T, s Stores, _ *alarmClock) {
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || !c.First {
		t.Fatal(c, err)
	}
	if err := count(t, s, "k", ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.Dedup.Release(t.Context(), "k")
		if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || !c.First || !c.Counted {
			t.Fatalf("Claim after it was given up = %+v, %v; want the first, counted", c, err)
		}
	}
	s.Dedup.Finish(t.Context(), "k", []byte("late"))
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || c.First || string(c.Answer) != "late" {
		t.Errorf("Claim of a repeat = %+v, %v", c, err)
	}
}

func keepsNoAnswer(t *testing.T, s Stores, _ *alarmClock) {
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || !c.First {
		t.Fatal(c, err)
	}
	err := s.Conversations.Update(t.Context(), "a", func(*rules.Conversation) (store.Effect, error) {
		return store.Effect{DedupKey: "k", Answer: []byte("answer")}, errBroken
	})
	if !errors.Is(err, errBroken) {
		t.Errorf("Update = %v", err)
	}
	s.Dedup.Release(t.Context(), "k")
	if c, err := s.Dedup.Claim(t.Context(), "k", "a"); err != nil || !c.First || c.Counted {
		t.Errorf("Claim = %+v, %v; want the first, not counted", c, err)
	}
}

func plansAlarm(t *testing.T, s Stores, alarms *alarmClock) {
	observe(t, s.Conversations, "a", rules.EventTransferring)
	alarms.want(t, "a", epoch.Add(time.Hour))
	_ = s.Conversations.Update(t.Context(), "a", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventClosed, epoch.Add(time.Minute), time.Time{})
		return store.Effect{}, errBroken
	})
	alarms.want(t, "a", epoch.Add(time.Hour))
	observe(t, s.Conversations, "a", rules.EventClosed)
	alarms.want(t, "a", time.Time{})
}

// changesByOne has the race detector watch a counter, and the alarm be that of the
// state that was kept last: one that is planned without the lock loses.
func changesByOne(t *testing.T, s Stores, alarms *alarmClock) {
	counter := 0
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			err := s.Conversations.Update(t.Context(), "a", func(c *rules.Conversation) (store.Effect, error) {
				counter++
				c.Observe([]rules.EventKind{rules.EventTransferring, rules.EventClosed}[n%2], epoch.Add(time.Duration(counter)*time.Minute), time.Time{})
				return store.Effect{}, nil
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	all.Wait()
	if counter < 50 {
		t.Errorf("counted %d", counter)
	}
	var want time.Time
	if err := s.Conversations.View(t.Context(), "a", func(c *rules.Conversation) { want = alarms.next(c) }); err != nil {
		t.Fatal(err)
	}
	alarms.want(t, "a", want)
}

func observe(t *testing.T, m store.Conversations, id string, k rules.EventKind) {
	t.Helper()
	err := m.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(k, epoch, time.Time{})
		return store.Effect{}, nil
	})
	if err != nil {
		t.Fatalf("Update(%q): %v", id, err)
	}
}

func phase(t *testing.T, m store.Conversations, id string) (p rules.Phase) {
	t.Helper()
	if err := m.View(t.Context(), id, func(c *rules.Conversation) { p = c.Phase() }); err != nil {
		t.Fatalf("View(%q): %v", id, err)
	}
	return p
}

func wantPhase(t *testing.T, m store.Conversations, id string, want rules.Phase) {
	t.Helper()
	if got := phase(t, m, id); got != want {
		t.Errorf("phase of %s = %s, want %s", id, got, want)
	}
}
