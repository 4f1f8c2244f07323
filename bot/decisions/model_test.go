package decisions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/history"
	"escalator/rules"
)

// running runs a list until the test ends.
func running(t *testing.T, change ...func(*Options)) (l *List, stop func()) {
	t.Helper()
	l = newList(change...)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { l.Run(ctx) })
	return l, func() { cancel(); work.Wait() }
}

// reader follows the stream, and drops out of it now and then.
type reader struct {
	list  *List
	saw   []string // what was told, in its order
	after string
	gaps  int
}

// follow reads for a while, and then drops out.
func (r *reader) follow(t *testing.T, f *Filter, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	w, gap := r.list.Watch(ctx, f, r.after)
	if gap {
		r.gaps++
	}
	if r.after == "" || gap {
		r.after = w.ID()
	}
	for {
		events, err := w.Next(ctx)
		if err != nil {
			return
		}
		for i, e := range events {
			if i > 0 && ctx.Err() != nil {
				return // in the middle of what it was given
			}
			r.after = e.ID
			what := e.name + " " + e.record.Session
			if e.name == nameTransfer {
				what += " " + e.record.Transfer.Outcome
			}
			r.saw = append(r.saw, what)
		}
	}
}

// Many write and label, readers drop out and resume: each sees every event once, all in the
// same order.
func TestWatch_readersThatDropAndResume_seeEachEventOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		writers, each := rapid.IntRange(1, 6).Draw(r, "writers"), rapid.IntRange(1, 40).Draw(r, "each")
		stays := rapid.SliceOfN(rapid.IntRange(1, 30), 1, 20).Draw(r, "stays") // ms
		pause := rapid.IntRange(0, 3).Draw(r, "pause")
		synctest.Test(t, func(t *testing.T) {
			l, stop := running(t)
			defer stop()
			synctest.Wait()
			readers := []*reader{{list: l}, {list: l}, {list: l}}
			ctx, cancel := context.WithCancel(t.Context())
			var reading, writing sync.WaitGroup
			for n, one := range readers {
				w, _ := l.Watch(ctx, &Filter{}, "")
				one.after = w.ID()
				reading.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						one.follow(t, &Filter{}, time.Duration(stays[(i+n)%len(stays)])*time.Millisecond)
						time.Sleep(time.Duration(stays[(i*7+n)%len(stays)]) * time.Millisecond)
					}
				})
			}
			for n := range writers {
				writing.Go(func() {
					for i := range each {
						id := l.NewID()
						l.Add(&Record{ID: id, Session: fmt.Sprint(n, "-", i), Outcome: rules.OutcomeTransfer}, "")
						time.Sleep(time.Duration(pause) * time.Millisecond)
						l.Tried(&history.Entry{ID: id, Outcome: "retrying", At: time.Now()})
						l.Tried(&history.Entry{ID: id, Outcome: "assigned", At: time.Now()})
						if i%5 == 0 {
							if _, err := l.SetLabel(t.Context(), id, Label{Label: Right, By: "op"}); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			writing.Wait()
			time.Sleep(100 * time.Millisecond)
			cancel()
			reading.Wait()
			want := writers*each*3 + writers*((each+4)/5)
			for _, one := range readers {
				one.follow(t, &Filter{}, time.Second) // what is left
				seen := map[string]bool{}
				for _, what := range one.saw {
					seen[what] = true
				}
				if len(one.saw) != want || len(seen) != want || one.gaps > 0 {
					t.Fatalf("a reader saw %d events, %d of them different, want %d; %d gaps", len(one.saw), len(seen), want, one.gaps)
				}
				if strings.Join(one.saw, ",") != strings.Join(readers[0].saw, ",") {
					t.Fatal("two readers saw another order")
				}
			}
		})
	})
}

// Who was told of a decision that is kept no longer may have missed some; so may who comes
// from elsewhere with an id that nobody knows.
func TestWatch_whatIsNotKept_isAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := running(t)
		defer stop()
		synctest.Wait()
		l.Add(&Record{ID: l.NewID()}, "")
		_, p := page(t, l, Filter{}, 1, "")
		first := p.Decisions[0].ID
		if _, gap := l.Watch(t.Context(), &Filter{}, first); gap {
			t.Error("a gap behind the newest")
		}
		for range Keep {
			l.Add(&Record{}, "")
		}
		newest := l.NewID()
		l.Add(&Record{ID: newest}, "")
		for _, after := range []string{first, "nonsense", first + ".." + first, l.NewID(), newest + "." + l.events.epoch + ".zzzzzzzzzz"} {
			if _, gap := l.Watch(t.Context(), &Filter{}, after); !gap {
				t.Errorf("no gap behind %s", after)
			}
		}
		if _, gap := l.Watch(t.Context(), &Filter{}, newest); gap {
			t.Error("a gap behind the newest of many")
		}
		// The silence has ids too.
		w, _ := l.Watch(t.Context(), &Filter{}, "")
		if _, gap := l.Watch(t.Context(), &Filter{}, w.ID()); gap {
			t.Error("a gap behind what nobody was told of")
		}
	})
}

func TestWatch_aReaderThatIsTooFarBehind_isCutOff_andResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := running(t)
		defer stop()
		w, _ := l.Watch(t.Context(), &Filter{Session: "a"}, "")
		after := w.ID()
		for range 2 * maxBehind { // nothing that it asks for
			l.Add(&Record{Session: "b"}, "")
		}
		l.settle()
		for range maxBehind + 1 {
			l.Add(&Record{Session: "a"}, "")
		}
		l.settle()
		if _, err := w.Next(t.Context()); !errors.Is(err, ErrBehind) {
			t.Errorf("it goes on: %v", err)
		}
		back, gap := l.Watch(t.Context(), &Filter{Session: "a"}, after)
		events, err := back.Next(t.Context())
		if gap || err != nil || len(events) != maxBehind+1 {
			t.Errorf("it resumes with %d events, gap %t, %v", len(events), gap, err)
		}
	})
}

// A label that is taken back is news for who watches labelled ones.
func TestWatch_filters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := running(t)
		defer stop()
		synctest.Wait()
		one := &reader{list: l}
		w, _ := l.Watch(t.Context(), &Filter{}, "")
		one.after = w.ID()
		ids := map[string]string{}
		for _, user := range []string{"ann", "bob"} {
			ids[user] = l.NewID()
			l.Add(&Record{ID: ids[user], User: user, Session: user, Outcome: rules.OutcomeTransfer}, "")
			l.Tried(&history.Entry{ID: ids[user], Outcome: "assigned", At: time.Now()})
		}
		for _, label := range []string{Right, ""} {
			if _, err := l.SetLabel(t.Context(), ids["ann"], Label{Label: label, By: "op"}); err != nil {
				t.Fatal(err)
			}
		}
		one.follow(t, &Filter{User: "ann"}, time.Second)
		if got := strings.Join(one.saw, ", "); got != "decision ann, transfer ann assigned, label ann, label ann" {
			t.Errorf("saw %s", got)
		}
	})
}
