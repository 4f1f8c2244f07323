package failover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

func aRecord(kind store.Kind, name, value string) store.Record {
	return store.Record{Kind: kind, Name: name, Value: []byte(value)}
}

// away has the shared store away for this replica, back has it return, and what is kept
// here brought.
func (r *replica) away() {
	r.t.Helper()
	r.fake.set(store.ErrAway)
	_, _ = r.Record(r.t.Context(), store.KindUser, "nobody")
	time.Sleep(3 * time.Second)
	if r.Degraded() == nil {
		r.t.Fatal("it is not away")
	}
}

func (r *replica) back() {
	r.t.Helper()
	r.fake.set(nil)
	time.Sleep(5 * time.Second)
	if !r.Sharing() {
		r.t.Fatal("it is not back")
	}
}

func (r *replica) put(records ...store.Record) {
	r.t.Helper()
	if err := r.PutRecords(r.t.Context(), records...); err != nil {
		r.t.Fatalf("PutRecords: %v", err)
	}
}

func (r *replica) read(from store.Records, kind store.Kind, name string) store.Record {
	r.t.Helper()
	got, err := from.Record(r.t.Context(), kind, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// change puts another value of a record that this replica reads; nil removes it.
func (r *replica) change(kind store.Kind, name string, value []byte) {
	r.t.Helper()
	current := r.read(r, kind, name)
	current.Value = value
	r.put(current)
}

// theirs changes a record as another replica does.
func (r *replica) theirs(kind store.Kind, name string, value []byte) {
	r.t.Helper()
	current := r.read(r.fake.records, kind, name)
	current.Value = value
	if err := r.fake.records.PutRecords(r.t.Context(), current); err != nil {
		r.t.Fatal(err)
	}
}

// want compares all that both stores have, in words: of the shared one, then of the local one.
func (r *replica) want(want string) {
	r.t.Helper()
	var got []string
	for _, s := range []store.Records{r.fake.records, r.records} {
		var some []string
		for _, kind := range store.Kinds[:5] {
			all, err := s.Records(r.t.Context(), kind)
			if err != nil {
				r.t.Fatal(err)
			}
			for _, one := range all {
				some = append(some, fmt.Sprintf("%s %s=%s", one.Kind, one.Name, one.Value))
			}
		}
		slices.Sort(some)
		got = append(got, strings.Join(some, ", "))
	}
	if got := strings.Join(got, " | "); got != want {
		r.t.Errorf("kept %s, want %s", got, want)
	}
}

func withReplica(t *testing.T, test func(t *testing.T, r *replica)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newReplica(t, store.Alarms{})
		defer r.run()()
		test(t, r)
	})
}

func TestRecords_keptWhileTheSharedStoreWasAway_areBrought(t *testing.T) {
	withReplica(t, func(_ *testing.T, r *replica) {
		r.away()
		r.put(aRecord(store.KindUser, "u", "1"), aRecord(store.KindWords, "w", "1"), aRecord(store.KindNotice, "n", "1"))
		r.put(aRecord(store.KindLease, "l", "1"), aRecord(store.KindReading, "r", "1"))
		r.change(store.KindWords, "w", []byte("2"))
		r.change(store.KindNotice, "n", nil)
		r.want(" | lease l=1, reading r=1, user u=1, words w=2")
		r.back()
		r.want("user u=1, words w=2 | ")
		if n := r.records.Len(); n != 0 {
			t.Errorf("%d records are left here", n)
		}
	})
}

