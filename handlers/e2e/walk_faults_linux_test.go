package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"escalator/bot/desk/desktest"
)

// fault is something that goes wrong around the service.
type fault struct {
	name  string
	kind  string                     // those of a kind do not overlap
	begin func(w *walk) (end func()) // no end: it is over at once
}

// faults are the cards of the deck.
var faults = []fault{
	{"the log reader stalls", "log", stallLog},
	{"the log reader leaves", "log", func(w *walk) func() { return w.log.leave() }},
	{"the disk is full", "disk", fillDisk},
	{"the recordings are deleted", "recordings", deleteRecordings},

	{"rules: a FIFO", "rules", ruleFileIs(func(path string) error { return unix.Mkfifo(path, 0o600) })},
	{"rules: a directory", "rules", ruleFileIs(func(path string) error { return os.Mkdir(path, 0o700) })},
	{"rules: 100 MB", "rules", ruleFileIs(func(path string) error { return writeLarge(path, walkRules, 100<<20) })},
	{"rules: broken", "rules", ruleFileIs(func(path string) error { return os.WriteFile(path, []byte("version: 1\nrules: [{id: a,\n"), 0o600) })},
	{"rules: a failing test", "rules", ruleFileIs(func(path string) error {
		return os.WriteFile(path, []byte(strings.Replace(walkRules, "expect: none", "expect: ask-human", 1)), 0o600)
	})},
	{"rules: gone", "rules", ruleFileIs(func(string) error { return nil })},

	{"10,000 idle strangers", "strangers", strangers("10,000 idle strangers", 10_000, "")},
	{"3,000 strangers who probed", "probers", strangers("3,000 strangers who probed", 3_000, "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")},
	{"2,000 half-sent bodies", "bodies", strangers("2,000 half-sent bodies", 2_000, halfBody(1))},
	{"2,000 bodies that stop before the end", "bodies", strangers("2,000 bodies that stop before the end", 2_000, halfBody(200_000))},
	{"2,000 half-sent heads", "bodies", strangers("2,000 half-sent heads", 2_000, "POST /callback HTTP/1.1\r\nHost: x\r\nX-")},
	{"300 streams that nobody reads", "streams", operators("300 streams that nobody reads", 300, "GET /api/decisions?stream=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")},
	{"2,000 idle operators", "operators", operators("2,000 idle operators", 2000, "")},
	{"a flood of empty and unsigned requests", "flood", flood(unasked)},
	{"a flood of forged requests for a person", "forged", flood(forged)},

	{"Desk hangs", "desk", deskFails(desktest.Fault{Kind: desktest.FaultDelay, Delay: 6 * time.Second})},
	{"Desk drops every call", "desk", deskFails(desktest.Fault{Kind: desktest.FaultDrop})},
	{"Desk acts and drops", "desk", deskFails(desktest.Fault{Kind: desktest.FaultDrop, After: true, Probability: .5})},
	{"Desk is slow", "desk", deskFails(desktest.Fault{Kind: desktest.FaultDelay, Delay: 400 * time.Millisecond})},
	{"Desk answers 502 and HTML", "desk", deskFails(
		desktest.Fault{Kind: desktest.Fault502, Probability: .3}, desktest.Fault{Kind: desktest.Fault502, After: true, Probability: .3},
		desktest.Fault{Kind: desktest.FaultHTML, After: true, Probability: .3}, desktest.Fault{Kind: desktest.FaultInvalid, After: true, Probability: .3})},
	{"Desk answers 429", "desk", deskFails(desktest.Fault{Kind: desktest.Fault429})},
	{"Desk refuses some", "desk", deskFails(
		desktest.Fault{Kind: desktest.FaultCode, Code: 141002, Probability: .2}, desktest.Fault{Kind: desktest.FaultCode, Code: 141003, Probability: .2},
		desktest.Fault{Kind: desktest.FaultCode, Code: 141005, Probability: .1}, desktest.Fault{Kind: desktest.FaultCode, Code: 60011, Probability: .2})},
	{"Desk refuses our key", "desk", deskFails(desktest.Fault{Kind: desktest.FaultCode, Code: 70009})},
	{"no agent is online", "agents", func(w *walk) func() {
		w.desk.SetOnline(agentLi, false)
		return func() { w.desk.SetOnline(agentLi, true) }
	}},
	{"our own bot hangs", "bot", ownBotIs(botHangs)},
	{"our own bot fails", "bot", ownBotIs(botFails)},

	{"kill -9", "life", killed},
	{"kill -9", "life", killed},
	{"SIGTERM", "life", stopped},
	{"SIGTERM", "life", stopped},
}

