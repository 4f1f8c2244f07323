package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store/memory"
)

// ownBot is the operator's own bot, told from outside what it does.
type ownBot struct {
	mu     sync.Mutex
	answer []byte
	err    error
	dies   bool // the process ends while it is asked
	slow   time.Duration
	seen   []string
}

func (o *ownBot) Forward(_ context.Context, _ string, _ http.Header, body []byte) ([]byte, error) {
	if o.slow > 0 {
		<-time.After(o.slow)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, string(body))
	if o.dies {
		panic("killed")
	}
	return o.answer, o.err
}

// behind runs test with an own bot behind us, and a store that can fail.
func behind(t *testing.T, test func(w *world, own *ownBot, outbox *brokenOutbox)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		outbox := &brokenOutbox{Outbox: memory.NewOutbox(nil)}
		own := &ownBot{answer: []byte(`{"own":"answer"}`)}
		w := newWorld(t, outbox, func(o *Options) { o.Backend = own })
		w.bot.SetPolicy(mustLoad(t, `
version: 1
lists: {person: [human]}
targets: {default: {}}
rules:
  - {id: human, when: {says: [$person]}, then: {transfer: default}, cooldown: 1s}
  - {id: stuck, when: {bot_missed: {times: 1, within: 1h}}, then: {transfer: default}}
  - {id: many, when: {rate: {messages: 2, within: 1h}}, then: {transfer: default}}
`))
		w.bot.Start()
		test(w, own, outbox)
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOwnBot_aMissThatCannotBeStored_isTriedAgainAtTheMiss(t *testing.T) {
	behind(t, func(w *world, own *ownBot, outbox *brokenOutbox) {
		own.err = errors.New("down")
		outbox.broken.Store(true)
		e := w.told("", "s1", desk.EventUserMessage, "k", "where is it")
		for range 3 {
			if _, err := w.bot.Handle(w.t.Context(), Request{Event: e}); !errors.Is(err, ErrUnavailable) {
				t.Fatalf("Handle = %v, want ErrUnavailable", err)
			}
		}
		outbox.broken.Store(false)
		w.wantProvider(e, "0")
		w.wantProvider(e, "0")
		w.wantOutcomes("assigned")
		if line := w.log.Lines("transfer")[0]; line["rule"] != "stuck" {
			t.Errorf("the message was counted again: %v", line)
		}
		if len(own.seen) != 1 {
			t.Errorf("the own bot was asked %d times", len(own.seen))
		}
	})
}

func TestOwnBot_aProcessThatDiesWhileItIsAsked_hasCountedTheMessage(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		own.dies = true
		e := w.told("", "s1", desk.EventUserMessage, "k", "where is it")
		func() {
			defer func() { _ = recover() }()
			_, _ = w.bot.Handle(w.t.Context(), Request{Event: e})
		}()
		own.dies = false
		if got := string(w.handle(e).JSON); got != `{"own":"answer"}` {
			t.Errorf("answer %s", got)
		}
		w.wantOutcomes("") // and no rule of two messages
	})
}

func TestOwnBot_eachCommandIsPassedOnOnce_andAnsweredByItsOwnAnswer(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		copies := []*desk.Event{
			w.fromIM(desk.CommandC2CAfter, "k", "where is it"), w.fromIM(desk.CommandBotC2C, "k", "where is it"),
			w.told("", "s1", desk.EventUserMessage, "k", "where is it"),
		}
		for range 2 {
			for i, e := range copies {
				want := `{"own":"answer"}`
				if i == 0 { // nobody reads its answer
					want = string(answerOK)
				}
				if got := string(w.handle(e).JSON); got != want {
					t.Errorf("%s: answer %s", e.Command, got)
				}
			}
		}
		if len(own.seen) != 2 {
			t.Errorf("the own bot was asked %d times", len(own.seen))
		}
		w.wantOutcomes("")
	})
}

func TestOwnBot_whatEscalates_isNotPassedOn_underAnyCommand(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		w.wantAnswer(w.fromIM(desk.CommandBotC2C, "k", "human"))
		w.wantProvider(w.told("", "s1", desk.EventUserMessage, "k", "human"), "0")
		w.wantProvider(w.told("", "s1", desk.EventUserMessage, "k", "human"), "0")
		if len(own.seen) != 0 {
			t.Errorf("the own bot was asked %d times", len(own.seen))
		}
		w.wantOutcomes("assigned")
	})
}

// TestOwnBot_failsForOneCopy_theOtherGetsTheSameDecision: the miss of one message
// is decided once, whichever copy is asked about it.
func TestOwnBot_failsForOneCopy_theOtherGetsTheSameDecision(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		own.err = errors.New("down")
		w.wantAnswer(w.fromIM(desk.CommandBotC2C, "k", "where is it"))
		w.wantOutcomes("assigned")
		own.err = nil
		w.wantProvider(w.told("", "s1", desk.EventUserMessage, "k", "where is it"), "0")
		if len(own.seen) != 1 {
			t.Errorf("the own bot was asked %d times", len(own.seen))
		}
	})
}

func TestOwnBot_aLongAnswer_isGivenOnce_andNotKept(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		own.answer = []byte(`{"own":"` + strings.Repeat("x", maxOwnAnswer) + `"}`)
		e := w.told("", "s1", desk.EventUserMessage, "k", "where is it")
		if got := w.handle(e).JSON; len(got) != len(own.answer) {
			t.Errorf("answer of %d bytes", len(got))
		}
		w.wantProvider(e, "1")
		if len(own.seen) != 1 {
			t.Errorf("the own bot was asked %d times", len(own.seen))
		}
	})
}

func TestOwnBot_thatIsDown_isOneLineWithACount(t *testing.T) {
	behind(t, func(w *world, own *ownBot, _ *brokenOutbox) {
		own.err = errors.New("down")
		for i := range 1000 {
			w.handle(w.told("", "s1", "ChatBot.RobotSendMsg", fmt.Sprint("k", i), "hello"))
		}
		time.Sleep(time.Minute)
		lines := w.log.Lines("your own bot failed to answer")
		if len(lines) != 2 || lines[1]["omitted"] != float64(998) {
			t.Errorf("%d lines, the last %v", len(lines), lines[len(lines)-1])
		}
	})
}

// TestOwnBot_whereDeskReports_itsCopyDoesNotWaitForPlainIMs: the one counts for nothing, and its sender waits 2 s for
// the other's answer (PROTOCOL.md 4.4).
func TestOwnBot_whereDeskReports_itsCopyDoesNotWaitForPlainIMs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 1400 * time.Millisecond
		own := &ownBot{answer: []byte(`{"own":"answer"}`), slow: slow}
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) { o.Backend = own })
		w.handle(w.told("", "s1", desk.EventUserMessage, "k0", "hello"))
		var both sync.WaitGroup
		both.Go(func() { w.handle(w.fromIM(desk.CommandBotC2C, "k1", "where is it")) })
		synctest.Wait()
		began := time.Now()
		both.Go(func() {
			w.handle(w.told("", "s1", desk.EventUserMessage, "k1", "where is it"))
			if took := time.Since(began); took > slow {
				t.Errorf("answered after %s", took)
			}
		})
		both.Wait()
		if len(own.seen) != 3 {
			t.Errorf("the own bot was asked %d times, want once for each command", len(own.seen))
		}
	})
}
