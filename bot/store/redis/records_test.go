package redis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

func aRecord(kind store.Kind, name, value string) store.Record {
	return store.Record{Kind: kind, Name: name, Value: []byte(value)}
}

// readRecord wants a record to be read.
func readRecord(t *testing.T, s store.Records, kind store.Kind, name string) store.Record {
	t.Helper()
	r, err := s.Record(t.Context(), kind, name)
	if err != nil {
		t.Fatalf("Record(%s, %s): %v", kind, name, err)
	}
	return r
}

func wantRecord(t *testing.T, s store.Records, kind store.Kind, name, want string) {
	t.Helper()
	if r := readRecord(t, s, kind, name); string(r.Value) != want {
		t.Errorf("the %s %s is %q, want %q", kind, name, r.Value, want)
	}
}

func TestRecords_areThoseOfAllReplicas_andOneOfSeveralPutsCounts(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b, stranger := open(t, server, app, nil).client, open(t, server, app, nil).client, open(t, server, 0, nil).client
	if err := a.PutRecords(t.Context(), aRecord(store.KindNotice, "n", "new")); err != nil {
		t.Fatal(err)
	}
	wantRecord(t, stranger, store.KindNotice, "n", "")
	atA, atB := readRecord(t, a, store.KindNotice, "n"), readRecord(t, b, store.KindNotice, "n")
	atA.Value, atB.Value = []byte("taken by a"), []byte("taken by b")
	if err := a.PutRecords(t.Context(), atA); err != nil {
		t.Error(err)
	}
	if err := b.PutRecords(t.Context(), atB); !errors.Is(err, store.ErrConflict) {
		t.Errorf("b takes what a has taken: %v", err)
	}
	wantRecord(t, b, store.KindNotice, "n", "taken by a")
}

// A Redis that was emptied counts on by its clock: a version that somebody holds does not
// come again.
func TestRecords_anEmptiedRedis_doesNotRepeatVersions(t *testing.T) {
	server := redistest.Start(t)
	c := open(t, server, 0, nil).client
	if err := c.PutRecords(t.Context(), aRecord(store.KindUser, "u", "1")); err != nil {
		t.Fatal(err)
	}
	held := readRecord(t, c, store.KindUser, "u")
	do(t, raw(t, server), "FLUSHALL")
	if err := c.PutRecords(t.Context(), aRecord(store.KindUser, "u", "2")); err != nil {
		t.Fatal(err)
	}
	if err := c.PutRecords(t.Context(), held); !errors.Is(err, store.ErrConflict) {
		t.Errorf("PutRecords of what was held = %v", err)
	}
}

func TestRecords_overTheCap_areCounted_andPagesAreListedInOrder(t *testing.T) {
	server := redistest.Start(t)
	const most, more = 2*recordPage + 10, 5
	evicted := 0
	c, err := New(Options{URL: server.URL(), App: apps.Add(1), MaxUsers: most, Evicted: func(store.Kind) { evicted++ }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for n := 0; n < most+more; n += more {
		var some []store.Record
		for i := range more {
			some = append(some, aRecord(store.KindUser, strconv.Itoa(n+i), "x"))
		}
		if err := c.PutRecords(t.Context(), some...); err != nil {
			t.Fatal(err)
		}
	}
	all, err := c.Records(t.Context(), store.KindUser)
	if err != nil || len(all) != most || evicted != more {
		t.Fatalf("%d listed, %d evicted, %v", len(all), evicted, err)
	}
	for i, r := range all {
		if r.Name != strconv.Itoa(i+more) {
			t.Fatalf("place %d has %s", i, r.Name)
		}
	}
}

// A value of somebody else under a key of the records is found before anything is written:
// the change is not kept by half.
func TestRecords_strangersValueUnderAKey_keepsNothing_andIsTold(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	k := newKeys(0)
	kinds := map[string]string{k.version(): "string"}
	for i, key := range k.records(store.KindUser) {
		kinds[key] = []string{"hash", "zset", "zset"}[i]
	}
	for key, ours := range kinds {
		for _, kind := range []string{"string", "list", "hash", "zset"} {
			if kind == ours {
				continue
			}
			d := open(t, server, 0, nil)
			plant(t, c, strings.Replace(key, "escalator:0:", string(d.client.keys), 1), kind)
			if err := d.client.PutRecords(t.Context(), aRecord(store.KindUser, "u", "x")); !errors.Is(err, store.ErrSkipped) {
				t.Errorf("%s is a %s: PutRecords = %v", key, kind, err)
			}
			err := d.conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
				return store.Effect{Records: []store.Record{aRecord(store.KindWords, "w", "x"), aRecord(store.KindUser, "u", "x")}}, nil
			})
			var phase rules.Phase
			_ = d.conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
			if !errors.Is(err, store.ErrSkipped) || phase != rules.PhaseBot || !strings.Contains(strings.Join(d.problems, "\n"), "is not ours") {
				t.Errorf("%s is a %s: Update = %v, phase %s, reported %q", key, kind, err, phase, d.problems)
			}
		}
	}
}

