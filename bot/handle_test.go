package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestHandle_saysWhoAnswersTheCustomer(t *testing.T) {
	for _, c := range []struct {
		provider  AIProvider
		text      string
		want, not string
	}{
		{AIProviderDesk, "你好", `"AIProvider":1`, ""},
		{AIProviderDesk, "转人工", `"AIProvider":0`, ""},
		{AIProviderSelf, "你好", `"AIProvider":0`, ""},
		{AIProviderOmit, "转人工", `"ErrorCode":0`, "AIProvider"},
	} {
		t.Run(fmt.Sprint(c.provider, " ", c.text), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.bot.AIProvider = c.provider
				got := string(w.user(c.text).JSON)
				if !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
					t.Errorf("answer %s", got)
				}
			})
		})
	}
}

func TestHandle_onlyACustomersMessageIsAskedWhoAnswers(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, e := range []*desk.Event{
			w.event(desk.EventSessionBegin, "", ""), w.event(desk.EventBotMessage, "hello", ""), w.event("Nobody.KnowsIt", "", ""),
		} {
			if got := string(w.handle(e).JSON); got != `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}` {
				t.Errorf("%s: answer %s", e.Name, got)
			}
		}
	})
}

func TestHandle_tenCopiesAtOnce_areOneCallback(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.event(desk.EventUserMessage, "转人工", "")
		var repeats atomic.Int32
		var all sync.WaitGroup
		for range 10 {
			mine := *e // each request is decoded into an event of its own
			all.Go(func() {
				a := w.handle(&mine)
				if a.Repeat {
					repeats.Add(1)
				}
				if !strings.Contains(string(a.JSON), `"AIProvider":0`) {
					t.Errorf("answer %s", a.JSON)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if repeats.Load() != 9 || len(w.log.Lines("decision")) != 1 {
			t.Errorf("%d repeats, %d decisions", repeats.Load(), len(w.log.Lines("decision")))
		}
		w.wantCalls(1, 0)
		if n := testutil.ToFloat64(w.bot.Metrics.DedupHits); n != 9 {
			t.Errorf("dedup_hits_total %v", n)
		}
	})
}

func TestHandle_countsTheBotsMisses(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 2 {
			w.user("怎么改地址")
			w.handle(w.event(desk.EventBotMessage, "抱歉", "fallback"))
			synctest.Wait()
		}
		w.wantOutcomes("assigned")
		line := w.log.Lines("transfer")[0]
		if line["rule"] != "bot-stuck" || line["target"] != "default" || line["agent"] != "li@example.com" {
			t.Errorf("transfer line %v", line)
		}
	})
}

// The log tells what is missing, and nothing of what the customer wrote or of who that is.
func TestHandle_messagesOfNoConversation_areOneLineOfEachKind(t *testing.T) {
	inWorld(t, func(w *world) {
		for n := range 200 {
			e := w.raw(desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","session_id":"s-1","ClientUserId":"lihua","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"human 13800138000"}}]}`)
			if n%2 > 0 {
				e = w.raw(desk.CommandC2CAfter, `{"from":"lihua","To_Account":"@service","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"human 13800138000"}}]}`)
			}
			e.RequestID = fmt.Sprint("r-", n)
			w.handle(e)
		}
		w.handle(w.event(desk.EventUserMessage, "human", ""))
		var missing []any
		for _, line := range w.log.Lines("a message names no conversation: acknowledged and ignored") {
			missing = append(missing, line["missing"])
			if text := fmt.Sprint(line); line["level"] != "warning" || line["request_id"] == nil || strings.Contains(text, "lihua") || strings.Contains(text, "1380") {
				t.Errorf("line %s", text)
			}
		}
		want := []any{[]any{"SessionId", "CustomerServiceId"}, []any{"From_Account"}}
		if diff := cmp.Diff(want, missing); diff != "" {
			t.Errorf("what the lines of two hundred messages name as missing (-want +got):\n%s", diff)
		}
		if n := testutil.ToFloat64(w.bot.Metrics.Unplaced); n != 200 {
			t.Errorf("unplaced_messages_total %v", n)
		}
		if n := len(w.log.Lines("decision")); n != 1 {
			t.Errorf("%d decisions, want that of the message that names its conversation", n)
		}
	})
}

