package bot

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/store/memory"
)

const linkRules = `
version: 1
lists: {person: [human]}
targets: {default: {retry_if_no_agent: {every: 10m, for: 1h}}}
events: {Session.Over: closed}
rules:
  - {id: human, when: {says: [$person]}, then: {transfer: default}, cooldown: 1s}
  - {id: many, when: {rate: {messages: 3, within: 1h}}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 1h}}, then: {transfer: default}}
`

// linked is a customer of whom both plain IM and Desk may tell: session s1 of
// user1 with @service.
type linked struct {
	*world
	n int
}

func withLinks(t *testing.T, test func(w *linked)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, linkRules))
		test(&linked{world: w})
	})
}

// im lets plain IM tell of a message, Desk the other kind of callback.
func (w *linked) im(text string, fromBot bool) {
	w.t.Helper()
	w.n++
	from, to := "user1", "@service"
	custom := ""
	if fromBot {
		from, to, custom = to, from, `{\"messageType\":\"fallback\"}`
	}
	w.handle(im(w.world, desk.CommandC2CAfter, fmt.Sprint(w.n), text, `"From_Account":"jared","To_Account":"@RBT#001"`,
		fmt.Sprintf(`"From_Account":%q,"To_Account":%q`, from, to), `"CloudCustomData":""`, `"CloudCustomData":"`+custom+`"`,
		`"EventTime":1670574414123`, fmt.Sprintf(`"EventTime":%d`, time.Now().UnixMilli())))
	synctest.Wait()
}

func (w *linked) desk(name, text string) string {
	w.t.Helper()
	mark := ""
	if name == desk.EventBotMessage {
		mark = "fallback"
	}
	answer := string(w.handle(w.event(name, text, mark)).JSON)
	synctest.Wait()
	return answer
}

// outbox returns how many transfers there are of any kind.
func (w *linked) inOutbox() int {
	w.t.Helper()
	list, err := w.outbox.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}

func TestAliases_imFirst_thenDesk_isOneTransfer(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("human", false)
		w.wantOutcomes("assigned")
		w.desk(desk.EventSessionBegin, "")
		if got := w.desk(desk.EventUserMessage, "human"); !strings.Contains(got, `"AIProvider":0`) {
			t.Errorf("the second callback of a message that escalated: %s", got)
		}
		w.desk(desk.EventUserMessage, "human!")
		w.im("human!!", false) // Desk tells of it: this counts for nothing
		w.wantCalls(1, 1)
		var said []string
		for _, line := range w.log.Lines("decision") {
			said = append(said, fmt.Sprint(line["outcome"], " ", line["reason"]))
		}
		if got := strings.Join(said, ", "); got != "transfer <nil>, suppressed already_human" {
			t.Errorf("decisions: %s", got)
		}
	})
}

func TestAliases_imFirst_countsEachMessageOnce(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("one", false)
		w.im("sorry", true)
		w.im("two", false)
		w.desk(desk.EventUserMessage, "one")
		w.desk(desk.EventBotMessage, "sorry")
		w.desk(desk.EventUserMessage, "two")
		w.im("three", false)
		w.wantOutcomes("")
		w.desk(desk.EventBotMessage, "sorry") // the second miss, and the first of which only Desk tells
		w.wantOutcomes("assigned")
		if line := w.log.Lines("transfer")[0]; line["rule"] != "stuck" {
			t.Errorf("transfer %v", line)
		}
	})
}

func TestAliases_theSameWordsSaidAgain_countAgain(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("hello", false)
		w.desk(desk.EventUserMessage, "hello")
		w.desk(desk.EventUserMessage, "hello")
		w.wantOutcomes("")
		w.desk(desk.EventUserMessage, "hello")
		w.wantOutcomes("assigned")
	})
}

func TestAliases_afterTheLookUp_deskIsKnownByItsSessionAlone(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("human", false)
		e := w.event(desk.EventUserMessage, "human please", "")
		e.UserID, e.ServiceID = "", ""
		time.Sleep(2 * time.Second)
		w.handle(e)
		synctest.Wait()
		w.wantOutcomes("assigned")
		w.wantCalls(1, 1)
	})
}