func killed(w *walk) func() { w.process.kill(); w.process.start(); return nil }

func stopped(w *walk) func() { w.process.stop(); w.process.start(); return nil }

// stallLog: what is dropped must show in the readiness.
func stallLog(w *walk) func() {
	life, before := w.process.life.Load(), w.metric("escalator_log_dropped_total")
	goOn := w.log.stall()
	return func() {
		dropped, ready := w.metric("escalator_log_dropped_total"), w.watch.ready()
		if w.process.life.Load() == life && dropped > before && ready.Status == "ready" {
			w.complain("%v log lines dropped, and it says it is ready", dropped-before)
		}
		goOn()
	}
}

// fillDisk: what refuses escalations because of its disk is not ready.
func fillDisk(w *walk) func() {
	w.disk.fill()
	w.app.refused.Store(0)
	return func() {
		life, ready := w.process.life.Load(), w.watch.ready()
		if w.app.refused.Load() == life && ready.Status != "unready" {
			w.complain("escalations are refused on a full disk, and it says %+v", ready)
		}
		w.disk.free()
	}
}

// deleteRecordings: they go on in a new folder.
func deleteRecordings(w *walk) func() {
	w.disk.remove("recordings")
	life := w.process.life.Load()
	return func() {
		made := func() bool {
			return w.process.life.Load() != life || w.disk.lacked() || w.disk.holds("recordings/*.jsonl")
		}
		if !w.eventually(3*time.Second, made) {
			w.complain("the recordings were deleted, and nothing is recorded since")
		}
	}
}

// ruleFileIs puts something else in the place of the rule file; at the end it
// has to answer nevertheless, and the good file comes back.
func ruleFileIs(put func(path string) error) func(*walk) func() {
	return func(w *walk) func() {
		path := filepath.Join(w.dir, "rules.yaml")
		_ = os.Remove(path)
		if err := put(path); err != nil {
			w.t.Fatal(err)
		}
		life := w.process.life.Load()
		return func() {
			if ready := w.watch.ready(); w.process.life.Load() != life && ready.Status == "ready" && !isGood(path) {
				w.complain("started with a bad rule file, and it says %+v", ready)
			}
			for _, path := range []string{"/api/rules", "/api/outbox"} {
				if status, _, err := w.ask(http.MethodGet, path); err != nil || status != http.StatusOK {
					w.complain("%s without a good rule file: %d %v", path, status, err)
				}
			}
			w.putRules(walkRules)
		}
	}
}

// isGood tells whether a start has found the good file, which it puts back where
// there was none.
func isGood(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == int64(len(walkRules))
}

// writeLarge writes a file with a good beginning.
func writeLarge(path, beginning string, size int64) error {
	if err := os.WriteFile(path, []byte(beginning+"#"), 0o600); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// halfBody announces a megabyte and sends a part of it.
func halfBody(sent int) string {
	return "POST /callback?SdkAppid=1400000000&CallbackCommand=Desk.SessionEventNotify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
		`{"a":"` + strings.Repeat("x", sent)
}

func strangers(who string, size int, opening string) func(*walk) func() {
	return func(w *walk) func() { return w.gathered(who, w.process.public, size, opening) }
}

func operators(who string, size int, opening string) func(*walk) func() {
	return func(w *walk) func() { return w.gathered(who, w.process.admin, size, opening) }
}

func (w *walk) gathered(who, address string, size int, opening string) func() {
	disperse := gather(address, crowdRoom(size), opening)
	return func() {
		most := disperse()
		w.note("%d were there at once", most)
		w.reached[who] = max(w.reached[who], most)
	}
}

// deskFails sets faults; one without a probability comes with every call.
func deskFails(all ...desktest.Fault) func(*walk) func() {
	return func(w *walk) func() {
		for _, f := range all {
			if f.Probability == 0 {
				f.Probability = 1
			}
			if err := w.desk.Fail(f); err != nil {
				w.t.Fatal(err)
			}
		}
		return func() {
			held, ready := w.metric("escalator_courier_held"), w.watch.ready()
			if held > 0 && ready.Status == "ready" {
				w.complain("the courier is held, and it says %+v", ready)
			}
			w.desk.ClearFaults()
		}
	}
}

func ownBotIs(state int32) func(*walk) func() {
	return func(w *walk) func() { w.own.set(state); return func() { w.own.set(botWorks) } }
}