func TestRecords_damagedOnes_areTold_andStartAfresh(t *testing.T) {
	server := redistest.Start(t)
	for _, value := range []string{"", "x", "1|", "|1|x", "1|x|y", "-1|0|x", strings.Repeat("9", 40) + "|0|x"} {
		d := open(t, server, 0, nil)
		if err := d.client.PutRecords(t.Context(), aRecord(store.KindUser, "u", "1"), aRecord(store.KindUser, "v", "1")); err != nil {
			t.Fatal(err)
		}
		do(t, raw(t, server), "HSET", d.client.keys.records(store.KindUser)[0], "u", value)
		wantRecord(t, d.client, store.KindUser, "u", "")
		if all, err := d.client.Records(t.Context(), store.KindUser); err != nil || len(all) != 1 {
			t.Errorf("%.20q: listed %v, %v", value, all, err)
		}
		if err := d.client.PutRecords(t.Context(), aRecord(store.KindUser, "u", "2")); err != nil && value != strings.Repeat("9", 40)+"|0|x" {
			t.Errorf("%.20q: PutRecords = %v", value, err)
		}
		if len(d.problems) != 1 || !strings.Contains(d.problems[0], "cannot be read") {
			t.Errorf("%.20q: reported %q", value, d.problems)
		}
	}
}

func TestRecords_aFullRedis_keepsNothing(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server, 0, nil)
	if err := d.client.PutRecords(t.Context(), aRecord(store.KindUser, "u", "1")); err != nil {
		t.Fatal(err)
	}
	kept := readRecord(t, d.client, store.KindUser, "u")
	server.Set("maxmemory", "1")
	gone := kept
	gone.Value = nil
	for _, records := range [][]store.Record{{gone}, {gone, aRecord(store.KindWords, "w", "x")}} {
		if err := d.client.PutRecords(t.Context(), records...); !errors.Is(err, store.ErrAway) {
			t.Errorf("PutRecords = %v, want ErrAway", err)
		}
	}
	server.Set("maxmemory", "0")
	if r := readRecord(t, d.client, store.KindUser, "u"); r.Version != kept.Version {
		t.Errorf("it is now %+v", r)
	}
}

// A conflict leaves the alarm that the conversation wants.
func TestRecords_aConflict_leavesTheAlarm(t *testing.T) {
	server := redistest.Start(t)
	alarm := time.Now().Add(time.Hour)
	d := openWith(t, server, 0, nil, store.Alarms{Next: func(c *rules.Conversation) time.Time {
		if c.Phase() == rules.PhaseBot {
			return time.Time{}
		}
		return alarm
	}})
	update := func(kind rules.EventKind, records ...store.Record) error {
		return d.conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(kind, time.Now(), time.Time{})
			return store.Effect{Records: records}, nil
		})
	}
	if err := update(rules.EventTransferring, aRecord(store.KindUser, "u", "x")); err != nil {
		t.Fatal(err)
	}
	if err := update(rules.EventClosed, aRecord(store.KindUser, "u", "y")); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Update = %v, want ErrConflict", err)
	}
	if score, err := raw(t, server).ZScore(t.Context(), d.client.keys.alarms(), "s").Result(); err != nil || int64(score) != alarm.UnixMilli() {
		t.Errorf("the alarm is at %v, %v, want %d", score, err, alarm.UnixMilli())
	}
}

// BenchmarkRecords tells the memory that Redis takes for a user of 160 bytes. Run it with a
// fixed number, such as -benchtime 100000x.
func BenchmarkRecords(b *testing.B) {
	server := redistest.Start(b)
	c := open(b, server, 0, nil).client
	value := make([]byte, 160)
	before := usedMemory(b, server)
	for n := range b.N {
		r := store.Record{Kind: store.KindUser, Name: fmt.Sprintf("user-%015d", n), Value: value, Until: time.Now().Add(time.Hour)}
		if err := c.PutRecords(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric((usedMemory(b, server)-before)/float64(b.N), "B/user")
}