// What was read from the shared store can end here, and ends there when that is back. It
// cannot go on here: another replica may be taking it.
func TestRecords_readBeforeTheSharedStoreWasAway_endButDoNotGoOn(t *testing.T) {
	end := func(r *replica, read store.Record) error { read.Value = nil; return r.PutRecords(r.t.Context(), read) }
	take := func(r *replica, read store.Record) error {
		read.Value = []byte("ours")
		return r.PutRecords(r.t.Context(), read)
	}
	theirs := func(value []byte) func(*replica) {
		return func(r *replica) { r.theirs(store.KindNotice, "n", value) }
	}
	anew := func(r *replica, read store.Record) error {
		return errors.Join(end(r, read), r.PutRecords(r.t.Context(), aRecord(store.KindNotice, "n", "anew")))
	}
	for name, c := range map[string]struct {
		here  func(r *replica, read store.Record) error
		fails bool
		there func(r *replica)
		want  string
	}{
		"taken here":                      {here: take, fails: true, want: "notice n=there | "},
		"ended here":                      {here: end, want: " | "},
		"ended here, and made anew":       {here: anew, want: "notice n=anew | "},
		"ended here, changed there":       {here: end, there: theirs([]byte("theirs")), want: "notice n=theirs | "},
		"ended on both sides":             {here: end, there: theirs(nil), want: " | "},
		"made anew here, and ended there": {here: anew, there: theirs(nil), want: "notice n=anew | "},
	} {
		t.Run(name, func(t *testing.T) {
			withReplica(t, func(t *testing.T, r *replica) {
				r.put(aRecord(store.KindNotice, "n", "there"))
				read := r.read(r, store.KindNotice, "n")
				r.away()
				if err := c.here(r, read); (err != nil) != c.fails || c.fails && !errors.Is(err, store.ErrConflict) {
					t.Errorf("here: %v", err)
				}
				if err := end(r, read); !c.fails && !errors.Is(err, store.ErrConflict) {
					t.Errorf("what was read before is put again: %v", err)
				}
				if c.fails {
					r.want("notice n=there | ")
					return
				}
				if c.there != nil {
					c.there(r)
				}
				r.back()
				r.want(c.want)
			})
		})
	}
}

// A put of which nobody knows whether the shared store kept it: the record may live on both
// sides. Nobody acts on the local one, and it does not come behind the other.
func TestRecords_aPutWhoseAnswerIsLost_isActedOnOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *replica)
		want   string
	}{
		"nothing came of it": {func(*replica) {}, "notice n=1 | "},
		"it was sent since":  {func(r *replica) { r.theirs(store.KindNotice, "n", nil) }, " | "},
		"it was taken since": {func(r *replica) { r.theirs(store.KindNotice, "n", []byte("2")) }, "notice n=2 | "},
		"it was changed here": {func(r *replica) { // as words are: they come together
			r.mergeRecord = func(_ store.Kind, ours, theirs []byte) []byte { return slices.Concat(ours, theirs) }
			r.change(store.KindNotice, "n", []byte("3"))
		}, "notice n=31 | "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplica(t, store.Alarms{}) // nothing of it runs: it stays suspect
			r.fake.loseAnswer()
			r.put(aRecord(store.KindNotice, "n", "1"))
			r.put(aRecord(store.KindNotice, "other", "1"))
			if all, err := r.Records(t.Context(), store.KindNotice); err != nil || len(all) != 1 || all[0].Name != "other" {
				t.Errorf("listed %v, %v", all, err)
			}
			r.change(store.KindNotice, "other", nil)
			c.change(r)
			r.breaker.turn(closed, nil)
			r.bringBack(t.Context())
			r.want(c.want)
		})
	}
}

// One that was not kept by the shared store is, when that is back.
func TestRecords_aPutThatFailed_isBrought(t *testing.T) {
	r := newReplica(t, store.Alarms{})
	r.fake.fail(1)
	r.put(aRecord(store.KindNotice, "n", "1"))
	r.want(" | notice n=1")
	if err := r.tidy(t.Context()); err != nil {
		t.Error(err)
	}
	r.want("notice n=1 | ")
	taken := r.read(r.fake.records, store.KindNotice, "n")
	r.breaker.turn(closed, nil)
	r.fake.loseAnswer()
	if err := r.PutRecords(t.Context(), taken); !errors.Is(err, store.ErrConflict) { // nobody knows whether it is ours
		t.Errorf("taking it, without an answer: %v", err)
	}
	r.want("notice n=1 | ")
}

// loseAnswer has the next put of records be carried out, and its answer be lost.
func (f *fake) loseAnswer() { f.mu.Lock(); defer f.mu.Unlock(); f.loseNext = 1 }

