package e2e_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

// walkRules escalate on one word, and have a test that a bad version can fail.
const walkRules = plainRules + `tests:
  - {name: fires, say: a human please, expect: ask-human}
  - {name: is silent, say: where is my parcel, expect: none}
`

// walk is one run: the service, everybody who deals with it, and what was seen.
type walk struct {
	t      *testing.T
	began  time.Time
	pause  time.Duration // in which the walk did not go on
	random *rand.Rand
	dir    string

	desk    *desktest.Desk
	refused *refused
	own     *ownBot
	disk    *disk
	log     *logPipe
	process *process
	app     *app
	watch   *watch
	reached map[string]int // how many of each crowd were there at once

	mu    sync.Mutex
	diary []string
	wrong []string // the first complaints
	more  int      // complaints beyond those
}

const maxComplaints = 25

// TestServe_throughAWalkOfFaults_losesNothing_andAnswersThroughout lets the app's
// callbacks come steadily while faults of everything around the service come,
// overlap and go. What happens when is drawn from a seed.
func TestServe_throughAWalkOfFaults_losesNothing_andAnswersThroughout(t *testing.T) {
	t.Parallel()
	lasts := durationFromEnv(t, "WALK_TIME", 18*time.Second)
	seed := uint64(fromEnv(t, "WALK_SEED", 1))
	w := newWalk(t, seed)
	defer w.report(seed, lasts)
	w.process.start()
	w.app.begin()
	w.watch.begin()
	w.through(plan(w.random, lasts, chosenFaults()))
	w.calm()
	w.judge()
}

func newWalk(t *testing.T, seed uint64) *walk {
	t.Helper()
	w := &walk{t: t, began: time.Now(), random: rand.New(rand.NewPCG(seed, 14)), dir: t.TempDir(), reached: map[string]int{}}
	w.desk = desktest.New(desktest.Options{
		Key: testKey, Token: testToken, AnswerAtOnce: true, AcceptRepeats: true, Seed: seed, CallbackTimeout: appTimeout,
	})
	t.Cleanup(w.desk.Close)
	w.refused = newRefused(t, w.desk)
	w.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true})
	w.putRules(walkRules)
	w.own = newOwnBot(t)
	w.log = newLogPipe(t, filepath.Join(w.dir, "log"))
	w.disk = newDisk(t, filepath.Join(w.dir, "disk"))
	w.process = newProcess(w)
	w.app, w.watch = newApp(w), newWatch(w)
	return w
}

// putRules puts a rule file in the place of whatever is there.
func (w *walk) putRules(src string) {
	path := filepath.Join(w.dir, "rules.yaml")
	if err := os.WriteFile(path+".new", []byte(src), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		_ = os.RemoveAll(path)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// note writes into the diary of the walk.
func (w *walk) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, fmt.Sprintf("%7.2fs ", time.Since(w.began).Seconds())+fmt.Sprintf(format, args...))
}

// complain notes what must not be.
func (w *walk) complain(format string, args ...any) {
	w.mu.Lock()
	enough := len(w.wrong) == maxComplaints
	if enough {
		w.more++
	} else {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
	w.mu.Unlock()
	if !enough {
		w.note("WRONG: "+format, args...)
	}
}

// chosenFaults are all of them, or those of the kinds that WALK_ONLY names: to
// look into what failed.
func chosenFaults() []fault {
	only := os.Getenv("WALK_ONLY")
	if only == "" {
		return faults
	}
	return slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !slices.Contains(strings.Split(only, ","), f.kind) })
}

// step is a fault that begins at a time and stays for a while.
type step struct {
	at, lasts time.Duration
	fault
}

// plan draws a walk. The faults are dealt like cards, so that each has its turn;
// those of one kind do not overlap.
func plan(random *rand.Rand, lasts time.Duration, faults []fault) (steps []step) {
	between, stay := 500*time.Millisecond, 1500*time.Millisecond
	if lasts > time.Minute {
		between, stay = 2*time.Second, 8*time.Second
	}
	draw := func(most time.Duration) time.Duration { return time.Duration(random.Int64N(int64(most))) }
	free := map[string]time.Duration{}
	var deck []fault
	for at := time.Second; at < lasts; {
		if len(deck) == 0 {
			deck = slices.Clone(faults)
			random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		s := step{at: max(at, free[deck[0].kind]), lasts: stay/2 + draw(stay), fault: deck[0]}
		free[s.kind] = s.at + s.lasts + between
		if deck = deck[1:]; s.at < lasts+stay {
			steps = append(steps, s)
		}
		at += between/2 + draw(between)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	return steps
}

// trouble is a fault that is there.
type trouble struct {
	until time.Duration
	name  string
	end   func()
}

// through walks through the steps and ends every fault.
func (w *walk) through(steps []step) {
	var present []trouble
	defer func() { // those that are left when the test gives up on the way
		for _, t := range present {
			t.end()
		}
	}()
	for len(steps)+len(present) > 0 {
		slices.SortStableFunc(present, func(a, b trouble) int { return int(a.until - b.until) })
		if len(present) > 0 && (len(steps) == 0 || present[0].until < steps[0].at) {
			w.waitUntil(present[0].until)
			present[0].end()
			w.note("over: %s", present[0].name)
			present = present[1:]
			continue
		}
		s := steps[0]
		steps = steps[1:]
		w.waitUntil(s.at)
		w.note("%s", s.name)
		end := s.begin(w)
		w.pause += max(0, w.time()-s.at)
		if end != nil {
			present = append(present, trouble{s.at + s.lasts, s.name, end})
		}
	}
}

// time is how far the walk has come: what a death or another step took does not
// count, or all that was to happen meanwhile would happen at once.
func (w *walk) time() time.Duration { return time.Since(w.began) - w.pause }

// waitUntil waits for a time of the walk. A service that ends by itself is noted
// and begins anew.
func (w *walk) waitUntil(at time.Duration) {
	for {
		select {
		case <-time.After(at - w.time()):
			return
		case <-w.process.ended:
			w.complain("the service ended by itself: %s\n%s", w.process.cmd.ProcessState, w.log.tail())
			w.process.start()
		}
	}
}

// calm lets the service come to rest now that every fault is gone.
func (w *walk) calm() {
	w.note("all faults are gone")
	w.app.end()
	if !w.eventually(75*time.Second, func() bool { return w.watch.ready().atRest() }) {
		w.complain("not ready again: %+v", w.watch.ready())
	}
	if !w.eventually(10*time.Second, func() bool { return w.app.resend() == 0 }) {
		w.complain("%d callbacks that had no answer get none when they are sent again", w.app.resend())
	}
	drained := time.Now()
	if !w.eventually(3*time.Minute, func() bool { return w.metric("escalator_outbox_pending") == 0 }) {
		w.complain("%v transfers are not delivered", w.metric("escalator_outbox_pending"))
	}
	w.note("outbox empty after %s", time.Since(drained).Round(time.Millisecond))
	w.watch.end()
	w.app.readGivenUp()
	w.process.stop()
	w.log.finish()
}

func (w *walk) eventually(timeout time.Duration, holds func() bool) bool {
	for late := time.Now().Add(timeout); !holds(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(late) {
			return false
		}
	}
	return true
}

// ask asks the operators' listener on a connection of its own, so that the
// answer does not depend on one that was there before.
func (w *walk) ask(method, path string) (status int, body string, err error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.process.admin+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// metric reads one metric, -1 if it cannot be read.
func (w *walk) metric(name string) float64 {
	_, body, err := w.ask(http.MethodGet, "/metrics")
	if err != nil {
		return -1
	}
	return gauge(body, name)
}
