package handlers

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// flood is a service that works on one request after the other, and senders that send
// the next one when the answer is there.
type flood struct {
	shed           *shed
	answer, refuse time.Duration // of the processor

	queue  chan *call
	took   []time.Duration // of the answered ones
	turned int
}

type call struct {
	sent time.Time
	done chan bool // whether it is answered
}

// serve is one processor, which takes what came first.
func (f *flood) serve() {
	for c := range f.queue {
		late := f.shed.late(func() time.Duration { return time.Since(c.sent) })
		cost := f.answer
		if late {
			cost = f.refuse
		}
		<-time.After(cost)
		c.done <- !late
	}
}

// send sends until the end and tells what was answered, and how fast.
func (f *flood) send(until time.Time, took chan<- time.Duration) {
	for time.Now().Before(until) {
		c := &call{time.Now(), make(chan bool, 1)}
		f.queue <- c
		answered := <-c.done
		if answered {
			took <- time.Since(c.sent)
			continue
		}
		_ = f.shed.turnAway(time.Since(c.sent))
		took <- -1
	}
}

func (f *flood) run(senders int, lasts time.Duration) {
	f.queue = make(chan *call, senders)
	took, end := make(chan time.Duration), make(chan struct{})
	go f.serve()
	until := time.Now().Add(lasts)
	for range senders {
		go func() { f.send(until, took); end <- struct{}{} }()
	}
	for senders > 0 {
		select {
		case t := <-took:
			if t < 0 {
				f.turned++
			} else {
				f.took = append(f.took, t)
			}
		case <-end:
			senders--
		}
	}
	close(f.queue)
}

// However many send, nearly all of the processor goes into answers, and those come within a second.
func TestShed_pastSaturation_answersAsManyAndInTime(t *testing.T) {
	const lasts = 10 * time.Second
	for _, c := range []struct {
		name           string
		senders        int
		answer, refuse time.Duration
		turns          bool
	}{
		{"few senders", 256, 200 * time.Microsecond, 60 * time.Microsecond, false},
		{"as many as can wait", 2000, 200 * time.Microsecond, 60 * time.Microsecond, false},
		{"more than can wait, and a refusal costs a third of an answer", 4000, 200 * time.Microsecond, 60 * time.Microsecond, true},
		{"all connections, and a refusal costs a fifth of an answer", maxConnections, 200 * time.Microsecond, 40 * time.Microsecond, true},
		{"all connections of a slow machine", maxConnections, 500 * time.Microsecond, 30 * time.Microsecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &flood{shed: newShed(1), answer: c.answer, refuse: c.refuse}
				f.run(c.senders, lasts)
				best := lasts.Seconds() / c.answer.Seconds()
				share := float64(len(f.took)) / best
				slices.Sort(f.took)
				p99 := f.took[len(f.took)*99/100]
				t.Logf("%.2f of the best, p99 %s, %d turned away", share, p99, f.turned)
				if share < .8 || p99 >= time.Second || c.turns != (f.turned > 0) {
					t.Errorf("%.2f of the best is answered, p99 %s, %d turned away", share, p99, f.turned)
				}
			})
		})
	}
}

// A machine that stood still (a suspended one, SIGSTOP) finds many requests that have waited for it, and is not
// overloaded: all of them are answered, also those of a busy one.
func TestShed_afterAStandstill_turnsNobodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShed(1)
		flow := func(requests int, waited time.Duration) (turned int) {
			for range requests {
				if s.late(func() time.Duration { return waited }) {
					turned++
				}
				<-time.After(100 * time.Microsecond)
			}
			return turned
		}
		for range 3 {
			flow(5000, 300*time.Millisecond)
			<-time.After(5 * time.Second)
			stopped := time.Now()
			for range 5000 {
				if s.late(func() time.Duration { return time.Since(stopped) + 4*time.Second }) {
					t.Fatal("one that waited for the machine is turned away")
				}
				<-time.After(100 * time.Microsecond)
			}
		}
		if flow(20000, time.Second) == 0 {
			t.Error("a flood afterwards is let in")
		}
	})
}

// Once it is over everybody is let in, whatever the average still says.
func TestShed_afterTheFlood_letsEverybodyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShed(1)
		late := func() time.Duration { return time.Second }
		for range 3000 {
			s.late(late)
			<-time.After(time.Millisecond)
		}
		if !s.late(late) {
			t.Fatal("a flood of late requests is let in")
		}
		if s.late(func() time.Duration { return 0 }) {
			t.Error("one that comes in time is turned away")
		}
	})
}

// A sender waits for a refusal, but no longer than it listens: Tencent leaves after two seconds.
func TestShed_turnAway_tellsWhileTheSenderListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for waited, want := range map[time.Duration]time.Duration{
			0: time.Second, tooLong: time.Second, 1500 * time.Millisecond: 300 * time.Millisecond, time.Minute: 0,
		} {
			began := time.Now()
			_ = newShed(1).turnAway(waited)
			if took := time.Since(began); took != want {
				t.Errorf("waited for %s: refused after %s, want %s", waited, took, want)
			}
		}
	})
}
