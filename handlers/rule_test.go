package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"escalator/bot"
	"escalator/bot/decisions"
	"escalator/bot/stats"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/handlers"
	"escalator/rules"
)

// ruled is a bot with rules and decisions.
type ruled struct {
	named
	policy    *rules.Policy
	decisions *decisions.List
}

func (r *ruled) Policy() *rules.Policy      { return r.policy }
func (r *ruled) Muted() rules.Muted         { return nil }
func (r *ruled) Decisions() *decisions.List { return r.decisions }

func newRuled(t *testing.T) *ruled {
	t.Helper()
	policy, report := rules.Load([]byte(`version: 1
targets: {default: {}}
rules:
  - id: ask-human
    when: {says: [$ask_human]}
    then: {transfer: default}
  - {id: other, when: {says: [abracadabra]}, then: {keep: true}}
`), rules.LoadOptions{})
	if policy == nil {
		t.Fatal(report.Errors)
	}
	list := decisions.New(decisions.Options{})
	for _, r := range []decisions.Record{
		{Session: "1", Rule: "ask-human", Outcome: rules.OutcomeTransfer},
		{Session: "2", Near: "ask-human"},
		{Session: "3", Rule: "other", Outcome: rules.OutcomeKeep},
		{Session: "4", Rule: "ask-human", Outcome: rules.OutcomeSuppressed},
	} {
		list.Add(&r, "")
	}
	return &ruled{named: named{stats: stats.New(time.Now)}, policy: policy, decisions: list}
}

func TestRule_showsOneRule(t *testing.T) {
	b := newRuled(t)
	s, _ := operators(&b.named, func(o *handlers.Options) { o.Bot = b })
	w := ask(s, http.MethodGet, "/api/rules/ask-human", "")
	var got struct {
		ID, Action, YAML string
		From             int `json:"line_from"`
		To               int `json:"line_to"`
		Lists            []rules.RuleList
		Fired            []struct{ Session string } `json:"fired_last"`
		Near             []struct{ Session string } `json:"near_last"`
		Stats            struct{ Fired []int }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, err, w.Body)
	}
	if got.ID != "ask-human" || got.Action != "transfer" || got.From != 4 || got.To != 6 || !strings.HasPrefix(got.YAML, "  - id: ask-human\n") || len(got.Lists) != 1 || len(got.Stats.Fired) != 48 {
		t.Errorf("%+v", got)
	}
	if len(got.Fired) != 1 || got.Fired[0].Session != "1" || len(got.Near) != 1 || got.Near[0].Session != "2" {
		t.Errorf("fired %v, near %v", got.Fired, got.Near)
	}
	if w := ask(s, http.MethodGet, "/api/rules/ask_humam", ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "did you mean ask-human?") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What people said of a rule stands wherever the rule does, on calls and near misses alike.
func TestRule_showsWhatPeopleSaidOfIt(t *testing.T) {
	b := newRuled(t)
	b.decisions.Records = memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)})
	for i, label := range []string{decisions.Right, decisions.Wrong, "", decisions.Wrong} {
		r := &decisions.Record{At: time.Now(), Session: fmt.Sprint("labelled", i), Rule: "ask-human", Outcome: rules.OutcomeTransfer}
		if i == 3 {
			r.Rule, r.Near, r.Outcome = "", "ask-human", rules.OutcomeNone
		}
		b.decisions.Add(r, "")
		if _, err := b.decisions.SetLabel(t.Context(), r.ID, decisions.Label{Label: label, By: "li"}); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := operators(&b.named, func(o *handlers.Options) { o.Bot = b; o.RuleFile = &playedFile{} })
	for path, want := range map[string][]string{
		"/api/rules":           {`"right":1,"wrong":2,`, `"right":0,"wrong":0,`},
		"/api/rules/ask-human": {`"right":1,"wrong":2,"cooldown"`, `"right":1,"wrong":2}`},
		"/api/rules/other":     {`"right":0,"wrong":0}`},
	} {
		w := ask(s, http.MethodGet, path, "")
		for _, want := range want {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %s, want %s", path, w.Code, w.Body, want)
			}
		}
	}
}

func TestPreview_ofAMute(t *testing.T) {
	b := newRuled(t)
	s, _ := operators(&b.named, func(o *handlers.Options) { o.Bot = b })
	for path, want := range map[string]string{
		"/api/rules/ask-human/preview":         `200 {"since":"`,
		"/api/rules/ask-human/preview?for=25h": "400 ", "/api/rules/ask-human/preview?for=x": "400 ", "/api/rules/ask-human/preview?since=1h": "400 ",
		"/api/rules/nobody/preview": "404 ",
	} {
		w := ask(s, http.MethodGet, path, "")
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	b.err = bot.ErrNoHistory
	if w := ask(s, http.MethodGet, "/api/rules/ask-human/preview", ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "ESCALATOR_HISTORY_FOR") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func (r *ruled) Preview(_ context.Context, _ string, since time.Time) (*bot.Preview, error) {
	return &bot.Preview{Since: since}, r.err
}