func TestHandle_ignoresOurOwnWordsAndThePlugin(t *testing.T) {
	inWorld(t, func(w *world) {
		own := w.event(desk.EventBotMessage, "human human", "")
		own.CloudCustomData, own.Body = `{"escalator":"say"}`, []byte(`{"CloudCustomData":"{\"escalator\":\"say\"}"}`)
		w.handle(own)
		start := w.event(desk.EventUserMessage, "human", "")
		start.Plugin, start.PluginSrc, start.Text = true, "7", ""
		w.handle(start)
		synctest.Wait()
		if lines := w.log.Lines("decision"); len(lines) != 0 {
			t.Errorf("decisions %v", lines)
		}
	})
}

func TestHandle_unknownEvents_areLoggedOnceAndCountedWithinBounds(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 100 {
			w.handle(w.event(fmt.Sprintf("Event.%d", i%50), "", ""))
		}
		lines := w.log.Lines("unknown event: acknowledged and ignored; map it under events: in the rule file")
		if len(lines) != maxUnknownNames+1 {
			t.Errorf("%d lines, want one for each of %d names and one for the others", len(lines), maxUnknownNames)
		}
		if n := testutil.CollectAndCount(w.bot.Metrics.UnknownEvents); n != maxUnknownNames+1 {
			t.Errorf("%d label values", n)
		}
	})
}

// A callback that was set up under a wrong command must not be ignored in silence.
func TestHandle_unknownCommands_areLoggedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 3 {
			w.handle(&desk.Event{Command: "ChatBot.UserSendMsg", SessionID: "s1"})
		}
		w.handle(&desk.Event{Command: desk.CommandGroupAfter})
		lines := w.log.Lines("unknown callback command: acknowledged and ignored; Desk's messages come as Desk.SessionEventNotify")
		if len(lines) != 1 || lines[0]["event"] != "ChatBot.UserSendMsg" {
			t.Errorf("%v", lines)
		}
	})
}

// Custom data is the client's to write: what stands where a mark belongs is words,
// unless it looks like one.
func TestHandle_unknownEvents_showNoWordsInTheirMark(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bot.LogText = mask.None
		marks := []string{"fallback", "call me", "u13812345678"}
		for i, mark := range marks {
			w.handle(w.event(fmt.Sprintf("Event.%d", i), "", mark))
		}
		for i, line := range w.log.Lines("unknown event: acknowledged and ignored; map it under events: in the rule file") {
			if want := []any{"fallback", nil, "u***"}[i]; line["mark"] != want {
				t.Errorf("%q is shown as %v, want %v", marks[i], line["mark"], want)
			}
		}
		w.handle(w.event("Event.0", "", "fallback"))
		if seen := w.bot.UnknownEvents(); len(seen) != 3 || seen["Event.0"] != 2 || seen["Event.2"] != 1 {
			t.Errorf("operators are shown %v", seen)
		}
	})
}

func TestHandle_aMarkMovesThePhase_underAnyEventName(t *testing.T) {
	inWorld(t, func(w *world) {
		w.handle(w.event("Some.Unknown", "an agent is here", "connectedToAgent"))
		w.wantPhase(rules.PhaseHuman)
		w.user("转人工")
		line := w.log.Lines("decision")[0]
		if line["outcome"] != "suppressed" || line["reason"] != "already_human" {
			t.Errorf("decision %v", line)
		}
		w.handle(w.event("Some.Unknown", "", "timeoutAutoClosure"))
		w.wantPhase(rules.PhaseBot)
	})
}

