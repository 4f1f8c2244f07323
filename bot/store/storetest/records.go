package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"escalator/bot/store"
	"escalator/rules"
)

// RecordCap is the cap of users that the suite for records wants.
const RecordCap = 20

// Records runs the suite for records; open returns new and empty stores that keep
// RecordCap users, and what makes time pass for them.
func Records(t *testing.T, open func(t *testing.T) (s Stores, pass func(time.Duration))) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Stores){
		"one that is not there has no value and no version":          knowsNone,
		"keeps what was put, and kinds apart":                        keepsRecord,
		"keeps its own copy":                                         keepsOwnRecord,
		"takes the version that was read, and no other":              takesVersion,
		"a name that was removed does not get its old version again": neverRepeatsVersion,
		"keeps all of several, or nothing":                           keepsAllOrNothing,
		"lists a kind, that first which was put least recently":      listsByPut,
		"over the cap that goes which was put least recently":        keepsToCap,
		"of many writers each change counts once":                    countsEachWrite,
		"refuses what nobody could keep":                             refusesRecords,
		"puts the records of a change with it":                       putsWithChange,
		"a conflict keeps nothing of the change":                     conflictKeepsNothing,
		"a change that fails keeps no record":                        failureKeepsNoRecord,
		"a transfer that is refused keeps no record":                 refusedKeepsNoRecord,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t)
			test(t, s)
		})
	}
	t.Run("forgets what is over", func(t *testing.T) {
		s, pass := open(t)
		forgetsInTime(t, s.Records, pass)
	})
}

func user(name, value string) store.Record {
	return store.Record{Kind: store.KindUser, Name: name, Value: []byte(value)}
}

func putRecords(t *testing.T, s store.Records, records ...store.Record) {
	t.Helper()
	if err := s.PutRecords(t.Context(), records...); err != nil {
		t.Fatalf("PutRecords: %v", err)
	}
}

func record(t *testing.T, s store.Records, kind store.Kind, name string) store.Record {
	t.Helper()
	r, err := s.Record(t.Context(), kind, name)
	if err != nil || r.Kind != kind || r.Name != name {
		t.Fatalf("Record(%s, %s) = %+v, %v", kind, name, r, err)
	}
	return r
}

func wantValue(t *testing.T, s store.Records, kind store.Kind, name, want string) {
	t.Helper()
	if r := record(t, s, kind, name); string(r.Value) != want || (r.Version != 0) != (r.Value != nil) {
		t.Errorf("the %s %s has the value %q and version %d, want %q", kind, name, r.Value, r.Version, want)
	}
}

func wantConflict(t *testing.T, s store.Records, records ...store.Record) {
	t.Helper()
	if err := s.PutRecords(t.Context(), records...); !errors.Is(err, store.ErrConflict) {
		t.Errorf("PutRecords = %v, want ErrConflict", err)
	}
}

func knowsNone(t *testing.T, s Stores) {
	for _, kind := range store.Kinds {
		wantValue(t, s.Records, kind, "nobody", "")
		if all, err := s.Records.Records(t.Context(), kind); err != nil || len(all) != 0 {
			t.Errorf("Records(%s) = %v, %v", kind, all, err)
		}
	}
	putRecords(t, s.Records, store.Record{Kind: store.KindUser, Name: "nobody"}) // to remove what is not there is well
	wantValue(t, s.Records, store.KindUser, "nobody", "")
}

func keepsRecord(t *testing.T, s Stores) {
	for _, kind := range store.Kinds {
		want := store.Record{Kind: kind, Name: "a:{b}\x00", Value: []byte("v\x00\xff" + kind), Until: time.UnixMilli(4e12)}
		putRecords(t, s.Records, want)
		got := record(t, s.Records, kind, want.Name)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(store.Record{}, "Version")); diff != "" || got.Version == 0 {
			t.Errorf("version %d (-want +got):\n%s", got.Version, diff)
		}
	}
	for _, kind := range store.Kinds {
		wantValue(t, s.Records, kind, "a:{b}\x00", "v\x00\xff"+string(kind))
	}
	putRecords(t, s.Records, user("empty", ""))
	if r := record(t, s.Records, store.KindUser, "empty"); r.Value == nil || r.Version == 0 || !r.Until.IsZero() {
		t.Errorf("a record whose value is empty is %+v", r)
	}
}

func keepsOwnRecord(t *testing.T, s Stores) {
	mine := user("a", "kept")
	putRecords(t, s.Records, mine)
	copy(mine.Value, "lost")
	copy(record(t, s.Records, store.KindUser, "a").Value, "lost")
	wantValue(t, s.Records, store.KindUser, "a", "kept")
}

