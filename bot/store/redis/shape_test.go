package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// callback does what the bot does with one: claim, update, finish.
type callback struct {
	key, id   string
	escalates bool
	timed     bool // it wants to be woken at alarm
	alarm     time.Time
	records   []store.Record
}

func (c callback) to(t *testing.T, o *one) (first bool) {
	t.Helper()
	o.alarm.Store(nil)
	if c.timed {
		o.alarm.Store(&c.alarm)
	}
	claim, err := o.Claim(t.Context(), c.key, c.id)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if !claim.First {
		if string(claim.Answer) != "ok" {
			t.Errorf("a copy got %q", claim.Answer)
		}
		return false
	}
	err = o.Update(t.Context(), c.id, func(conversation *rules.Conversation) (store.Effect, error) {
		f := store.Effect{DedupKey: c.key, Answer: []byte("ok"), Records: c.records}
		if c.timed {
			conversation.Observe(rules.EventTransferring, time.Now(), time.Time{})
		}
		if c.escalates {
			conversation.Observe(rules.EventTransferring, time.Now(), time.Time{})
			f.Transfer = transfer(c.id, "of "+c.key)
		}
		return f, nil
	})
	if err != nil {
		t.Fatalf("Update(%q): %v", c.id, err)
	}
	o.Finish(t.Context(), c.key, []byte("ok"))
	return true
}

func TestReplica_callbacks_costFewRoundTrips(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	for n, timed := range []bool{false, true} { // loads the scripts
		callback{key: fmt.Sprint("warm", n), id: fmt.Sprint("warm", n), escalates: true, timed: timed, alarm: time.Now()}.to(t, a)
		callback{key: fmt.Sprint("warmer", n), id: fmt.Sprint("warmer", n), records: []store.Record{aRecord(store.KindUser, fmt.Sprint("warm", n), "x")}}.to(t, a)
	}
	n := 0
	for _, timed := range []bool{false, true} {
		for _, escalates := range []bool{false, true} {
			for _, known := range []bool{false, true, true, false} {
				n++
				c := callback{key: fmt.Sprint("k", n), id: name(n), escalates: escalates, timed: timed, alarm: time.Now().Add(time.Hour)}
				if n%2 == 0 { // what is kept beside it costs none
					c.records = []store.Record{aRecord(store.KindUser, c.id, "x"), aRecord(store.KindWords, c.id, "x")}
				}
				if known {
					callback{key: "earlier " + c.key, id: c.id}.to(t, b)
				}
				label := fmt.Sprintf("timed %v, escalates %v, known %v, records %d", timed, escalates, known, len(c.records))
				budget := 2
				if escalates {
					budget = 4
				}
				a.wire.since()
				c.to(t, a)
				wantTrips(t, label, a.wire.since(), budget)
				c.to(t, a)
				wantTrips(t, label+", a copy to the same replica", a.wire.since(), 0)
				b.wire.since()
				c.to(t, b)
				wantTrips(t, label+", a copy to another", b.wire.since(), 1)
			}
		}
	}
}

func wantTrips(t *testing.T, what string, trips []string, most int) {
	t.Helper()
	if len(trips) > most {
		t.Errorf("%s: %d round trips (%s), want at most %d", what, len(trips), strings.Join(trips, ", "), most)
	}
	t.Logf("%s: %d", what, len(trips))
}

func TestReplica_afterRedisForgotItsScripts_worksOn(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	c := raw(t, server)
	for n, timed := range []bool{true, false, true} {
		do(t, c, "SCRIPT", "FLUSH")
		callback{key: fmt.Sprint("k", n), id: name(n), escalates: true, timed: timed, alarm: time.Now().Add(time.Hour)}.to(t, o)
		do(t, c, "SCRIPT", "FLUSH")
		if err := o.Save(t.Context(), o.take()); err != nil {
			t.Error(err)
		}
		do(t, c, "SCRIPT", "FLUSH")
		if err := o.Delete(t.Context(), o.take()); err != nil {
			t.Error(err)
		}
	}
	if !o.Sharing() {
		t.Error("the replica was cut off from Redis")
	}
}

