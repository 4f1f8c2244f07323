package rules

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const fullTarget = `
targets:
  default: {}
  all:
    group: 2473
    agents: [li@example.com, wang@example.com]
    tip_if_no_agent: false
    check_working_hours: true
    prompt_outside_working_hours: false
    end_session_if_no_agent: true
    disable_queuing: true
    allow_busy_agents: false
    priority: 0
    queue_timeout: 10m
    else: default
    say_if_queued: {zh: 请稍候, en: please wait}
    say_if_failed: ""
    retry_if_no_agent: {every: 1m, for: 20m}
  quiet: {say_if_no_agent: 没人}
rules: [{id: a, when: {turns: {at_least: 1}}, then: {transfer: all}}]
`

func TestTarget_holdsWhatTheFileSets_andNothingElse(t *testing.T) {
	p := load(t, fullTarget)
	yes, no, group, priority := true, false, int64(2473), 0
	want := &Target{
		ID: "all", Group: &group, Agents: []string{"li@example.com", "wang@example.com"}, CheckWorkingHours: &yes,
		PromptOutside: &no, EndSession: &yes, DisableQueuing: &yes, AllowBusy: &no, Priority: &priority,
		QueueTimeout: 10 * time.Minute, SayIfQueued: &Speech{[]SpeechText{{"zh", "请稍候"}, {"en", "please wait"}}},
		SayIfFailed: &Speech{[]SpeechText{{"", ""}}}, Retry: &Retry{time.Minute, 20 * time.Minute},
	}
	if diff := cmp.Diff(want, p.Target("all"), cmpopts.IgnoreUnexported(Target{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	want = &Target{ID: "default", TipIfNoAgent: true, SayIfFailed: builtinFailure}
	if diff := cmp.Diff(want, p.Target("default"), cmpopts.IgnoreUnexported(Target{})); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
	if p.Target("quiet").TipIfNoAgent {
		t.Error("Desk's tip is asked for beside our own words")
	}
	d := newTalk(t, p).user("x")
	if len(d.Chain) != 2 || d.Chain[0].ID != "all" || d.Chain[1].ID != "default" {
		t.Errorf("chain %v", d.Chain)
	}
}

func TestTarget_json_bringsEverythingBack(t *testing.T) {
	p := load(t, fullTarget)
	for _, id := range []string{"all", "default", "quiet"} {
		data, err := json.Marshal(p.Target(id))
		if err != nil {
			t.Fatal(err)
		}
		var back Target
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p.Target(id), &back, cmpopts.IgnoreUnexported(Target{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if id == "default" && strings.Contains(string(data), "say_if_failed") {
			t.Errorf("the built-in sentence is stored: %s", data)
		}
	}
}

func TestSpeech_For_fallsBackToTheFirst(t *testing.T) {
	s := &Speech{[]SpeechText{{"zh", "你好"}, {"en", "hello"}}}
	for lang, want := range map[string]string{"en": "hello", "zh": "你好", "fr": "你好", "": "你好"} {
		if got := s.For(lang); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
	if (*Speech)(nil).For("en") != "" {
		t.Error("no speech is not silent")
	}
}

// A customer reads the built-in sentence in each language that the packs know.
func TestBuiltinFailure_hasEveryLanguage(t *testing.T) {
	for _, lang := range languages {
		if text := builtinFailure.For(lang); lang != "zh" && text == builtinFailure.For("zh") {
			t.Errorf("no sentence in %s", lang)
		}
	}
}
