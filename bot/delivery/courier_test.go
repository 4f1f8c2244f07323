package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// named makes a transfer of another session.
func named(id string) func(*store.Transfer) {
	return func(t *store.Transfer) { t.ID, t.Session, t.Episode = id, id, id }
}

func (w *world) wantEmpty(after string) {
	w.t.Helper()
	if list, err := w.outbox.List(w.t.Context()); err != nil || len(list) != 0 {
		w.t.Errorf("%d transfers are left after %s, %v", len(list), after, err)
	}
}

func TestCourier_asksForDesksTip_onlyAtTheEndOfTheChain_andOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		none := code(141001)
		w.desk.always = &none
		first := *w.policy.Target("tip")
		first.ID, first.Retry = "first", &rules.Retry{Every: time.Minute, For: 5 * time.Minute}
		w.put("tip", func(t *store.Transfer) { t.Chain = []*rules.Target{&first, w.policy.Target("tip")} })
		w.passes(time.Hour)
		for i, r := range w.desk.requests { // two targets, at once and after 1, 2, 3, 4 and 5 minutes
			if bool(r.TipIfNoAgent) != (i == 1) {
				t.Errorf("call %d asks for the tip: %v", i, r.TipIfNoAgent)
			}
		}
		if n := len(w.desk.requests); n != 2*6 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestCourier_held_probesWithOneTransferOnly(t *testing.T) {
	inWorld(t, func(w *world) {
		wrongKey := code(70009)
		w.desk.always = &wrongKey
		for i := range 4 {
			w.put("plain", named(fmt.Sprint(i)))
		}
		begun := len(w.desk.made())
		w.passes(4 * time.Minute) // probes after 5, 10, 20, 40, 60, 60 s
		if probes := len(w.desk.made()) - begun; probes != 6 {
			t.Errorf("%d probes", probes)
		}
		if n := len(w.log.Lines("courier held: Desk refuses every transfer; transfers are kept until the settings are mended")); n != 1 {
			t.Errorf("%d alerts", n)
		}
		w.desk.set(func() { w.desk.always = nil })
		w.passes(2 * time.Minute)
		w.wantEmpty("the settings were mended")
	})
}

func TestCourier_openBreaker_burnsNoAttempts_andFloodsNoLog(t *testing.T) {
	inWorld(t, func(w *world) {
		lost := with(errTimeout)
		w.desk.always = &lost
		for i := range 200 {
			w.put("plain", named(fmt.Sprint(i)))
		}
		w.passes(10 * time.Minute)
		// One probe each pause of the breaker once it is open: 200 and a few, not 200
		// transfers times all their back-offs.
		if calls := len(w.desk.made()); calls > 250 {
			t.Errorf("%d calls in ten minutes", calls)
		}
		if n := len(w.log.Lines("transfer")); n > 250 {
			t.Errorf("%d lines in ten minutes", n)
		}
		w.desk.set(func() { w.desk.always = nil })
		w.passes(2 * time.Minute)
		w.wantEmpty("Desk came back")
	})
}

func TestCourier_obeysGlobal(t *testing.T) {
	inWorld(t, func(w *world) {
		w.courier.SetRate(rules.Rate{Count: 10, Per: time.Second})
		began := time.Now()
		for i := range 30 {
			w.put("plain", named(fmt.Sprint(i)))
		}
		for len(w.desk.made()) < 30 && time.Since(began) < time.Minute {
			w.passes(100 * time.Millisecond)
		}
		// Up to ten at once (the burst), the others at ten a second.
		if took := time.Since(began); took < 1900*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("30 transfers at 10/s took %s", took)
		}
	})
}

func TestCourier_stop_finishesWhatIsUnderWay_andKeepsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = 2 * time.Second
		w.courier.Start()
		w.put("plain")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := w.courier.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		w.wantLines("assigned!")
		w.put("plain", named("next"))
		w.passes(time.Minute)
		if list, _ := w.outbox.List(t.Context()); len(list) != 1 {
			t.Errorf("%d transfers wait for the next start, want 1", len(list))
		}
	})
}