// brokenOutbox cannot store anything while broken is set.
type brokenOutbox struct {
	*memory.Outbox
	broken atomic.Bool
}

func (o *brokenOutbox) Put(ctx context.Context, t *store.Transfer) error {
	if o.broken.Load() {
		return errors.New("no space left on device")
	}
	return o.Outbox.Put(ctx, t)
}

func TestHandle_whatCannotBeStored_leavesNothingHalfDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &brokenOutbox{Outbox: memory.NewOutbox(nil)}
		w := newWorld(t, outbox)
		w.bot.Start()
		defer func() { _ = w.bot.Stop(t.Context()) }()
		outbox.broken.Store(true)
		e := w.event(desk.EventUserMessage, "转人工", "")
		if _, err := w.bot.Handle(t.Context(), Request{Event: e}); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("Handle = %v, want ErrUnavailable", err)
		}
		w.wantPhase(rules.PhaseBot)
		outbox.broken.Store(false)
		if a := w.handle(e); a.Repeat { // Tencent sends it again
			t.Error("the second try counts as a repeat")
		}
		synctest.Wait()
		w.wantOutcomes("assigned")
	})
}

func TestHandle_aForgottenConversation_isNotTransferredTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.slow = time.Minute
		w.user("转人工")
		w.bot.Conversations = memory.NewConversations(memory.ConversationsOptions{
			Outbox: w.outbox, Max: 10, Expires: func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) },
		})
		w.user("转人工")
		line := w.log.Lines("decision")[1]
		if line["outcome"] != "suppressed" || line["reason"] != "already_transferring" {
			t.Errorf("decision %v", line)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.wantCalls(1, 0)
	})
}

func TestDecisions_newestFirst_withTheirTransfers(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 3 {
			e := w.event(desk.EventUserMessage, "转人工 13812345678", "")
			e.SessionID = fmt.Sprint("s", i)
			w.handle(e)
		}
		synctest.Wait()
		list := w.decisions(2)
		if len(list) != 2 || list[0].Session != "s2" || list[1].Session != "s1" {
			t.Fatalf("recent %+v", list)
		}
		for _, d := range list {
			if d.Text != "转人工 ***" || d.Transfer == nil || d.Transfer.Outcome != "assigned" || !d.Transfer.Final {
				t.Errorf("%+v with the transfer %+v", d, d.Transfer)
			}
		}
		if line := w.log.Lines("decision")[2]; line["id"] != list[0].ID {
			t.Errorf("the line has the id %v, the list %s", line["id"], list[0].ID)
		}
	})
}

// namedMarks notes for which conversation each callback is claimed.
type namedMarks struct {
	store.Dedup
	conversations []string
}

func (m *namedMarks) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	m.conversations = append(m.conversations, conversation)
	return m.Dedup.Claim(ctx, key, conversation)
}

// TestHandle_directMessage_isClaimedWithItsConversation: a store keeps the two
// together, and must not be told of another conversation later.
func TestHandle_directMessage_isClaimedWithItsConversation(t *testing.T) {
	inWorld(t, func(w *world) {
		marks := &namedMarks{Dedup: w.bot.Dedup}
		w.bot.Dedup = marks
		for n, parties := range [][2]string{{"user1", "@service"}, {"@service", "user1"}, {"user1", "user2"}} {
			body := fmt.Sprintf(`{"CallbackCommand":%q,"From_Account":%q,"To_Account":%q,"MsgKey":"%d","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}}]}`,
				desk.CommandC2CAfter, parties[0], parties[1], n)
			e, err := desk.Decode(desk.ParseQuery("SdkAppid=1&CallbackCommand="+desk.CommandC2CAfter), []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.bot.Handle(t.Context(), Request{Event: e}); err != nil {
				t.Error(err)
			}
		}
		if want := []string{"im:user1|@service", "im:user1|@service", ""}; !slices.Equal(marks.conversations, want) {
			t.Errorf("claimed for %q, want %q", marks.conversations, want)
		}
	})
}
