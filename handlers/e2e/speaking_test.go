package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

const speakingRules = `version: 1
targets:
  default:
    say_if_no_agent: {en: Nobody is here, zh: 没有人在线}
    say_if_queued: {en: You are in the queue, zh: 排队中}
    say_if_failed: {en: It failed, zh: 转接失败}
rules:
  - {id: ask, when: {says: [refund, 退款]}, then: {offer: {en: A person?, zh: 需要人工吗？}, transfer: default}}
  - {id: human, when: {says: [$ask_human]}, then: {transfer: default, say: {en: One moment, zh: 请稍等}}}
  - {id: silent, when: {bot_silent: 2s}, then: {keep: true, say: {en: Still there, zh: 还在}}}
`

// saidTo returns what a session was told, in order.
func saidTo(t *testing.T, session string, ledger desktest.Ledger) (texts []string) {
	t.Helper()
	for _, m := range ledger.Said {
		var elements []struct{ MsgContent struct{ Text string } }
		if err := json.Unmarshal(m.MsgBody, &elements); err != nil || len(elements) != 1 || m.MsgRandom == 0 {
			t.Errorf("message %+v", m)
			continue
		}
		if m.Session == session {
			texts = append(texts, elements[0].MsgContent.Text)
		}
	}
	return texts
}

// hears waits until a session was told exactly this.
func (s *service) hears(session string, want ...string) {
	s.t.Helper()
	var got []string
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("%s heard %q", session, got)
		}
	})
	eventually(s.t, fmt.Sprintf("%s hears %q", session, want), func() bool { got = saidTo(s.t, session, s.desk.Ledger()); return slices.Equal(got, want) })
}

func TestSpeaking_inTheLanguageOfTheCustomer(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, speakingRules)
	for id, c := range map[string][2]string{"en": {"I want a human", "One moment"}, "zh": {"转人工", "请稍等"}} {
		s.desk.Begin(id)
		s.says(id, c[0])
		s.log("transfer", map[string]any{"session": id, "outcome": "assigned"})
		s.hears(id, c[1])
	}
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true, Capacity: 1})
	s.desk.Begin("queued")
	s.says("queued", "转人工")
	s.hears("queued", "请稍等", "排队中")
	s.desk.SetOnline(agentLi, false)
	s.desk.Begin("nobody")
	s.says("nobody", "let me talk to a human")
	s.hears("nobody", "One moment", "Nobody is here")
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141004, Times: 1}); err != nil {
		t.Fatal(err)
	}
	s.desk.Begin("failed")
	s.says("failed", "转人工")
	s.hears("failed", "请稍等", "转接失败")
	s.desk.Begin("silent")
	s.says("silent", "where is my parcel")
	s.log("say", map[string]any{"session": "silent"})
	s.hears("silent", "Still there")
}

func TestSpeaking_plainIM_speaksAsTheAccountOfTheService(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, speakingRules)
	s.im(desk.CommandC2CAfter, desktest.IM{From: imCustomer, To: imService, Text: "转人工"})
	session := s.desk.SessionOf(imCustomer, imService).ID
	s.hears(session, "请稍等")
	s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
}

// TestSpeaking_anOffer asks once and understands yes and no; silence is a no.
func TestSpeaking_anOffer_yesNoAndSilence(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, speakingRules)
	for id, c := range map[string]struct {
		asks, offer, answers string
		transfers            bool
	}{
		"yes-en": {"a refund", "A person?", "yes please", true},
		"yes-zh": {"我要退款", "需要人工吗？", "好的", true},
		"no-en":  {"a refund", "A person?", "no thanks", false},
		"no-zh":  {"我要退款", "需要人工吗？", "不用了", false},
		"other":  {"a refund", "A person?", "where is my parcel", false},
	} {
		s.desk.Begin(id)
		if a := s.says(id, c.asks); a.AIProvider == nil || *a.AIProvider != 0 {
			t.Errorf("%s: an offer is answered by the robot too: %s", id, a.Body)
		}
		s.hears(id, c.offer)
		s.log("say", map[string]any{"session": id, "outcome": "sent"})
		a := s.says(id, c.answers)
		if got := a.AIProvider != nil && *a.AIProvider == 0; got != c.transfers {
			t.Errorf("%s: %q leads to a transfer: %v", id, c.answers, got)
		}
		s.desk.BotSays(id, "fine", "")
		s.says(id, c.asks) // it is offered once
		s.desk.BotSays(id, "fine", "")
		if c.transfers {
			s.log("transfer", map[string]any{"session": id, "outcome": "assigned"})
		}
		s.hears(id, c.offer)
	}
	if n := len(s.desk.Ledger().Accepted); n != 2 {
		t.Errorf("%d transfers", n)
	}
}

func TestSpeaking_aRepeatedMessage_keepsItsNumber(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, strings.Replace(speakingRules, "bot_silent: 2s", "bot_silent: 1h", 1))
	// Desk has the message, and we do not know.
	if err := s.desk.Fail(desktest.Fault{Command: "send_msg", Kind: desktest.FaultDrop, After: true, Times: 2}); err != nil {
		t.Fatal(err)
	}
	s.desk.Begin("s1")
	s.says("s1", "a refund")
	s.log("say", map[string]any{"session": "s1", "outcome": "sent"})
	if l := s.desk.Ledger(); len(l.Said) != 1 || l.Repeats != 2 {
		t.Errorf("%d messages, %d repeats", len(l.Said), l.Repeats)
	}
}

// TestSpeaking_theHumanPhase: what agents and customers say there keeps the phase
// right, under the names that the rule file maps, and closing ends it.
func TestSpeaking_theHumanPhase_andWhatACustomerSends(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, `version: 1
targets: {default: {}}
events: {Agent.Says: agent_message, User.Says: user_message, Session.Over: closed}
rules:
  - {id: photo, when: {sends: [image]}, then: {transfer: default}, cooldown: 1s}
  - {id: human, when: {says: [$ask_human]}, then: {transfer: default}, cooldown: 1s}
`)
	const image = `[{"MsgType":"TIMImageElem","MsgContent":{"UUID":"x","ImageFormat":1}}]`
	s.desk.Begin("s1")
	s.desk.UserSays("s1", "", desktest.WithElements(image))
	s.log("transfer", map[string]any{"session": "s1", "rule": "photo", "outcome": "assigned"})
	s.desk.AgentSays("s1", "I am Li", desktest.WithEvent("Agent.Says"))
	s.desk.UserSays("s1", "转人工", desktest.WithEvent("User.Says"), desktest.WithRequestID("in-the-human-phase"))
	s.log("decision", map[string]any{"session": "s1", "request_id": "in-the-human-phase", "reason": "already_human"})
	eventually(t, "the end of the first transfer", func() bool {
		_, outbox := s.get("/api/outbox")
		return strings.Contains(outbox, `"pending":[]`)
	})
	s.desk.UserSays("s1", "bye", desktest.WithEvent("Session.Over"))
	s.desk.Begin("s1")
	s.says("s1", "转人工")
	s.log("transfer", map[string]any{"session": "s1", "rule": "human", "outcome": "assigned"})
}