func takesVersion(t *testing.T, s Stores) {
	putRecords(t, s.Records, user("a", "1"))
	first := record(t, s.Records, store.KindUser, "a")
	wantConflict(t, s.Records, user("a", "as if it were new"))
	next := first
	next.Value = []byte("2")
	putRecords(t, s.Records, next)
	wantConflict(t, s.Records, next)
	wantConflict(t, s.Records, store.Record{Kind: store.KindUser, Name: "a", Version: first.Version}) // nor is it removed
	wantConflict(t, s.Records, store.Record{Kind: store.KindUser, Name: "b", Value: []byte("1"), Version: first.Version})
	wantValue(t, s.Records, store.KindUser, "a", "2")
	wantValue(t, s.Records, store.KindUser, "b", "")
}

func neverRepeatsVersion(t *testing.T, s Stores) {
	seen := map[uint64]bool{}
	for range 5 {
		putRecords(t, s.Records, user("a", "x"))
		r := record(t, s.Records, store.KindUser, "a")
		if seen[r.Version] {
			t.Errorf("version %d comes again", r.Version)
		}
		seen[r.Version] = true
		r.Value = nil
		putRecords(t, s.Records, r)
		wantValue(t, s.Records, store.KindUser, "a", "")
		wantConflict(t, s.Records, r)
	}
}

func keepsAllOrNothing(t *testing.T, s Stores) {
	notice := store.Record{Kind: store.KindNotice, Name: "n", Value: []byte("n")}
	putRecords(t, s.Records, user("a", "1"), notice)
	wantConflict(t, s.Records, user("b", "1"), notice, user("c", "1"))
	for _, name := range []string{"b", "c"} {
		wantValue(t, s.Records, store.KindUser, name, "")
	}
	gone := record(t, s.Records, store.KindUser, "a")
	gone.Value = nil
	putRecords(t, s.Records, user("b", "1"), gone)
	wantValue(t, s.Records, store.KindUser, "a", "")
	wantValue(t, s.Records, store.KindUser, "b", "1")
	wantValue(t, s.Records, store.KindNotice, "n", "n")
}

// names lists a kind by the names.
func names(t *testing.T, s store.Records, kind store.Kind) []string {
	t.Helper()
	all, err := s.Records(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, 0, len(all))
	for _, r := range all {
		if r.Kind != kind || r.Version == 0 || r.Value == nil {
			t.Errorf("listed %+v", r)
		}
		list = append(list, r.Name)
	}
	return list
}

