package redis

import (
	"context"
	"errors"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// endLease has the lease of a transfer run out at once.
func endLease(t *testing.T, server *redistest.Server, d *driver, id string) {
	t.Helper()
	if n := do(t, raw(t, server), "ZADD", d.client.keys.outbox()[3], "XX", "CH", 1, id); n != int64(1) {
		t.Fatalf("%s is not leased", id)
	}
}

func two(t *testing.T) (server *redistest.Server, a, b *driver) {
	t.Helper()
	server = redistest.Start(t)
	app := apps.Add(1)
	return server, open(t, server, app, nil), open(t, server, app, nil)
}

func mustTake(t *testing.T, d *driver) *store.Transfer {
	t.Helper()
	tr, _, err := d.outbox.Take(t.Context(), time.Now())
	if err != nil || tr == nil {
		t.Fatalf("Take = %+v, %v", tr, err)
	}
	return tr
}

func mustTakeNone(t *testing.T, d *driver) {
	t.Helper()
	if tr, _, err := d.outbox.Take(t.Context(), time.Now()); err != nil || tr != nil {
		t.Fatalf("Take = %+v, %v; want nothing", tr, err)
	}
}

func TestOutbox_leaseThatRanOut_isTakenOverUnsure(t *testing.T) {
	server, a, b := two(t)
	if err := a.outbox.Put(t.Context(), transfer("s", "e")); err != nil {
		t.Fatal(err)
	}
	stale := mustTake(t, a)
	if stale.OutcomeUnknown {
		t.Error("the first to take it is unsure")
	}
	mustTakeNone(t, b)
	endLease(t, server, a, "s")
	if got := mustTake(t, b); !got.OutcomeUnknown || got.Episode != "e" {
		t.Errorf("taken over: %+v, want e, unsure", got)
	}
	mustTakeNone(t, a)
	if err := a.outbox.Save(t.Context(), stale); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Save by the one whose lease ran out = %v, want ErrNotFound", err)
	}
	if err := a.outbox.Delete(t.Context(), stale); err != nil {
		t.Errorf("Delete by the one whose lease ran out, but who got through to Desk = %v", err)
	}
	mustTakeNone(t, b)
}

func TestOutbox_leaseThatIsRenewed_isNotTakenOver(t *testing.T) {
	server, a, b := two(t)
	if err := a.outbox.Put(t.Context(), transfer("s", "e")); err != nil {
		t.Fatal(err)
	}
	tr := mustTake(t, a)
	endLease(t, server, a, "s")
	a.outbox.renew(t.Context())
	b.outbox.renew(t.Context()) // it holds nothing
	mustTakeNone(t, b)
	if err := a.outbox.Save(t.Context(), tr); err != nil {
		t.Errorf("Save = %v", err)
	}
	if got := mustTake(t, b); got.OutcomeUnknown {
		t.Error("it was saved, and is unsure all the same")
	}
}

func TestOutbox_renewing_doesNotTouchWhatAnotherTookOver(t *testing.T) {
	server, a, b := two(t)
	if err := a.outbox.Put(t.Context(), transfer("s", "e")); err != nil {
		t.Fatal(err)
	}
	mustTake(t, a)
	endLease(t, server, a, "s")
	mustTake(t, b)
	endLease(t, server, b, "s")
	a.outbox.renew(t.Context())
	if got := mustTake(t, a); !got.OutcomeUnknown {
		t.Error("taken a third time, and not unsure")
	}
}

func TestConversations_whoseReplicaDiesBetweenTransferAndSave_loseNothing(t *testing.T) {
	server, a, b := two(t)
	if err := a.outbox.prepare(t.Context(), transfer("s", "e")); err != nil {
		t.Fatal(err)
	}
	mustTakeNone(t, b) // it is not published
	// The other replica meets it, and counts on it.
	began := time.Now()
	err := b.conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		return store.Effect{Transfer: transfer("s", "other")}, nil
	})
	if took := time.Since(began); !errors.Is(err, store.ErrPending) || took > time.Second {
		t.Errorf("Update = %v after %s, want ErrPending", err, took)
	}
	endLease(t, server, a, "s")
	if got := mustTake(t, b); !got.OutcomeUnknown || got.Episode != "e" {
		t.Errorf("taken over: %+v, want e, unsure", got)
	}
}