func TestCourier_stop_cutsOffWhatTakesTooLong_andKeepsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = time.Minute
		w.courier.Start()
		w.put("plain")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := w.courier.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		if kept := w.kept(); kept == nil || !kept.Sent || kept.State != store.Pending {
			t.Errorf("in the outbox: %+v; want it pending, and the state asked first", kept)
		}
	})
}

// steppedClock is a clock on the wall that can be set back.
type steppedClock struct{ back atomic.Int64 }

func (c *steppedClock) now() time.Time          { return time.Now().Add(-time.Duration(c.back.Load())) }
func (c *steppedClock) setBack(d time.Duration) { c.back.Add(int64(d)) }

func TestCourier_theClockIsSetBack_transfersStayDue_andWaitingEnds(t *testing.T) {
	none := code(141001)
	for name, c := range map[string]struct {
		target    string
		transfers []answer
		always    *answer
		want      string
	}{
		"on its way": {"plain", []answer{code(141002), code(141002), code(141002)}, nil, "retrying/141002 retrying/141002 retrying/141002 assigned!"},
		"waiting": {
			"waits", nil, &none,
			"no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001!",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &steppedClock{}
				w := newWorld(t, memory.NewOutbox(clock.now), func(o *Options) { o.Now = clock.now })
				w.desk.transfers, w.desk.always = c.transfers, c.always
				w.courier.Start()
				w.put(c.target)
				clock.setBack(24 * time.Hour)
				w.passes(10 * time.Minute)
				w.wantLines(c.want)
				w.wantGone()
				w.stop()
			})
		})
	}
}

func TestRetry_fromManyHandsAtOnce_isOneTransfer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141005)}
		w.put("plain")
		w.desk.slow = time.Second
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				switch err := w.courier.Retry(w.t.Context(), "s1", Operator{}); {
				case err == nil:
					taken.Add(1)
				case !errors.Is(err, ErrNotGivenUp):
					t.Errorf("Retry = %v", err)
				}
			})
		}
		all.Wait()
		w.passes(time.Minute)
		if taken.Load() != 1 || w.desk.made() != "TQT" {
			t.Errorf("%d of ten retries were taken: %s", taken.Load(), w.desk.made())
		}
	})
}

// Desk's answers are a stranger's: a name in them does not decide how long our lines are.
func TestAttempt_ofAnAgentWithAnEndlessName_isAShortLine(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.set(func() { w.desk.agent = strings.Repeat("会", 100_000) })
		w.put("plain")
		w.wantLines("assigned!")
		if name := w.log.Lines("transfer")[0]["agent"].(string); len(name) == 0 || len(name) > 200 {
			t.Errorf("the line's agent is %d bytes long", len(name))
		}
	})
}

func TestCourier_nobodyThere_asksForWords_thatAreTakenOnceTheCustomerWasAsked(t *testing.T) {
	none, refused := code(141001), code(141004)
	for target, rounds := range map[string]int{"leave": 1, "leaveWait": 6} {
		inWorld(t, func(w *world) {
			w.desk.always = &none
			w.put(target)
			w.passes(time.Hour)
			if got := fmt.Sprint(w.awaited); got != "[s1 r "+target+"]" || len(w.desk.said) != 1 {
				t.Errorf("%s: words are awaited for %s, said %v", target, got, w.desk.said)
			}
			if len(w.desk.requests) != rounds || bool(w.desk.requests[0].TipIfNoAgent) {
				t.Errorf("%s: %d calls, the first %+v", target, len(w.desk.requests), w.desk.requests[0])
			}
		})
	}
	inWorld(t, func(w *world) { // Desk refuses the request for words: they go to the bot
		w.desk.always, w.desk.sayErr = &none, refused.err
		w.put("leave")
		w.passes(time.Minute)
		if len(w.awaited) != 0 {
			t.Errorf("words are awaited that nobody was asked for: %v", w.awaited)
		}
	})
}