func listsByPut(t *testing.T, s Stores) {
	for _, name := range []string{"b", "a", "d", "c"} {
		putRecords(t, s.Records, user(name, "1"))
	}
	putRecords(t, s.Records, record(t, s.Records, store.KindUser, "a"))
	gone := record(t, s.Records, store.KindUser, "d")
	gone.Value = nil
	putRecords(t, s.Records, gone)
	if diff := cmp.Diff([]string{"b", "c", "a"}, names(t, s.Records, store.KindUser)); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func keepsToCap(t *testing.T, s Stores) {
	notice := store.Record{Kind: store.KindNotice, Name: "n", Value: []byte("n")}
	putRecords(t, s.Records, notice)
	for n := range RecordCap {
		putRecords(t, s.Records, user(strconv.Itoa(n), "1"))
	}
	putRecords(t, s.Records, record(t, s.Records, store.KindUser, "0"))
	first := record(t, s.Records, store.KindUser, "1")
	putRecords(t, s.Records, user("x", "1"), user("y", "1"))
	got := names(t, s.Records, store.KindUser)
	if want := RecordCap; len(got) != want || got[0] != "3" || got[want-3] != "0" || got[want-1] != "y" {
		t.Errorf("kept %v", got)
	}
	wantConflict(t, s.Records, first)
	wantValue(t, s.Records, store.KindNotice, "n", "n")
}

func countsEachWrite(t *testing.T, s Stores) {
	const writers, each = 8, 10
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for done := 0; done < each; {
				a, errA := s.Records.Record(t.Context(), store.KindUser, "a")
				b, errB := s.Records.Record(t.Context(), store.KindWords, "b")
				n, _ := strconv.Atoi(string(a.Value))
				a.Value, b.Value = strconv.AppendInt(nil, int64(n)+1, 10), strconv.AppendInt(nil, int64(n)+1, 10)
				switch err := errors.Join(errA, errB, s.Records.PutRecords(t.Context(), b, a)); {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("PutRecords: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	wantValue(t, s.Records, store.KindUser, "a", strconv.Itoa(writers*each))
	wantValue(t, s.Records, store.KindWords, "b", strconv.Itoa(writers*each))
}

func refusesRecords(t *testing.T, s Stores) {
	for _, r := range []store.Record{
		{Kind: "nonsense", Name: "a", Value: []byte("1")},
		{Kind: store.KindUser, Value: []byte("1")},
		{Kind: store.KindUser, Name: string(make([]byte, 2000)), Value: []byte("1")},
		{Kind: store.KindUser, Name: "a", Value: make([]byte, 200<<10)},
	} {
		if err := s.Records.PutRecords(t.Context(), user("b", "1"), r); err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrAway) {
			t.Errorf("PutRecords of a %s with %d and %d bytes = %v", r.Kind, len(r.Name), len(r.Value), err)
		}
	}
	wantValue(t, s.Records, store.KindUser, "b", "")
}

func forgetsInTime(t *testing.T, s store.Records, pass func(time.Duration)) {
	now := time.Now()
	r := user("a", "1")
	r.Until = now.Add(time.Hour)
	other := user("b", "1")
	other.Until = now.Add(3 * time.Hour)
	putRecords(t, s, r, other, user("c", "for ever"))
	kept := record(t, s, store.KindUser, "a")
	pass(2 * time.Hour)
	wantValue(t, s, store.KindUser, "a", "")
	if diff := cmp.Diff([]string{"b", "c"}, names(t, s, store.KindUser)); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	wantConflict(t, s, kept)
	putRecords(t, s, user("a", "another"))
	wantValue(t, s, store.KindUser, "a", "another")
	longer := record(t, s, store.KindUser, "b")
	longer.Until = now.Add(9 * time.Hour)
	putRecords(t, s, longer)
	pass(2 * time.Hour)
	wantValue(t, s, store.KindUser, "b", "1")
	if kept := record(t, s, store.KindUser, "b"); !kept.Until.Equal(longer.Until.Truncate(time.Millisecond)) {
		t.Errorf("it is kept until %s, want %s", kept.Until, longer.Until)
	}
	pass(24 * time.Hour)
	if diff := cmp.Diff([]string{"c", "a"}, names(t, s, store.KindUser)); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

// withRecords is a change that claims a callback, is away from the bot after it, and
// has a transfer and records.
func withRecords(records ...store.Record) store.Change {
	return func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, epoch, time.Time{})
		return store.Effect{Transfer: transfer("a", 0), DedupKey: "k", Answer: []byte("answer"), Records: records}, nil
	}
}

func putsWithChange(t *testing.T, s Stores) {
	claim(t, s.Dedup, "k")
	words := store.Record{Kind: store.KindWords, Name: "w", Value: []byte("words")}
	if err := s.Conversations.Update(t.Context(), "a", withRecords(user("u", "1"), words)); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s.Records, store.KindUser, "u", "1")
	wantValue(t, s.Records, store.KindWords, "w", "words")
	take(t, s.Outbox, epoch)
	for n := range 3 { // without a transfer, and over what is there
		r := record(t, s.Records, store.KindUser, "u")
		r.Value = fmt.Append(nil, n)
		if n == 2 {
			r.Value = nil
		}
		err := s.Conversations.Update(t.Context(), "a", func(*rules.Conversation) (store.Effect, error) {
			return store.Effect{Records: []store.Record{r}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantValue(t, s.Records, store.KindUser, "u", string(r.Value))
	}
}

func conflictKeepsNothing(t *testing.T, s Stores) {
	putRecords(t, s.Records, user("u", "theirs"))
	observe(t, s.Conversations, "a", rules.EventSessionBegin)
	for _, records := range [][]store.Record{{user("u", "ours"), user("v", "ours")}, {user("v", "ours"), user("u", "ours")}} {
		claim(t, s.Dedup, "k")
		if err := s.Conversations.Update(t.Context(), "a", withRecords(records...)); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Update = %v, want ErrConflict", err)
		}
		s.Dedup.Release(t.Context(), "k")
		wantPhase(t, s.Conversations, "a", rules.PhaseBot)
		takeNone(t, s.Outbox, epoch)
		wantValue(t, s.Records, store.KindUser, "u", "theirs")
		wantValue(t, s.Records, store.KindUser, "v", "")
	}
	claim(t, s.Dedup, "k") // it is the first, and was not counted
	current := record(t, s.Records, store.KindUser, "u")
	current.Value = []byte("ours")
	if err := s.Conversations.Update(t.Context(), "a", withRecords(current)); err != nil {
		t.Fatalf("Update after it was read again: %v", err)
	}
	wantPhase(t, s.Conversations, "a", rules.PhaseHuman)
	take(t, s.Outbox, epoch)
	wantValue(t, s.Records, store.KindUser, "u", "ours")
}

func failureKeepsNoRecord(t *testing.T, s Stores) {
	err := s.Conversations.Update(t.Context(), "a", func(*rules.Conversation) (store.Effect, error) {
		return store.Effect{Records: []store.Record{user("u", "1")}}, errBroken
	})
	if !errors.Is(err, errBroken) {
		t.Errorf("Update = %v", err)
	}
	wantValue(t, s.Records, store.KindUser, "u", "")
}

func refusedKeepsNoRecord(t *testing.T, s Stores) {
	put(t, s.Outbox, transfer("a", 0))
	if err := s.Conversations.Update(t.Context(), "a", withRecords(user("u", "1"))); !errors.Is(err, store.ErrPending) {
		t.Errorf("Update = %v, want ErrPending", err)
	}
	wantPhase(t, s.Conversations, "a", rules.PhaseBot)
	wantValue(t, s.Records, store.KindUser, "u", "")
	putRecords(t, s.Records, user("u", "2")) // it is not taken for ever
}
