package bot

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/rules"
)

// TestReplicas_aReplicaThatDies: one that got plain IM's copy dies at some point of it. Desk's copy, which is sent until it is
// answered, counts where the first had not, and no copy counts after that.
func TestReplicas_aReplicaThatDiesWithIMsCopy_leavesWhatItDidToDesks(t *testing.T) {
	for _, twoKeys := range []bool{false, true} {
		for _, counted := range []bool{false, true} {
			t.Run(fmt.Sprintf("two keys %v, counted %v", twoKeys, counted), func(t *testing.T) {
				t.Parallel()
				r := withReplicas(t, 2)
				a, b := r.all[0], r.all[1]
				l := chatLine{key: "k", text: "where is it", twoKeys: twoKeys}
				e := l.fromIM(a)
				key, chat := a.bot.inbound.Key(e), a.bot.inbound.Chat(a.bot.Policy(), e)
				if c, err := r.stores[0].ClaimIn(t.Context(), key, imID, (*store.Chat)(chat)); !c.First || err != nil {
					t.Fatal(c, err)
				}
				if counted { // and the own bot was to be asked
					err := r.stores[0].Update(t.Context(), imID, func(c *rules.Conversation) (store.Effect, error) {
						turn := rules.Turn{Kind: rules.UserTurn, Text: l.text, At: time.Now(), Wall: time.Now()}
						a.bot.Policy().Decide(c, turn)
						return store.Effect{DedupKey: key}, nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				r.deliver(b, l.fromDesk(b), answerDesk)
				r.deliver(r.join(), e, answerOK)
				r.deliver(b, l.fromDesk(b), answerDesk)
				r.wantCounted(1, 0)
			})
		}
	}
}

func TestReplicas_anOwnBotThatFailed_isOneDecisionForBothCopies(t *testing.T) {
	own := &ownBot{err: errors.New("down")}
	for _, order := range []string{"im desk", "desk im"} {
		for _, twoKeys := range []bool{false, true} {
			if twoKeys && order == "desk im" {
				continue // plain IM's copy is left to Desk, and asks for itself
			}
			t.Run(fmt.Sprintf("%s, two keys %v", order, twoKeys), func(t *testing.T) {
				r := withReplicas(t, 2, func(o *Options) {
					o.Backend = own
					o.Policy = mustLoad(t, strings.Replace(replicaRules, "times: 3", "times: 1", 1))
				})
				a, b := r.all[0], r.all[1]
				l := chatLine{key: "k", text: "where is it", twoKeys: twoKeys}
				steps := []func(){func() { r.deliver(a, l.fromIM(a), answerOK) }, func() { r.deliver(b, l.fromDesk(b), answerSelf) }}
				if order == "desk im" {
					steps[0], steps[1] = steps[1], steps[0]
				}
				steps[0]()
				asked := len(own.seen)
				steps[1]()
				if n := len(own.seen); n != asked {
					t.Errorf("the own bot was asked about the second copy too")
				}
				r.wantCounted(1, 1)
				r.wantTransfers(1)
			})
		}
	}
}

func TestReplicas_theBeginOfASession_isACopyOfPlainIMsFirstMessage_once(t *testing.T) {
	r := withReplicas(t, 2)
	a, b := r.all[0], r.all[1]
	r.deliver(a, chatLine{key: "k1", text: "where is it"}.fromIM(a), answerOK)
	begin := func(key string) *desk.Event { return b.told("", "s1", desk.EventSessionBegin, key, "") }
	for range 2 {
		r.deliver(b, begin("b1"), answerOK)
		r.deliver(a, begin("b1"), answerOK)
	}
	r.wantCounted(1, 0)
	r.deliver(b, begin("b2"), answerOK)
	r.wantCounted(0, 0)
}

// TestReplicas_withoutRedis_goOnFromWhatTheyKnow: one replica by itself counts each message once, as without Redis.
func TestReplicas_withoutRedis_oneGoesOnFromWhatItKnows(t *testing.T) {
	for _, twoKeys := range []bool{false, true} {
		r := withReplicas(t, 2)
		a, b := r.all[0], r.all[1]
		first, second := chatLine{key: "k1", text: "where is it", twoKeys: twoKeys}, chatLine{key: "k2", text: "hello", twoKeys: twoKeys}
		r.deliver(a, first.fromIM(a), answerOK)
		r.server.Kill()
		r.deliver(a, first.fromDesk(a), answerDesk)
		r.deliver(a, second.fromIM(a), answerOK) // left to Desk
		r.deliver(a, second.fromDesk(a), answerDesk)
		r.server.Restart()
		r.eventually("what came meanwhile is in Redis", func() bool { return r.counted().UserMessages == 2 })
		third := chatLine{key: "k3", text: "a human, please", twoKeys: twoKeys}
		r.deliver(b, third.fromDesk(b), answerSelf)
		r.deliver(a, third.fromIM(a), answerOK)
		r.wantCounted(3, 0)
		r.wantTransfers(1)
	}
}

func TestReplicas_assignment_isAnsweredByTheTransferOnItsWay(t *testing.T) {
	r := withReplicas(t, 2, func(o *Options) {
		o.Policy = mustLoad(t, strings.Replace(replicaRules, "default: {}", "default: {group: 7, retry_if_no_agent: {every: 10m, for: 1h}}", 1))
	})
	a, b := r.all[0], r.all[1]
	a.desk.answer(code(141001))
	r.deliver(a, chatLine{key: "k", text: "a human, please"}.fromIM(a), answerOK)
	r.wantTransfers(1)
	for _, session := range []string{"s1", "s2"} { // Desk asks about sessions of which it has told nothing yet
		e := b.raw(desk.CommandAssignHuman, fmt.Sprintf(`{"SessionId":%q,"ClientUserId":"user1","CustomerServiceId":"@service"}`, session))
		e.RequestID = session
		if got := string(b.handle(e).JSON); !strings.Contains(got, `"AgentGroupId":7`) {
			t.Errorf("answer %s", got)
		}
	}
	if n := len(b.log.Lines("decision")); n != 0 {
		t.Errorf("%d decisions: the transfer on its way was not found", n)
	}
	l := chatLine{key: "k2", text: "hello"}
	r.deliver(a, l.fromIM(a), answerOK) // to ask is not to tell: Desk may report nothing of this chat
	if n := len(a.log.Lines("decision")); n != 2 {
		t.Errorf("%d decisions upon two messages", n)
	}
}

// TestReplicas_whoIsWithAPerson is CONTRACT.md 4: not escalated again, also where Redis knows nothing of the chat any more.
func TestReplicas_whoIsWithAPerson_isNotEscalatedAgain_byPlainIMsCopy(t *testing.T) {
	r := withReplicas(t, 2)
	a := r.all[0]
	first, second := chatLine{key: "k1", text: "a human, please"}, chatLine{key: "k2", text: "are you human?"}
	r.server.Kill()
	r.deliver(a, first.fromDesk(a), answerSelf)
	r.deliver(a, first.fromIM(a), answerOK)
	r.server.Restart()
	r.eventually("what came meanwhile is in Redis", func() bool { return r.counted().UserMessages == 1 })
	r.deliver(a, second.fromIM(a), answerOK)
	r.deliver(a, second.fromDesk(a), answerDesk)
	r.wantCounted(2, 0)
	r.wantTransfers(1)
}
