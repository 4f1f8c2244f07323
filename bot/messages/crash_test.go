package messages

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/desk"
	"escalator/bot/store"
)

var errDead = errors.New("the process is dead")

type kept interface{ store.Records }

// mortal is what a process can do to the world until it is killed: at a step, either
// before that has an effect or before it hears of it.
type mortal struct {
	kept
	desk Desk

	mu     sync.Mutex
	left   int // steps until death
	before bool
	dead   bool
}

// step reports whether the process lives to do something, and to hear of it.
func (m *mortal) step() (does, hears bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return false, false
	}
	if m.left--; m.left >= 0 {
		return true, true
	}
	m.dead = true
	return !m.before, false
}

func (m *mortal) Record(ctx context.Context, kind store.Kind, name string) (r store.Record, err error) {
	does, hears := m.step()
	if does {
		r, err = m.kept.Record(ctx, kind, name)
	}
	if !hears {
		return store.Record{}, errDead
	}
	return r, err
}

func (m *mortal) PutRecords(ctx context.Context, records ...store.Record) (err error) {
	does, hears := m.step()
	if does {
		err = m.kept.PutRecords(ctx, records...)
	}
	if !hears {
		return errDead
	}
	return err
}

func (m *mortal) SessionState(ctx context.Context, r desk.StateRequest) (s desk.SessionState, err error) {
	does, hears := m.step()
	if does {
		s, err = m.desk.SessionState(ctx, r)
	}
	if !hears {
		return s, errLost
	}
	return s, err
}

func (m *mortal) ContactUser(ctx context.Context, r desk.ContactRequest) (agent string, err error) {
	does, hears := m.step()
	if does {
		agent, err = m.desk.ContactUser(ctx, r)
	}
	if !hears {
		return "", errLost
	}
	return agent, err
}

// mortal is a process of the world that dies after so many steps.
func (w *world) mortal(steps int, before bool) *Keeper {
	k := w.process()
	m := &mortal{kept: w.records, desk: w.desk, left: steps, before: before}
	k.Records, k.Desk, k.lease.Records = m, m, m
	return k
}

// Wherever a process dies, the customer is contacted once, or the staff is told that
// nobody knows.
func TestCrash_atEachStep_contactsAtMostOnce(t *testing.T) {
	const steps = 14 // a contact takes fewer, so that the last ones die of old age
	outcomes := map[State]int{}
	for _, before := range []bool{true, false} {
		for at := range steps {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.keeper = w.mortal(at, before)
				r, _, err := Add(store.Record{}, w.left("s1", "call me"))
				if err == nil {
					err = w.records.PutRecords(t.Context(), r)
				}
				if err != nil {
					t.Fatal(err)
				}
				w.keeper.Start()
				w.passes(0)
				w.reads(1)
				w.keeper.Stop(t.Context())

				w.keeper = w.process()
				w.keeper.Start()
				for range 30 {
					w.passes(lookEvery)
					w.reads(1)
				}
				m := w.message("s1")
				if n := len(w.desk.contacts); n > 1 || n == 0 && m.State != Unknown || m.State.open() {
					t.Errorf("killed at step %d (%v): %d contacts, %+v", at, before, n, m)
				}
				outcomes[m.State]++
				w.keeper.Stop(t.Context())
			})
		}
	}
	if outcomes[Contacted] == 0 || outcomes[Unknown] < 3 {
		t.Errorf("the steps at which it is killed are not those of a contact: %v", outcomes)
	}
}