func TestAliases_aTransferThatWaits_isReplacedAndNotDoubled(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.world.desk.answer(code(141001))
		w.im("human", false)
		w.wantOutcomes("no_agent")
		time.Sleep(40 * time.Second)
		w.desk(desk.EventUserMessage, "human please")
		w.wantOutcomes("no_agent no_agent")
		if n := w.inOutbox(); n != 1 {
			t.Errorf("%d transfers of one session", n)
		}
		w.desk("Session.Over", "")
		if n := w.inOutbox(); n != 0 {
			t.Errorf("%d transfers of a customer who left", n)
		}
	})
}

func TestAliases_aLaterSession_beginsAnew(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("human", false)
		time.Sleep(time.Hour)
		w.im("hello again", false) // opens a new session, of which Desk tells
		w.desk(desk.EventSessionBegin, "")
		w.desk(desk.EventUserMessage, "hello again")
		w.desk(desk.EventUserMessage, "human")
		w.wantOutcomes("assigned assigned")
		w.wantCalls(2, 1) // it needs no question whether the conversation is back with the bot
	})
}

func TestAliases_aSecondSessionInTheSameMinute_beginsAnewToo(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("human", false)
		w.desk(desk.EventSessionBegin, "")
		time.Sleep(5 * time.Second)
		w.desk(desk.EventSessionBegin, "")
		w.desk(desk.EventUserMessage, "human, please")
		w.wantOutcomes("assigned assigned")
	})
}

func TestAliases_areKnownAgainAfterARestart(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.world.desk.answer(code(141001))
		w.im("human", false)
		w.bot.inbound = inbound.New(nil) // what a new process knows
		w.bot.recallTransfers()
		time.Sleep(40 * time.Second)
		w.desk(desk.EventUserMessage, "human please")
		if n := w.inOutbox(); n != 1 {
			t.Errorf("%d transfers of one session", n)
		}
	})
}

func TestAliases_aConversationWithAPerson_isKnownAgainAfterARestart(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.im("human", false)
		w.bot.inbound = inbound.New(nil)
		w.bot.Wake([]string{"im:user1|@service"})
		w.desk(desk.EventUserMessage, "human!")
		w.wantOutcomes("assigned")
		w.wantCalls(1, 1)
	})
}

func TestAliases_assignment_isAnsweredByTheTransferOnItsWay(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.bot.SetPolicy(mustLoad(t, strings.Replace(linkRules, "default: {", "default: {group: 7, ", 1)))
		w.world.desk.slow = time.Minute
		w.im("human", false)
		w.wantAnswer(w.raw(desk.CommandAssignHuman, `{"CallbackCommand":"ChatBot.OnAssignHuman","SessionId":"s1","ClientUserId":"user1","CustomerServiceId":"@service"}`), `"AgentGroupId":7`)
		if n := len(w.log.Lines("decision")); n != 1 {
			t.Errorf("%d decisions: the transfer on its way was not found", n)
		}
	})
}

func TestAliases_anOperatorRetries_byTheSessionThatTheLogShows(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.world.desk.answer(nil, code(141004))
		w.im("human", false)
		w.wantOutcomes("failed")
		if err := w.bot.Retry(t.Context(), "s1", delivery.Operator{}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		w.wantOutcomes("failed assigned")
	})
}

// TestAliases_whatCouldNotBeStored_countsWhenDeskTellsOfIt: an after-callback of
// plain IM is not sent again, so the copy that Desk sends is all there is.
func TestAliases_whatCouldNotBeStored_countsWhenDeskTellsOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &brokenOutbox{Outbox: memory.NewOutbox(nil)}
		w := newWorld(t, outbox)
		w.bot.SetPolicy(mustLoad(t, linkRules))
		outbox.broken.Store(true)
		e := im(w, desk.CommandC2CAfter, "1", "human", `"From_Account":"jared","To_Account":"@RBT#001"`, `"From_Account":"user1","To_Account":"@service"`)
		if _, err := w.bot.Handle(t.Context(), Request{Event: e}); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("Handle = %v, want ErrUnavailable", err)
		}
		outbox.broken.Store(false)
		if got := string(w.handle(w.event(desk.EventUserMessage, "human", "")).JSON); !strings.Contains(got, `"AIProvider":0`) {
			t.Errorf("answer %s", got)
		}
	})
}
