package redis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

func TestReplica_savesWhileRedisIsAwayAndTheDiskIsFull_keepsTheTransferInRedis(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.mustEscalate("s", "e")
	taken := o.take()
	server.ReadOnly(true)
	full := errors.New("no space left")
	o.disk.fill(full)
	if err := o.Save(t.Context(), taken); !errors.Is(err, full) {
		t.Errorf("Save = %v, want %v", err, full)
	}
	server.ReadOnly(false)
	o.back()
	if kept, err := o.Get(t.Context(), "s"); err != nil || kept.Episode != "e" {
		t.Errorf("the transfer is lost: %+v, %v", kept, err)
	}
}

func TestOutbox_takeBack_leavesAloneWhatAnotherReplicaTookOver(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := open(t, server, app, nil), open(t, server, app, nil)
	tr := transfer("s", "e")
	if err := a.outbox.prepare(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	do(t, raw(t, server), "ZADD", a.client.keys.outbox()[3], 1, "s") // the lease runs out
	if got, _, err := b.outbox.Take(t.Context(), time.Now()); err != nil || got == nil || !got.OutcomeUnknown {
		t.Fatalf("Take by the other = %+v, %v; want it, unsure", got, err)
	}
	a.outbox.takeBack(t.Context(), tr)
	if got, _, err := a.outbox.Take(t.Context(), time.Now()); got != nil || err != nil {
		t.Errorf("Take = %+v, %v: two attempts of one conversation at a time", got, err)
	}
	if err := b.outbox.Save(t.Context(), tr); err != nil {
		t.Errorf("Save by the one that took over: %v", err)
	}
}

// TestConversations_whoseSavingIsInDoubt_areNotLeftTransferring loses the
// answer of Redis to a save. The replica decides anew from what it knows itself,
// which is less: here it does not escalate.
func TestConversations_whoseSavingIsInDoubt_areNotLeftTransferring(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.mustEscalate("loads the scripts", "w")
	if err := o.Delete(t.Context(), o.take()); err != nil {
		t.Fatal(err)
	}
	first := true
	o.wire.loseAnswerOf(saveSource)
	err := o.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		if !first {
			return store.Effect{}, nil
		}
		first = false
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		return store.Effect{Transfer: transfer("s", "e")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.back()
	if got := o.take(); got.Episode != "e" || !got.OutcomeUnknown {
		t.Errorf("taken = %+v, want e, unsure", got)
	}
}

func TestConversations_notSavedForSure_takeTheirTransferBack(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.mustEscalate("loads the scripts", "w")
	if err := o.Delete(t.Context(), o.take()); err != nil {
		t.Fatal(err)
	}
	o.wire.loseAnswerOf(putSource)
	if _, err := o.escalate(t.Context(), "s", "e"); err != nil {
		t.Fatal(err)
	}
	o.back()
	got := o.take()
	if got.ID != "s" || !got.OutcomeUnknown {
		t.Errorf("taken = %+v, want that of the local fallback, unsure", got)
	}
	if err := o.Delete(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if list, err := o.List(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("left: %+v, %v", list[0], err)
	}
}

func TestRateLimiter_damaged_neitherStopsDeliveryNorCutsTheReplicaOff(t *testing.T) {
	for _, value := range []string{"stranger", "9e99", "99999999999999999999", "", "nan", "-5"} {
		t.Run(value, func(t *testing.T) {
			server := redistest.Start(t)
			o := join(t, server, apps.Add(1))
			p := o.RateLimiter()
			p.SetRate(1000, time.Second)
			do(t, raw(t, server), "SET", o.client.keys.rate(), value)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := p.Wait(ctx); err != nil {
				t.Errorf("Wait: %v", err)
			}
			if !o.Sharing() {
				t.Error("the replica was cut off from Redis")
			}
		})
	}
}

func TestDedup_emptyValueOfAStranger_isWrittenOver(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server, 0, nil)
	do(t, raw(t, server), "SET", d.client.keys.callback("k", "s"), "")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if c, err := d.dedup.Claim(ctx, "k", "s"); !c.First || err != nil {
		t.Errorf("Claim = %+v, %v", c, err)
	}
}

// TestReplica_whenRedisStops_callbacksOfOneConversationAreAnsweredTogether has
// many callbacks wait for each other on one conversation when Redis stops.
func TestReplica_whenRedisStops_callbacksOfOneConversationAreAnsweredTogether(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.observe("s", rules.EventUserMessage)
	server.Pause()
	defer server.Continue()
	began := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { o.observe("s", rules.EventUserMessage) })
	}
	all.Wait()
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestNew_ofAWrongAddress_tellsNoPartOfThePassword(t *testing.T) {
	const secret = "hunter2"
	for _, url := range []string{
		"redis://u:hun%zzter2@h:6379", "redis://u:hunter2/x@h:6379", "redis://:hunter2#x@h", "redis://:1/hunter2@h", "redis://h/hunter2",
		"redis://:1?hunter2=1@h", "http://u:hunter2@h", "hunter2", "hunter2://h", "redis://u:hunter2@h:port", "redis://h:1\nhunter2", "redis://h:1/0?hunter2=1",
	} {
		_, err := New(Options{URL: url})
		if _, ok := errors.AsType[*ConfigError](err); !ok {
			t.Errorf("%q: %v, want a *ConfigError", url, err)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "zz") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestConversations_changedByAnotherReplicaSinceTheClaim_areReadAnew(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	if c, err := a.Claim(t.Context(), "k", "s"); !c.First || err != nil {
		t.Fatal(c, err)
	}
	b.observe("s", rules.EventWithHuman)
	if got := a.phase("s"); got != rules.PhaseHuman {
		t.Errorf("phase = %s: a state from before the other's change", got)
	}
}

func TestConversations_thatOthersChangeAllTheTime_doNotCutTheReplicaOff(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	tries := 0
	err := a.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		tries++
		b.observe("s", []rules.EventKind{rules.EventWithHuman, rules.EventClosed}[tries%2])
		// Each close begins anew, so there is always something to save.
		c.Observe(rules.EventClosed, time.Now(), time.Time{})
		return store.Effect{}, nil
	})
	if !a.Sharing() {
		t.Error("the replica was cut off from Redis")
	}
	if !errors.Is(err, errOvertaken) || errors.Is(err, store.ErrAway) {
		t.Errorf("Update = %v after %d tries", err, tries)
	}
}

func TestOutbox_take_whoseCallerStops_isCarriedOut(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server, 0, nil)
	if err := d.outbox.Put(t.Context(), transfer("s", "e")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	server.Pause()
	go func() { cancel(); server.Continue() }()
	got, _, err := d.outbox.Take(ctx, time.Now())
	if got == nil && err == nil {
		t.Error("Take found nothing")
	}
	if leased := do(t, raw(t, server), "ZCARD", d.client.keys.outbox()[3]); err != nil && leased != int64(0) {
		t.Errorf("Take = %v, and the transfer is leased to nobody", err)
	}
}

func TestReplica_supersedesWhatWaitsInItsLocalOutbox(t *testing.T) {
	for _, state := range []store.TransferState{store.Waiting, store.GivenUp} {
		t.Run(state.String(), func(t *testing.T) {
			o := join(t, redistest.Start(t), apps.Add(1))
			left := transfer("s", "old")
			left.State, left.Until, left.Due = state, time.Now().Add(time.Hour), time.Now().Add(time.Minute)
			if err := o.disk.Put(t.Context(), left); err != nil {
				t.Fatal(err)
			}
			o.mustEscalate("s", "new")
			if list, err := o.List(t.Context()); len(list) != 1 || list[0].Episode != "new" || err != nil {
				t.Errorf("%d transfers, %v; want the new one", len(list), err)
			}
		})
	}
}

func TestReplica_withATransferOnItsWayInItsLocalOutbox_decidesNoSecond(t *testing.T) {
	o := join(t, redistest.Start(t), apps.Add(1))
	if err := o.disk.Put(t.Context(), transfer("s", "old")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.escalate(t.Context(), "s", "new"); !errors.Is(err, store.ErrPending) {
		t.Errorf("Update = %v, want ErrPending", err)
	}
	if err := o.Put(t.Context(), transfer("s", "new")); !errors.Is(err, store.ErrPending) {
		t.Errorf("Put = %v, want ErrPending", err)
	}
}

func TestReplica_takesBackWhatABlipLeftBehind(t *testing.T) {
	o := join(t, redistest.Start(t), apps.Add(1))
	o.outbox.orphan(transfer("s", "e"))
	eventually(t, "dropping the orphan without an outage", func() bool {
		o.outbox.mu.Lock()
		defer o.outbox.mu.Unlock()
		return len(o.outbox.orphans) == 0
	})
}

func TestConnect_asAUserWhoMayNotDoEverything_isRefused(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	for _, lacks := range []string{"eval", "evalsha", "zadd", "zrangebyscore", "hset", "hdel", "getrange", "set", "pexpire", "time", "hgetall"} {
		t.Run(lacks, func(t *testing.T) {
			do(t, c, "ACL", "SETUSER", "weak", "reset", "on", ">pw", "~*", "+@all", "-"+lacks)
			o := makeReplica(t, strings.Replace(server.URL(), "redis://", "redis://weak:pw@", 1), apps.Add(1))
			var config *ConfigError
			if err := o.connect(); !errors.As(err, &config) {
				t.Errorf("Connect = %v, want a *ConfigError", err)
			}
		})
	}
}

// TestDedup_claimedForNoConversation_areNotSavedWithOne is about callbacks whose
// conversation is not known when they are claimed.
func TestDedup_claimedForNoConversation_areNotSavedWithOne(t *testing.T) {
	o := join(t, redistest.Start(t), apps.Add(1))
	if c, err := o.Claim(t.Context(), "k", ""); !c.First || err != nil {
		t.Fatal(c, err)
	}
	err := o.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
		return store.Effect{DedupKey: "k", Answer: []byte("ok")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Finish(t.Context(), "k", []byte("ok"))
	o.wire.oneSlot(t)
	if c, err := o.dedup.Claim(t.Context(), "k", ""); string(c.Answer) != "ok" || c.First || err != nil {
		t.Errorf("a copy got %+v, %v", c, err)
	}
}
