package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/store/memory"
)

// inWorldWithHistory is inWorld with a history in a folder of the test's own.
func inWorldWithHistory(t *testing.T, mode mask.Mode, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, err := history.Open(history.Options{Dir: t.TempDir(), Mask: mode, For: 72 * time.Hour, Max: 1 << 20, Log: logrus.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) { o.History, o.LogText = h, mode })
		w.bot.Start()
		test(w)
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
}

// story tells a conversation in short, a line an entry.
func story(c *history.Conversation) (lines []string) {
	for _, e := range c.Entries {
		words := []string{string(e.Kind), e.Role, e.Text, e.Mark, e.From, strings.Repeat("→", min(1, len(e.From))), e.Phase, e.Outcome, e.Rule, e.Reason, e.Why, e.Near, e.Target, e.Agent, e.Error}
		lines = append(lines, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
	}
	return lines
}

func (w *world) story(session string) []string {
	w.t.Helper()
	c, err := w.bot.Conversation(w.t.Context(), session)
	if err != nil {
		w.t.Fatal(err)
	}
	return story(c)
}

func TestHistory_tellsAConversationFromItsFirstMessageToTheAgent(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.user("where is order 13800138000")
		w.handle(w.event(desk.EventBotMessage, "sorry", "fallback"))
		w.desk.answer(nil, code(141001), nil)
		w.passes(time.Second)
		w.user("a human please")
		w.passes(time.Second)
		w.handle(w.event("Agent.Said", "hello, this is Li", ""))
		w.passes(time.Second)
		w.handle(w.event("Session.Over", "", ""))
		got := w.story("s1")
		want := []string{
			"turn user where is order *** bot none",
			"turn bot sorry fallback bot none bot_missed: 1 of 2 in 15m bot-stuck",
			"turn user a human please bot → transferring transfer ask-human says: found human ($person) default",
			"attempt no_agent ask-human default no agent is online",
			"phase transferring → bot no_agent ask-human",
			"turn agent hello, this is Li bot → human",
			"phase human → bot",
		}
		for i := range want { // the texts of codes are not this test's
			if i >= len(got) || !strings.HasPrefix(got[i], want[i]) && i != 3 || i == 3 && !strings.HasPrefix(got[i], "attempt no_agent ask-human") {
				t.Errorf("line %d: %q, want %q", i, append(got, "")[min(i, len(got))], want[i])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d entries:\n%s", len(got), strings.Join(got, "\n"))
		}
	})
}

// "Why did this one not escalate?" has its answer in each turn: what became of each rule.
func TestHistory_saysOfEachTurn_whatBecameOfEachRule(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		if _, err := w.bot.Mute("vip", time.Hour, "li", "too often"); err != nil {
			t.Fatal(err)
		}
		w.user("vip 13800138000, is a human not a robot")
		w.handle(w.event(desk.EventBotMessage, "sorry", "fallback"))
		c, err := w.bot.Conversation(w.t.Context(), "s1")
		if err != nil {
			t.Fatal(err)
		}
		turn := c.Entries[slices.IndexFunc(c.Entries, func(e history.Entry) bool { return e.Role == "bot" })]
		var got []string
		for _, r := range turn.Rules {
			got = append(got, strings.TrimSpace(fmt.Sprint(r.ID, " ", r.Result, " ", r.Reason, " ", r.Why)))
		}
		want := []string{
			"vip muted muted muted by li until 01:00: too often",
			"ask-human no  says: applies to a user message only",
			"bot-stuck no  bot_missed: 1 of 2 in 15m",
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if b := turn.CountersBefore; b == nil || b.MissesInARow != 0 || turn.Counters.MissesInARow != 1 {
			t.Errorf("counters from %+v to %+v", b, turn.Counters)
		}
		if turn.RulesVersion != w.bot.Policy().Version() || c.Counters == nil || c.Counters.UserMessages != 1 || c.User != "user1" {
			t.Errorf("%+v, counters %+v", turn, c.Counters)
		}
	})
}

func TestHistory_holdsNoWords_whereTheLogMayNotShowThem(t *testing.T) {
	inWorldWithHistory(t, mask.None, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, shadowRules))
		w.user("order 13800138000")
		got := w.story("s1")
		if want := []string{"turn user bot shadow field; says sales"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestHistory_ofUser_isTheSessionOfTheLastMessage(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.user("human")
		session, err := w.bot.History.OfUser(w.t.Context(), "user1")
		if session != "s1" || err != nil {
			t.Errorf("%q %v", session, err)
		}
		if _, err := w.bot.Conversation(w.t.Context(), "s2"); !errors.Is(err, history.ErrUnknown) {
			t.Errorf("an unknown one: %v", err)
		}
	})
	inWorld(t, func(w *world) {
		w.user("human")
		if _, err := w.bot.Conversation(w.t.Context(), "s1"); !errors.Is(err, ErrNoHistory) {
			t.Errorf("without history: %v", err)
		}
	})
}

// A rating is told whether or not a rule asks for it, and so is what a code of Desk means.
func TestHistory_tellsRatings_andWhatCodesMean(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.desk.answer(code(141001))
		w.user("a human please")
		w.passes(time.Second)
		w.handle(w.rated("Satisfaction.Whatever", "2"))
		w.handle(w.rated("Agent.Said", "5"))
		c, err := w.bot.Conversation(w.t.Context(), "s1")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range c.Entries {
			if e.Rating > 0 || e.Code != "" && e.Code != "0" {
				got = append(got, fmt.Sprint(e.Kind, " ", e.Role, " ", e.Rating, " ", e.Code, " ", e.CodeWords))
			}
		}
		want := []string{"attempt  0 141001 no agent is online", "turn rating 2  ", "turn agent 5  "}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestHistory_ofAnUnknownSession_saysWhatIsKept_andTheNearestName(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		e := w.event(desk.EventUserMessage, "a human please", "")
		e.SessionID = "2baf4d84-beb4"
		w.handle(e)
		for asked, want := range map[string]string{
			"4d84":          " (conversations in it: 1); there is 2baf4d84-beb4",
			"2baf4d84-bab4": " (conversations in it: 1); did you mean 2baf4d84-beb4?",
			"other":         " (conversations in it: 1)",
		} {
			_, err := w.bot.Conversation(w.t.Context(), asked)
			if !errors.Is(err, history.ErrUnknown) || !strings.HasSuffix(err.Error(), want) || !strings.Contains(err.Error(), "history is kept for 72h") {
				t.Errorf("%s: %v", asked, err)
			}
		}
		synctest.Wait()                                                                 // what becomes of the transfer is written too
		if _, err := w.bot.History.Forget(w.t.Context(), "2baf4d84-beb4"); err != nil { // as when a full disk took nothing of it
			t.Fatal(err)
		}
		if _, err := w.bot.Conversation(w.t.Context(), "2baf4d84-beb4"); err == nil || !strings.HasSuffix(err.Error(), "; its decisions are still listed") {
			t.Errorf("a session without history, but with decisions: %v", err)
		}
	})
}