// Of two that came to be apart the func makes one; without it theirs counts, of a user that
// which was put last.
func TestRecords_apart_comeTogether(t *testing.T) {
	for _, oursLast := range []bool{false, true} {
		for _, merged := range []bool{false, true} {
			withReplica(t, func(_ *testing.T, r *replica) {
				if merged {
					r.mergeRecord = func(_ store.Kind, ours, theirs []byte) []byte { return slices.Concat(ours, []byte("+"), theirs) }
				}
				r.away()
				ours := func() { r.put(aRecord(store.KindUser, "u", "ours"), aRecord(store.KindWords, "w", "ours")) }
				theirs := func() {
					r.theirs(store.KindUser, "u", []byte("theirs"))
					r.theirs(store.KindWords, "w", []byte("theirs"))
				}
				order := []func(){ours, theirs}
				if oursLast {
					slices.Reverse(order)
				}
				for _, do := range order {
					do()
					time.Sleep(time.Second)
				}
				r.back()
				switch {
				case merged:
					r.want("user u=ours+theirs, words w=ours+theirs | ")
				case oursLast:
					r.want("user u=ours, words w=theirs | ")
				default:
					r.want("user u=theirs, words w=theirs | ")
				}
			})
		}
	}
}

// Nobody sees the shared store without what this replica has of its own.
func TestRecords_readOrPutBeforeTheyAreBrought_areBroughtFirst(t *testing.T) {
	r := newReplica(t, store.Alarms{}) // nothing of it runs
	r.breaker.refused(store.ErrAway)
	r.breaker.turn(open, store.ErrAway)
	r.put(aRecord(store.KindWords, "read", "1"), aRecord(store.KindWords, "put", "1"), aRecord(store.KindWords, "changed", "1"), aRecord(store.KindUser, "u", "1"))
	held := r.read(r, store.KindWords, "read")
	r.breaker.turn(closed, nil)
	if got := r.read(r, store.KindWords, "read"); string(got.Value) != "1" {
		t.Errorf("read %q", got.Value)
	}
	held.Value = []byte("2")
	if err := r.PutRecords(t.Context(), held); !errors.Is(err, store.ErrConflict) {
		t.Errorf("over a version of the local store: %v", err)
	}
	if err := r.PutRecords(t.Context(), aRecord(store.KindWords, "put", "2")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("one that is thought to be new: %v", err)
	}
	err := r.Update(t.Context(), "c", func(*rules.Conversation) (store.Effect, error) {
		return store.Effect{Records: []store.Record{aRecord(store.KindWords, "changed", "2")}}, nil
	})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("Update over one that is thought to be new: %v", err)
	}
	r.want("words changed=1, words put=1, words read=1 | user u=1")
}

// A process that dies after it has brought a record, and before it has forgotten it, does
// not bring it again: somebody has sent it since.
func TestRecords_broughtByAProcessThatDied_areNotBroughtTwice(t *testing.T) {
	withReplica(t, func(t *testing.T, r *replica) {
		r.away()
		r.put(aRecord(store.KindNotice, "n", "1"))
		r.fake.loseAnswer()
		r.fake.set(nil)
		if err := r.bringRecords(t.Context(), 10, store.KindNotice); !errors.Is(err, store.ErrAway) {
			t.Errorf("bringing = %v", err)
		}
		r.want("notice n=1 | notice n=1")
		r.theirs(store.KindNotice, "n", nil) // another replica sends it
		r.back()
		r.want(" | ")
	})
}

// The records of a change go with its conversation, here as there.
func TestRecords_ofAChange_goWithItsConversation(t *testing.T) {
	withReplica(t, func(t *testing.T, r *replica) {
		update := func(records ...store.Record) error {
			return r.Update(t.Context(), "c", func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
				return store.Effect{Records: records}, nil
			})
		}
		if err := update(aRecord(store.KindUser, "u", "1"), aRecord(store.KindWords, "c", "1")); err != nil {
			t.Fatal(err)
		}
		user := r.read(r, store.KindUser, "u")
		r.away()
		user.Value = []byte("2")
		if err := update(user, aRecord(store.KindWords, "d", "2")); err != nil {
			t.Fatal(err)
		}
		if err := update(user); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same again: %v", err)
		}
		r.want("user u=1, words c=1 | user u=2, words d=2")
		r.back()
		r.want("user u=2, words c=1, words d=2 | ")
	})
}

// A user who is forgotten while the shared store is away is forgotten there too.
func TestRecords_aUserWhoIsForgotten_isForgottenThere(t *testing.T) {
	withReplica(t, func(_ *testing.T, r *replica) {
		r.put(aRecord(store.KindUser, "u", "1"))
		read := r.read(r, store.KindUser, "u")
		r.away()
		read.Value = nil
		r.put(read)
		r.back()
		r.want(" | ")
	})
}
