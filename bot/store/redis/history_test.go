package redis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
)

var plenty = store.HistoryBounds{For: time.Hour, Max: 1 << 20, Bytes: 1000}

// keepRows keeps a text of 10 bytes a row.
func (o *one) keepRows(bounds store.HistoryBounds, rows ...store.HistoryRow) {
	o.t.Helper()
	if err := o.AppendHistory(o.t.Context(), rows, bounds); err != nil {
		o.t.Fatal(err)
	}
}

func row(session, user string, n int) store.HistoryRow {
	return store.HistoryRow{Session: session, User: user, At: time.Now(), Data: fmt.Appendf(nil, "%s-%08d", session[:1], n)}
}

func (o *one) history(session string) (texts []string) {
	o.t.Helper()
	entries, err := o.History(o.t.Context(), session)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		texts = append(texts, string(e))
	}
	return texts
}

func TestHistory_whatOneReplicaKeeps_othersRead_inOneRoundTrip(t *testing.T) {
	server := redistest.Start(t)
	a, b := join(t, server, 1), join(t, server, 1)
	a.keepRows(plenty, row("s1", "", 1), row("t{|/", "wang", 2), row("s1", "li", 3))
	a.wire.since()
	a.keepRows(plenty, row("s1", "", 4), row("t{|/", "wang", 5))
	if trips := a.wire.since(); len(trips) != 1 {
		t.Errorf("round trips: %q", trips)
	}
	if got := b.history("s1"); !slices.Equal(got, []string{"s-00000001", "s-00000003", "s-00000004"}) {
		t.Errorf("s1: %q", got)
	}
	if got := b.history("t{|/"); len(got) != 2 {
		t.Errorf("t: %q", got)
	}
	if last, err := b.HistoryOf(t.Context(), "li"); string(last) != "s-00000004" || err != nil {
		t.Errorf("of li: %q %v", last, err)
	}
	if last, err := b.HistoryOf(t.Context(), "nobody"); last != nil || err != nil {
		t.Errorf("of nobody: %q %v", last, err)
	}
	if got := join(t, server, 2).history("s1"); got != nil {
		t.Errorf("another app sees %q", got)
	}
}

func TestHistory_ofOneConversation_keepsTheNewest(t *testing.T) {
	o := join(t, redistest.Start(t), 1)
	bounds := plenty
	bounds.Bytes = 35
	for n := range 10 {
		o.keepRows(bounds, row("s", "li", n))
	}
	if got := o.history("s"); !slices.Equal(got, []string{"s-00000007", "s-00000008", "s-00000009"}) {
		t.Errorf("by bytes: %q", got)
	}
	for n := range maxHistoryEntries + 5 {
		o.keepRows(store.HistoryBounds{For: time.Hour, Max: 1 << 20, Bytes: 1 << 20}, row("t", "li", n))
	}
	if got := o.history("t"); len(got) != maxHistoryEntries || got[0] != "t-00000005" {
		t.Errorf("%d entries from %q", len(got), got[0])
	}
}

func TestHistory_ofAll_losesTheOldestConversation(t *testing.T) {
	o := join(t, redistest.Start(t), 1)
	bounds := plenty
	bounds.Max = 100
	now := time.Now()
	o.client.now = func() time.Time { return now }
	for n := range 30 {
		now = now.Add(time.Second)
		o.keepRows(bounds, row(fmt.Sprint("s", n), "li", n))
	}
	kept := 0
	for n := range 30 {
		got := o.history(fmt.Sprint("s", n))
		if len(got) > 0 != (n >= 20) {
			t.Errorf("s%d: %q", n, got)
		}
		kept += 10 * len(got)
	}
	if bytes, err := o.client.rdb.Get(t.Context(), o.client.keys.history("")[3]).Int(); bytes != kept || err != nil {
		t.Errorf("%d bytes counted, %d are there: %v", bytes, kept, err)
	}
	now = now.Add(2 * time.Hour)
	o.keepRows(bounds, row("new", "li", 1))
	if n, err := o.client.rdb.HLen(t.Context(), o.client.keys.history("")[1]).Result(); n != 1 || err != nil {
		t.Errorf("%d conversations are left of those that are too old: %v", n-1, err)
	}
}

func TestHistory_ofAUser_isForgotten(t *testing.T) {
	o := join(t, redistest.Start(t), 1)
	o.keepRows(plenty, row("a", "li", 1), row("b", "", 1), row("b", "li", 2), row("c", "wang", 1), row("d", "", 1))
	for name, want := range map[string]int{"li": 2, "d": 1, "nobody": 0} {
		if n, err := o.ForgetHistory(t.Context(), name); n != want || err != nil {
			t.Errorf("%s: %d %v", name, n, err)
		}
	}
	keys, err := o.client.rdb.Keys(t.Context(), "*{history}*").Result()
	if slices.Sort(keys); err != nil || strings.Join(keys, " ") != "escalator:1:{history}:bytes escalator:1:{history}:e:c escalator:1:{history}:of escalator:1:{history}:order escalator:1:{history}:u:wang" {
		t.Errorf("%q %v", keys, err)
	}
	for _, key := range keys {
		if life, err := o.client.rdb.TTL(t.Context(), key).Result(); life <= 0 || err != nil {
			t.Errorf("%s does not expire: %v %v", key, life, err)
		}
	}
}

func TestHistory_whileRedisIsAway_saysSo(t *testing.T) {
	o := join(t, redistest.Start(t), 1)
	o.wire.cutOff(true)
	for range 2 {
		if err := o.AppendHistory(t.Context(), []store.HistoryRow{row("s", "li", 1)}, plenty); !errors.Is(err, store.ErrAway) {
			t.Error(err)
		}
	}
	if _, err := o.History(t.Context(), "s"); !errors.Is(err, store.ErrAway) {
		t.Error(err)
	}
}

func TestHistory_ofAllSessions_isReadSinceATime(t *testing.T) {
	o := join(t, redistest.Start(t), 1)
	const sessions = 250 // more than are read in a round trip
	for i := range sessions {
		o.keepRows(plenty, row(fmt.Sprintf("s%03d", i), "", i), row(fmt.Sprintf("s%03d", i), "", 1000+i))
	}
	read := func(since time.Time, most int) (entries []string, whole bool) {
		t.Helper()
		whole, err := o.EachHistory(t.Context(), since, func(entry []byte) bool {
			entries = append(entries, string(entry))
			return len(entries) < most
		})
		if err != nil {
			t.Fatal(err)
		}
		return entries, whole
	}
	all, whole := read(time.Now().Add(-time.Minute), 1000)
	slices.Sort(all)
	if len(slices.Compact(all)) != 2*sessions || !whole {
		t.Errorf("%d entries, whole %t", len(all), whole)
	}
	if some, whole := read(time.Time{}, 10); len(some) != 10 || whole {
		t.Errorf("it was to stop at 10: %d, whole %t", len(some), whole)
	}
	if none, whole := read(time.Now().Add(time.Minute), 1000); len(none) != 0 || !whole {
		t.Errorf("of the future: %d", len(none))
	}
}