// TestReplica_whateverAConversationIsCalled_keysExpire_andEachScriptIsInOneSlot
// does everything once for ids that could break a key or a record.
func TestReplica_whateverAConversationIsCalled_keysExpire_andEachScriptIsInOneSlot(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	o := join(t, server, app)
	c := raw(t, server)
	limiter := o.RateLimiter()
	limiter.SetRate(1000, time.Second)
	for n, id := range hostileIDs {
		key := fmt.Sprint("k", n)
		callback{key: key, id: id, escalates: true, timed: true, alarm: time.Now().Add(-time.Hour)}.to(t, o)
		callback{key: key, id: id, timed: true, alarm: time.Now().Add(-time.Hour)}.to(t, o)
		if p := o.phase(id); p != rules.PhaseQueued {
			t.Errorf("%.40q: phase = %s", id, p)
		}
		o.alarm.Store(nil)
		ends := aRecord(store.KindWords, id[:min(len(id), 1000)], "x")
		ends.Until = time.Now().Add(time.Hour)
		callback{key: "more" + key, id: id + "?", records: []store.Record{aRecord(store.KindUser, ends.Name, "x"), ends}}.to(t, o)
		lifeOfATransfer(t, o, id)
		if claim, err := o.Claim(t.Context(), "released"+key, id); !claim.First || err != nil {
			t.Errorf("%.40q: Claim = %+v, %v", id, claim, err)
		}
		if n%2 == 0 {
			o.Release(t.Context(), "released"+key)
		}
		do(t, c, "SET", o.client.keys.conversation(id+"!"), "damaged")
		o.observe(id+"!", rules.EventWithHuman)
		if err := limiter.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := o.PutMutes(t.Context(), map[string]string{id: "mute"}); err != nil {
			t.Error(err)
		}
	}
	if ids, err := o.Overdue(t.Context()); err != nil || len(ids) != len(hostileIDs) {
		t.Errorf("overdue: %d of %d, %v", len(ids), len(hostileIDs), err)
	}
	o.mustEscalate("pending", "e")
	o.wire.oneSlot(t)
	wantTidy(t, c, app)
}

// lifeOfATransfer takes the one that there is through all its states, and leaves
// it given up.
func lifeOfATransfer(t *testing.T, o *one, id string) {
	t.Helper()
	tr := o.take()
	if tr.ID != id {
		t.Fatalf("taken: %.40q, want %.40q", tr.ID, id)
	}
	o.outbox.renew(t.Context())
	tr.State, tr.Until, tr.Due = store.Waiting, time.Now().Add(time.Hour), time.Now().Add(time.Minute)
	if err := o.Save(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	if err := o.Reschedule(t.Context(), id, time.Now()); err != nil {
		t.Errorf("Reschedule(%.40q): %v", id, err)
	}
	tr = o.take()
	tr.State, tr.Due = store.GivenUp, time.Now()
	if err := o.Save(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	if kept, err := o.Get(t.Context(), id); err != nil || kept.State != store.GivenUp {
		t.Errorf("Get(%.40q) = %+v, %v", id, kept, err)
	}
}

// wantTidy wants every key to expire, and to carry the prefix and a hash tag.
func wantTidy(t *testing.T, c *redis.Client, app uint64) {
	t.Helper()
	prefix := fmt.Sprintf("escalator:%d:{", app)
	keys := allKeys(t, c)
	if len(keys) < 5 {
		t.Errorf("only %d keys", len(keys))
	}
	for _, key := range keys {
		rest, ours := strings.CutPrefix(key, prefix)
		if end := strings.IndexByte(rest, '}'); !ours || end < 1 || strings.IndexByte(rest[:end], '{') >= 0 {
			t.Errorf("the key %.80q has no prefix or no hash tag", key)
		}
		if ttl, err := c.PTTL(t.Context(), key).Result(); err != nil || ttl <= 0 {
			t.Errorf("the key %.80q expires in %s, %v", key, ttl, err)
		}
	}
}

func TestSlot_isTheOneOfRedis(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes")
	c := raw(t, server)
	for _, key := range []string{"", "a", "{a}b", "a{}b", "a{b", "x{y}{z}", "escalator:1:{客户}:c"} {
		if want := do(t, c, "CLUSTER", "KEYSLOT", key); int64(slot(key)) != want {
			t.Errorf("slot(%q) = %d, want %d", key, slot(key), want)
		}
	}
}
