package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const teamsFile = `version: 1
notify:
  support: {wecom: {url_file: wecom-url}, on: [no_agent, waiting_long: 5m, message], words: true}
  ops: {dingtalk: {url_file: ding-url, secret_file: ding-key}, on: [held, reload_refused], every: 1h, lang: en}
  sales: {slack: {url_file: slack}}
targets: {default: {}, other: {}}
`

func TestNotify_teamsAreRead_withTheirDefaults(t *testing.T) {
	p := mustLoad(t, []byte(teamsFile+"rules: [{id: r, when: {says: [live agent]}, then: {transfer: other, notify: [sales]}}]\n"))
	want := []*Team{
		{Name: "support", Channel: "wecom", URLFile: "wecom-url", On: []string{"no_agent", "waiting_long", "message"}, WaitingLong: 5 * time.Minute, Every: 10 * time.Minute, Lang: "zh", Words: true},
		{Name: "ops", Channel: "dingtalk", URLFile: "ding-url", SecretFile: "ding-key", On: []string{"held", "reload_refused"}, Every: time.Hour, Lang: "en"},
		{Name: "sales", Channel: "slack", URLFile: "slack", Every: 10 * time.Minute, Lang: "zh"},
	}
	if diff := cmp.Diff(want, p.Teams()); diff != "" {
		t.Error(diff)
	}
	if support := p.Team("support"); !support.Wants("message") || support.Wants("held") || p.Team("nobody") != nil {
		t.Errorf("support is %+v, nobody is %+v", support, p.Team("nobody"))
	}
}

// Whatever the action is, who is told stands in the decision when the rule fires, and only then.
func TestNotify_isTold_whenTheRuleFires(t *testing.T) {
	for _, c := range []struct {
		name, then, mode string
		outcome          Outcome
		notify           []string
	}{
		{"alone it keeps the conversation", "{notify: [sales]}", "enforce", OutcomeKeep, []string{"sales"}},
		{"with a tag too", "{notify: [sales, ops], tag: [vip]}", "enforce", OutcomeKeep, []string{"sales", "ops"}},
		{"beside words", "{keep: true, say: Hello., notify: [sales]}", "enforce", OutcomeKeep, []string{"sales"}},
		{"beside a transfer", "{transfer: other, notify: [sales]}", "enforce", OutcomeTransfer, []string{"sales"}},
		{"beside an offer", "{offer: Shall I?, transfer: other, notify: [sales]}", "enforce", OutcomeOffer, []string{"sales"}},
		{"beside a request for words", "{take_message: {say: Please leave a word.}, notify: [sales]}", "enforce", OutcomeMessage, []string{"sales"}},
		{"not in shadow", "{transfer: other, notify: [sales]}", "shadow", OutcomeShadow, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustLoad(t, []byte(teamsFile+"rules: [{id: r, mode: "+c.mode+", when: {says: [live agent]}, then: "+c.then+"}]\n"))
			conversation := &Conversation{}
			turn := Turn{Kind: UserTurn, Text: "live agent", At: start, Wall: start}
			d := p.Decide(conversation, turn)
			if d.Outcome != c.outcome || !cmp.Equal(d.Notify, c.notify) {
				t.Errorf("the decision is %v and tells %q, want %v and %q", d.Outcome, d.Notify, c.outcome, c.notify)
			}
			turn.At = turn.At.Add(time.Second)
			if d := p.Decide(conversation, turn); d.Notify != nil {
				t.Errorf("at rest it tells %q again (%v)", d.Notify, d.Outcome)
			}
			_, trace := p.Explain(&Conversation{}, Turn{Kind: UserTurn, Text: "live agent", At: start, Wall: start})
			if got := strings.Join(trace.Rules[0].Notify, " "); !strings.Contains(got, "sales") {
				t.Errorf("explain says that %q are told", got)
			}
		})
	}
}

func TestNotify_aTeamThatWaitsForNobody_isWarnedOf(t *testing.T) {
	_, r := Load([]byte(teamsFile+`  # comment
rules: [{id: r, when: {says: [live agent]}, then: {transfer: other, notify: [support]}}]
`), LoadOptions{})
	var told []string
	for _, w := range r.Warnings {
		if strings.Contains(w.Message.String(), "team") {
			told = append(told, w.Message.String())
		}
	}
	want := []string{"the team `sales` is never told anything: it has no `on`, and no rule names it"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// A customer in the queue is looked at when the first team wants to know, also where no rule asks for it.
func TestNotify_waitingLong_wakesACustomerInTheQueue(t *testing.T) {
	p := mustLoad(t, []byte(teamsFile+"rules: [{id: r, when: {says: [live agent]}, then: {transfer: other}}]\n"))
	c := &Conversation{}
	c.Observe(EventTransferring, start, time.Time{})
	if c.Phase() != PhaseQueued {
		p.Settle(c, nil, "r", ResultQueued, start)
	}
	if at, ok := p.NextTimer(c); !ok || !at.Equal(start.Add(5*time.Minute)) {
		t.Errorf("the next look is at %v (%v), want 5m after %v", at, ok, start)
	}
}