// Of two processes that both believe to hold the lease, one contacts the customer.
func TestTwoProcesses_oneContacts(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			other := w.process()
			other.lease.Owner = w.keeper.lease.Owner
			for i := range 5 {
				r, _, err := Add(store.Record{}, w.left(fmt.Sprint("s", i), "call me"))
				if err == nil {
					err = w.records.PutRecords(t.Context(), r)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			w.desk.slow = time.Second
			both := []*Keeper{w.keeper, other}
			for _, k := range both {
				k.Start()
			}
			for range 10 {
				for _, k := range both {
					w.keeper = k
					w.reads(5)
				}
				w.passes(lookEvery)
			}
			seen := map[string]bool{}
			for _, user := range w.desk.users() {
				if seen[user] {
					t.Errorf("%s was contacted twice", user)
				}
				seen[user] = true
			}
			if len(seen) != 5 {
				t.Errorf("%d of 5 were contacted", len(seen))
			}
			for _, k := range both {
				k.Stop(t.Context())
			}
		})
	}
}

// The lease gives each free agent one customer, not one from each process.
func TestTwoProcesses_aFreeAgentGetsOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		other := w.process()
		other.Start()
		w.leaves("s1", "call me")
		w.leaves("s2", "call me")
		first := w.keeper
		w.passes(lookEvery)
		w.reads(1)
		w.keeper = other
		w.reads(1)
		w.wantContacted("s1")
		w.keeper = first
		other.Stop(w.t.Context())
	})
	inWorld(t, func(w *world) { // and the other takes over
		w.leaves("s1", "call me")
		w.passes(2 * lookEvery)
		first := w.keeper
		first.Stop(w.t.Context())
		w.keeper = w.process()
		w.keeper.Start()
		w.passes(leaseFor + lookEvery)
		w.reads(1)
		w.wantContacted("s1")
		w.keeper.Stop(w.t.Context())
		w.keeper = first
	})
}

// A random life with two processes that die and come back: no request leads to two
// contacts, and nobody is left waiting.
func TestModel_atMostOneContactForEachRequest(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			accepted := map[string]int{}
			requests := map[string]time.Time{}
			w.desk.before = func(err error) {
				if failed := (*desk.Error)(nil); errors.As(err, &failed) && failed.Err == nil {
					return // refused
				}
				user := w.desk.users()
				last := user[len(user)-1]
				accepted[last+requests[last].String()]++
			}
			spawn := func() *Keeper {
				k := w.mortal(rapid.IntRange(1, 60).Draw(r, "life"), rapid.Bool().Draw(r, "before"))
				k.Start()
				return k
			}
			running := []*Keeper{spawn(), spawn()}
			for range rapid.IntRange(1, 25).Draw(r, "steps") {
				n := rapid.IntRange(0, 1).Draw(r, "process")
				w.keeper = running[n]
				switch rapid.SampledFrom([]string{"leave", "leave", "read", "read", "read", "wait", "restart", "refuse", "lose", "reach"}).Draw(r, "do") {
				case "leave":
					session := rapid.SampledFrom([]string{"a", "b"}).Draw(r, "session")
					if rapid.Bool().Draw(r, "asked anew") || requests[session].IsZero() {
						requests[session] = w.clock.Now()
					}
					w.leaves(session, "call me", func(l *Left) { l.Opened, l.ContactWithin = requests[session], 20*time.Minute })
				case "read":
					w.reads(rapid.IntRange(0, 2).Draw(r, "free"))
				case "wait":
					w.passes(time.Duration(rapid.IntRange(1, 120).Draw(r, "seconds")) * time.Second)
				case "restart":
					w.keeper.Stop(t.Context())
					running[n] = spawn()
				case "refuse":
					w.desk.script = []error{code(141001)}
				case "lose":
					w.desk.script = []error{errLost}
				case "reach":
					w.keeper.Reached("a", "user-a", "@service")
				}
				w.passes(time.Second)
			}
			last := w.process()
			last.Start()
			w.passes(30 * time.Minute)
			for _, session := range []string{"a", "b"} {
				if m := w.message(session); m != nil && m.State.open() {
					r.Errorf("left waiting: %+v", m)
				}
			}
			for request, n := range accepted {
				if n > 1 {
					r.Errorf("%s led to %d contacts", request, n)
				}
			}
			for _, k := range append(running, last) {
				k.Stop(t.Context())
			}
		})
	})
}
