package bot

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
)

// fakeBackend is the operator's own bot.
type fakeBackend struct {
	err   error
	calls int
}

func (f *fakeBackend) Forward(context.Context, string, http.Header, []byte) ([]byte, error) {
	f.calls++
	return []byte(`{"own":"answer"}`), f.err
}

func forwarding(t *testing.T, test func(w *world, own *fakeBackend)) {
	t.Helper()
	withCallbacks(t, func(w *world) {
		own := &fakeBackend{}
		w.bot.Backend = own
		test(w, own)
	})
}

func TestPassOn_theOwnBotAnswers_whatIsNotEscalated(t *testing.T) {
	forwarding(t, func(w *world, own *fakeBackend) {
		e := w.event(desk.EventUserMessage, "hello", "")
		for _, e := range []*desk.Event{e, e, w.event(desk.EventSessionBegin, "", ""), w.event("Unknown.Event", "", ""), im(w, desk.CommandBotC2C, "1", "hello"), im(w, desk.CommandBotGroup, "2", "hello")} {
			if got := string(w.handle(e).JSON); got != `{"own":"answer"}` {
				t.Errorf("%s %s: answer %s", e.Command, e.Name, got)
			}
		}
		if own.calls != 5 { // the repeat is answered from memory
			t.Errorf("%d calls", own.calls)
		}
		if got := string(w.user("human").JSON); !strings.Contains(got, `"AIProvider":0`) || own.calls != 5 {
			t.Errorf("escalated: answer %s, %d calls", got, own.calls)
		}
		if got := string(w.handle(im(w, desk.CommandC2CBefore, "3", "x")).JSON); strings.Contains(got, "own") {
			t.Errorf("a before-callback was passed on: %s", got)
		}
	})
}

func TestPassOn_aBotThatFails_isAMiss_andMayEscalateThisVeryMessage(t *testing.T) {
	forwarding(t, func(w *world, own *fakeBackend) {
		own.err = errors.New("it did not answer in time")
		got := string(w.user("where is it").JSON)
		synctest.Wait()
		if !strings.Contains(got, `"AIProvider":0`) {
			t.Errorf("answer %s", got)
		}
		w.wantOutcomes("assigned")
		if line := w.log.Lines("transfer")[0]; line["rule"] != "stuck" {
			t.Errorf("transfer %v", line)
		}
		if len(w.log.Lines("your own bot failed to answer")) != 1 {
			t.Error("the failure is not in the log")
		}
	})
}

func TestPassOn_aBotThatFails_desksRobotAnswers(t *testing.T) {
	inWorld(t, func(w *world) { // its rules want two misses
		w.bot.Backend = &fakeBackend{err: errors.New("down")}
		if got := string(w.user("where is it").JSON); !strings.Contains(got, `"AIProvider":1`) {
			t.Errorf("answer %s", got)
		}
	})
}

func TestPassOn_plainIM_reachesTheOwnBot_alsoWhereItCountsForNothing(t *testing.T) {
	forwarding(t, func(w *world, own *fakeBackend) {
		w.user("hello") // Desk tells of user1 with @service
		own.err = errors.New("down")
		swap := []string{`"From_Account":"jared","To_Account":"@RBT#001"`, `"From_Account":"user1","To_Account":"@service"`}
		for i, e := range []*desk.Event{
			im(w, desk.CommandBotC2C, "1", "told by Desk too", swap...),
			im(w, desk.CommandBotC2C, "2", "not delivered", `"SendMsgResult":0`, `"SendMsgResult":20006`),
			im(w, desk.CommandBotC2C, "3", "between robots", `"From_Account":"jared"`, `"From_Account":"@RBT#2"`),
		} {
			w.wantAnswer(e)
			if own.calls != i+2 {
				t.Errorf("%s: %d calls", e.Text, own.calls)
			}
		}
		w.wantOutcomes("") // and none of them is a miss
		w.wantAnswer(im(w, desk.CommandBotC2C, "4", "where is it"))
		w.wantOutcomes("assigned")
	})
}

// At each consultation entry answers whom the rule file names for it, and only what is the own bot's is passed on.
func TestProvider_byEntry_whoAnswersAndWhatIsPassedOn(t *testing.T) {
	const file = testRules + `ai_provider: {default: desk, "@shop": self, "@quiet": omit, "@trial": {self: 50%, else: desk}}` + "\n"
	for _, c := range []struct {
		service, user, want string
		passed              bool
	}{
		{"@shop", "u1", `"AIProvider":0`, true},
		{"@other", "u1", `"AIProvider":1`, false},
		{"@quiet", "u1", "", false},
		{"@trial", "u1", `"AIProvider":1`, false}, // 735 of 1,000
		{"@trial", "u3", `"AIProvider":0`, true},  // 10
	} {
		for _, own := range []*fakeBackend{nil, {}} {
			withCallbacks(t, func(w *world) {
				w.bot.SetPolicy(mustLoad(t, file))
				if own != nil {
					w.bot.Backend = own
				}
				e := w.event(desk.EventUserMessage, "hello", "")
				e.ServiceID, e.UserID = c.service, c.user
				got := string(w.handle(e).JSON)
				switch {
				case own != nil && (own.calls > 0) != c.passed:
					t.Errorf("%s of %s: passed on %d times", c.service, c.user, own.calls)
				case own != nil && c.passed:
					if got != `{"own":"answer"}` {
						t.Errorf("%s of %s: answer %s", c.service, c.user, got)
					}
				case !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "AIProvider"):
					t.Errorf("%s of %s: answer %s", c.service, c.user, got)
				}
			})
		}
	}
}

// What the rule file does not name is as the settings say, and passed on as ever.
func TestProvider_anEntryThatIsNotNamed_isLeftToTheSettings(t *testing.T) {
	forwarding(t, func(w *world, own *fakeBackend) {
		w.bot.SetPolicy(mustLoad(t, testRules+`ai_provider: {"@shop": desk}`+"\n"))
		if w.user("hello"); own.calls != 1 {
			t.Errorf("passed on %d times", own.calls)
		}
	})
}

// A rule with a share knows the customer of a callback, and of a group or a stranger the session; timers know it too.
func TestShare_isAskedOfTheCustomer_inLiveTraffic(t *testing.T) {
	const file = `
version: 1
targets: {default: {}}
rules:
  - {id: vip, share: 55%, when: {says: [gold]}, then: {transfer: default}}
  - {id: silent, share: 55%, when: {bot_silent: 30s}, then: {transfer: default}}
`
	for _, c := range []struct {
		user, session, says string
		transfers           int
	}{
		{"c1", "s", "gold", 0},
		{"c3", "s", "gold", 1},
		{"", "c1", "gold", 0},
		{"", "c3", "gold", 1},
		{"c4", "s", "hello", 0},
		{"c5", "s", "hello", 1},
	} {
		inWorld(t, func(w *world) {
			w.bot.SetPolicy(mustLoad(t, file))
			e := w.event(desk.EventUserMessage, c.says, "")
			e.UserID, e.SessionID, e.ServiceID = c.user, c.session, ""
			w.handle(e)
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := len(w.desk.transfers); n != c.transfers {
				t.Errorf("%q %q says %s: %d transfers", c.user, c.session, c.says, n)
			}
		})
	}
}