func TestOutbox_takeBack(t *testing.T) {
	for _, test := range []struct {
		name    string
		between func(t *testing.T, b *driver)
		left    bool
	}{
		{"of what nobody has met, removes it", func(*testing.T, *driver) {}, false},
		{"of what another replica relies upon, publishes it", func(t *testing.T, b *driver) {
			if err := b.outbox.Put(t.Context(), transfer("s", "other")); !errors.Is(err, store.ErrPending) {
				t.Errorf("Put = %v, want ErrPending", err)
			}
		}, true},
		{"of what was withdrawn and put anew, leaves it alone", func(t *testing.T, b *driver) {
			if err := b.outbox.Delete(t.Context(), transfer("s", "e")); err != nil {
				t.Error(err)
			}
			if err := b.outbox.Put(t.Context(), transfer("s", "e2")); err != nil {
				t.Error(err)
			}
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, a, b := two(t)
			tr := transfer("s", "e")
			if err := a.outbox.prepare(t.Context(), tr); err != nil {
				t.Fatal(err)
			}
			test.between(t, b)
			a.outbox.takeBack(t.Context(), tr)
			if !test.left {
				mustTakeNone(t, b)
				if list, err := b.outbox.List(t.Context()); len(list) != 0 || err != nil {
					t.Errorf("%d left, %v", len(list), err)
				}
				return
			}
			mustTake(t, b)
			a.outbox.takeBack(t.Context(), tr) // again, because the answer to the first was lost
			mustTakeNone(t, a)
		})
	}
}

// The conversation is saved and the customer answered: what is not published because
// Redis goes away just then must be tried when its lease ends.
func TestOutbox_thatCouldNotBePublished_isTakenOver(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.mustEscalate("loads the scripts", "w")
	if err := o.Delete(t.Context(), o.take()); err != nil {
		t.Fatal(err)
	}
	o.wire.loseAnswerOf(storeSource) // it is carried out …
	o.mustEscalate("answer lost", "e1")
	o.back()
	if tr := o.take(); tr.Episode != "e1" {
		t.Errorf("taken %s", tr.Episode)
	}
	tr := transfer("not published", "e2") // … or not
	if err := o.outbox.prepare(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	o.wire.cutOff(true)
	o.outbox.publish(t.Context(), tr)
	o.wire.cutOff(false)
	if n := do(t, raw(t, server), "ZADD", o.client.keys.outbox()[3], "XX", "CH", 1, tr.ID); n != int64(1) {
		t.Fatal("it has no lease")
	}
	o.outbox.renew(t.Context())
	if got := o.take(); got.Episode != "e2" || !got.OutcomeUnknown {
		t.Errorf("taken %+v", got)
	}
}

// A customer must not wait for a lease to run out when Redis was away for a moment only.
func TestOutbox_thatCouldNotBePublished_isPublishedWhenRedisIsBack(t *testing.T) {
	for counts, want := range map[bool]string{true: "e", false: ""} {
		o := join(t, redistest.Start(t), apps.Add(1))
		tr := transfer("s", "e")
		if err := o.outbox.prepare(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		o.wire.cutOff(true)
		o.outbox.publish(t.Context(), tr)
		o.wire.cutOff(false)
		counted := func(context.Context, string) (bool, error) { return counts, nil }
		if err := o.outbox.dropOrphans(t.Context(), counted); err != nil {
			t.Fatal(err)
		}
		got, _, err := o.outbox.Take(t.Context(), time.Now())
		if err != nil || (got == nil) != (want == "") || got != nil && got.Episode != want {
			t.Errorf("its conversation counts on it %v: taken %+v, %v", counts, got, err)
		}
	}
}

func TestOutbox_prepared_isItsReplicasUntilPublished(t *testing.T) {
	server, a, b := two(t)
	tr := transfer("s", "e")
	if err := a.outbox.prepare(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	endLease(t, server, a, "s")
	a.outbox.renew(t.Context())
	mustTakeNone(t, b)
	a.outbox.publish(t.Context(), tr)
	if got := mustTake(t, b); got.OutcomeUnknown {
		t.Error("it was published in time, and is unsure")
	}
	if len(a.outbox.leases) != 0 {
		t.Errorf("held after publishing: %v", a.outbox.leases)
	}
}
