package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/desk/desktest"
)

const (
	appEvery     = 20 * time.Millisecond // a callback
	asksEvery    = 8                     // one in so many asks for a person
	repeatsEvery = 15                    // and one in so many is sent twice
	// appTimeout is longer than the 2 s of Tencent: how late an answer is shows
	// in the report, and a busy machine makes no walk fail.
	appTimeout = 10 * time.Second
)

// app is the Chat app whose customers write: its signed callbacks come steadily,
// and again where they had no answer.
type app struct {
	w       *walk
	stop    chan struct{}
	once    sync.Once
	stopped sync.WaitGroup
	sending sync.WaitGroup
	refused atomic.Int64 // the life that refused the last escalation, because its disk is full

	mu       sync.Mutex
	asked    map[string]bool      // sessions that asked for a person
	promised map[string]int64     // sessions that were told yes, and in which life
	at       map[string]time.Time // and when
	again    map[string]desktest.Callback
	givenUp  map[string]bool
	took     []time.Duration // callbacks while the service lived
	passed   []time.Duration // those that the bot behind may keep waiting
	count    map[string]int
	late     map[int]int // callbacks above promisedP99, by the second of the walk
}

func newApp(w *walk) *app {
	return &app{
		w: w, stop: make(chan struct{}), asked: map[string]bool{}, promised: map[string]int64{}, at: map[string]time.Time{},
		again: map[string]desktest.Callback{}, givenUp: map[string]bool{}, count: map[string]int{}, late: map[int]int{},
	}
}

func (a *app) begin() {
	a.w.t.Cleanup(a.end) // also when the walk does not come to its end
	a.stopped.Go(func() {
		tick, retry := time.NewTicker(appEvery), time.NewTicker(time.Second)
		defer tick.Stop()
		defer retry.Stop()
		for n := 1; ; {
			select {
			case <-tick.C:
				n++
				a.sending.Go(func() { a.message(n) })
			case <-retry.C:
				// The app does not come on the same connections for ever.
				a.w.desk.SetCallbackURL("http://" + a.w.process.public + "/callback")
				a.sending.Go(func() { a.resend() })
			case <-a.stop:
				return
			}
		}
	})
}

// end stops the stream and waits for the last answer.
func (a *app) end() {
	a.once.Do(func() { close(a.stop) })
	a.stopped.Wait()
	a.sending.Wait()
}

// message lets a customer write.
func (a *app) message(n int) {
	session, text := fmt.Sprint("quiet-", n), "where is my parcel"
	asks := n%asksEvery == 0
	if asks {
		session, text = fmt.Sprint("asks-", n), "a human please"
		a.mu.Lock()
		a.asked[session] = true
		a.mu.Unlock()
	}
	answer := a.send(session, asks, func() desktest.Answer { return a.w.desk.UserSays(session, text) })
	if n%repeatsEvery == 0 {
		a.send(session, asks, func() desktest.Answer { return a.w.desk.Resend(answer.Request) })
	}
}

// send sends a callback and judges the answer.
func (a *app) send(session string, asks bool, post func() desktest.Answer) desktest.Answer {
	p := a.w.process
	life, full, began := p.life.Load(), a.w.disk.lacked(), time.Now()
	answer := post()
	took := time.Since(began)
	undisturbed := life%2 == 1 && p.life.Load() == life
	a.mu.Lock()
	defer a.mu.Unlock()
	if asks {
		if answer.Err == nil {
			delete(a.again, session)
		} else if a.promised[session] == 0 {
			a.again[session] = answer.Request
		}
	}
	switch {
	case answer.Err == nil && asks:
		a.refused.Store(0)
		if a.promised[session] == 0 {
			a.promised[session], a.at[session] = life, time.Now()
		}
		if answer.AIProvider == nil || *answer.AIProvider != 0 {
			a.w.complain("%s asked for a person and was answered %s", session, answer.Body)
		}
	case answer.Status == http.StatusServiceUnavailable && (full || a.w.disk.lacked()):
		a.refused.Store(life)
		a.count["503 of a full disk"]++
	case answer.Err != nil && (answer.Status != 0 || undisturbed):
		a.count["no answer or a wrong one"]++
		took = max(took, appTimeout)
		a.w.complain("%s: after %s %d %s %v", session, time.Since(began).Round(time.Millisecond), answer.Status, answer.Body, cause(answer.Err))
	case answer.Err != nil:
		a.count["died with the service"]++
		return answer
	}
	a.count["answered"]++
	if !asks && p.forwards.Load() && a.w.own.slow() {
		a.passed = append(a.passed, took)
	} else if undisturbed {
		a.took = append(a.took, took)
		if took > promisedP99 {
			a.late[int(began.Sub(a.w.began).Seconds())]++
		}
	}
	return answer
}

// cause is an error without the long address that it happened at.
func cause(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

// resend sends again what had no answer, and returns how many still have none.
func (a *app) resend() int {
	if !a.w.process.lives() {
		return -1
	}
	a.mu.Lock()
	again := make(map[string]desktest.Callback, len(a.again))
	for session, c := range a.again {
		if again[session] = c; len(again) == 50 {
			break
		}
	}
	a.mu.Unlock()
	for session, c := range again {
		a.send(session, true, func() desktest.Answer { return a.w.desk.Resend(c) })
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.again)
}

// readGivenUp reads the sessions of GET /api/outbox that were given up.
func (a *app) readGivenUp() {
	var outbox struct {
		GivenUp []struct{ Session, Error string } `json:"given_up"`
	}
	_, body, err := a.w.ask(http.MethodGet, "/api/outbox")
	if err == nil {
		err = json.NewDecoder(strings.NewReader(body)).Decode(&outbox)
	}
	if err != nil {
		a.w.complain("/api/outbox: %v", err)
	}
	for _, g := range outbox.GivenUp {
		if a.givenUp[g.Session] = true; g.Error == "" {
			a.w.complain("%s was given up without a reason", g.Session)
		}
	}
}

// quantiles of durations.
func quantiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: p50 %s p99 %s max %s", len(all), quantile(all, .5), quantile(all, .99), quantile(all, 1))
}

func quantile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(p*float64(len(all)-1))].Round(10 * time.Microsecond)
}
