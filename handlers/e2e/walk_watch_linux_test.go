package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	maxMemory  = 512 // MiB
	memoryStep = 16  // in the diary
)

// watch is who looks after the service: a load balancer, a monitor.
type watch struct {
	w    *walk
	stop chan struct{}
	once sync.Once
	all  sync.WaitGroup

	mu      sync.Mutex
	health  []time.Duration // answers of /healthz
	highest int             // memory in MiB
	states  map[string]int  // answers of /readyz
}

// readiness is an answer of /readyz.
type readiness struct {
	Status  string
	Reasons []string
}

// atRest tells whether nothing is wrong. That log lines were dropped is said for
// a minute.
func (r readiness) atRest() bool {
	return r.Status == "ready" || r.Status == "degraded" && len(r.Reasons) == 1 && strings.HasPrefix(r.Reasons[0], "log lines were dropped a moment ago")
}

func newWatch(w *walk) *watch {
	return &watch{w: w, stop: make(chan struct{}), states: map[string]int{}}
}

func (w *watch) begin() {
	w.w.t.Cleanup(w.end)
	w.all.Go(func() { w.every(100*time.Millisecond, w.alive) })
	w.all.Go(func() { w.every(200*time.Millisecond, w.state) })
}

func (w *watch) end() {
	w.once.Do(func() { close(w.stop) })
	w.all.Wait()
}

func (w *watch) every(d time.Duration, look func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if w.w.process.lives() {
				look()
			}
		case <-w.stop:
			return
		}
	}
}

// alive asks /healthz, which has to answer as long as the process lives.
func (w *watch) alive() {
	life, began := w.w.process.life.Load(), time.Now()
	status, _, err := w.w.ask(http.MethodGet, "/healthz")
	if w.w.process.life.Load() != life {
		return
	}
	if err != nil || status != http.StatusOK {
		w.w.complain("/healthz: %d %v", status, cause(err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.health = append(w.health, time.Since(began))
}

// state notes what /readyz says and what memory the service has.
func (w *watch) state() {
	mib, ready := w.w.process.memory(), w.ready()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states[ready.Status]++
	if mib > w.highest+memoryStep {
		if w.highest = mib; mib < maxMemory {
			w.w.note("%d MiB of memory", mib)
		} else {
			w.w.complain("%d MiB of memory", mib)
		}
	}
}

// ready asks /readyz.
func (w *watch) ready() (r readiness) {
	status, body, err := w.w.ask(http.MethodGet, "/readyz")
	if err != nil {
		return readiness{Status: "no answer"}
	}
	if json.Unmarshal([]byte(body), &r) != nil || (status == http.StatusOK) == (r.Status == "unready") {
		w.w.complain("/readyz: %d %s", status, body)
	}
	return r
}
