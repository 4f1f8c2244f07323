package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const explainRules = `
limits: {per_session: 1/24h}
lists: {furious: {骗子: 3, 谢谢: -2}}
calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}}
targets: {default: {}, sales: {open: office, say_if_closed: 明天九点}}
rules:
  - {id: not-ai, when: {all: [{says: {any: [人工], not_part_of: [人工智能]}}, {not: {language: [en]}}]}, then: {transfer: default}}
  - {id: office-hours, mode: shadow, when: {all: [{hours: office}, {field: {path: C.level, in: [gold]}}]}, then: {transfer: sales}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}, cooldown: 5m}
  - {id: angry, when: {any: [{mood: {list: furious, at_least: 6, within: 10m}}, {said: {any: [投诉], within: 1m}}]}, then: {transfer: sales}}
  - {id: gone, mode: off, when: {turns: {at_least: 1}}, then: {keep: true}}
  - {id: silent, when: {bot_silent: 30s}, then: {offer: 需要人工吗？, transfer: default}, cooldown: 1m}
`

// The story of a conversation is what an operator reads to understand a decision, so all of it is held in a golden file.
func TestExplain_tellsTheStory(t *testing.T) {
	p := load(t, explainRules)
	k := newTalk(t, p)
	var out bytes.Buffer
	tell := func(turn Turn) {
		k.wait(20 * time.Second)
		turn.At = k.now
		var trace Trace
		k.last, trace = p.Explain(&k.c, turn)
		writeStory(&out, trace)
	}
	say := func(text string) { tell(Turn{Text: text}) }
	miss := func() { tell(Turn{Kind: BotTurn, Text: "抱歉", Mark: "fallback"}) }
	tell(Turn{Kind: StartTurn, Fields: TestFields{"C.level": "gold"}})
	say("人工智能是什么")
	miss()
	say("先别转人工")
	miss()
	say("骗子，没人管")
	miss()
	say("转人工")
	k.settle(ResultNoAgent)
	k.wait(4 * time.Minute)
	say("我要投诉")
	k.settle(ResultAssigned)
	say("转人工")
	k.observe(EventClosed)
	say("转人工，I mean it")
	tell(Turn{Text: "转人工", Muted: Muted{"not-ai": {Until: k.now.Add(time.Hour), By: "ana", Why: "no agents today"}}})
	k.now = k.now.Add(40 * time.Second)
	tell(Turn{Kind: TimerTurn})
	k.c = Conversation{} // another customer
	say("在吗")
	k.now = k.now.Add(40 * time.Second)
	tell(Turn{Kind: TimerTurn})
	p.OfferSent(&k.c, "silent", k.now)
	say("好的")
	compareGolden(t, "testdata/explain.golden", out.Bytes())
}

func compareGolden(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, golden)), string(got)); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s", golden, diff)
	}
}

// Explaining is deciding with words: both must come to the same end and leave the same conversation behind.
func TestExplain_equalsDecide(t *testing.T) {
	p := busyPolicy(t)
	a, b := newTalk(t, p), newTalk(t, p)
	for i, text := range []string{"怎么办", "骗子", "骗子", "转人工", "怎么办呢这个", "怎么办呢这个", "好的", "先别转人工", "退款"} {
		for _, turn := range []Turn{{Text: text}, {Kind: BotTurn, Text: "…", Mark: []string{"fallback", ""}[i%2]}} {
			turn.At = start.Add(time.Duration(i) * time.Minute)
			want := a.p.Decide(&a.c, turn)
			got, _ := b.p.Explain(&b.c, turn)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Target{})); diff != "" {
				t.Errorf("%s: decided (-) and explained (+):\n%s", text, diff)
			}
			if diff := cmp.Diff(a.c, b.c, compareConversations); diff != "" {
				t.Errorf("%s: the conversations differ:\n%s", text, diff)
			}
		}
	}
}

func TestExplain_json_hasTheContractsWords(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	d, trace := k.p.Explain(&k.c, Turn{Text: "请转人工", At: start})
	for what, c := range map[string]struct {
		value any
		want  []string
	}{
		"decision": {d, []string{`"rule":"ask"`, `"outcome":"transfer"`, `"target":"default"`, `"reason":""`, `"matched":[{"phrase":"转人工","text":"转人工","start":3,"end":12}]`}},
		"trace":    {trace, []string{`"role":"user"`, `"text":"请转人工"`, `"normal":"请转人工"`, `"rules":[{"id":"ask"`, `"result":"fired"`, `"why":"says: found 转人工"`}},
	} {
		out, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s lacks %s: %s", what, w, out)
			}
		}
	}
}

// writeStory prints a trace for the golden file.
func writeStory(w io.Writer, t Trace) {
	fmt.Fprintln(w, strings.TrimSuffix(t.Role+": "+t.Text, ": "))
	if t.Text != "" {
		fmt.Fprintf(w, "  normal form  %s\n  tokens       %s\n", t.Normal, strings.Join(t.Tokens, " · "))
	}
	language := t.Language
	if language == "" {
		language = "not known"
	}
	fmt.Fprintf(w, "  conversation phase %s, language %s, %s\n",
		t.Phase, language, t.Counters)
	width := 0
	for _, r := range t.Rules {
		width = max(width, len([]rune(r.ID)))
	}
	for _, r := range t.Rules {
		fmt.Fprintf(w, "  %-*s  %-10s  %s\n", width, r.ID, r.Result, r.Why)
		for _, m := range r.Matched {
			fmt.Fprintf(w, "  %-*s              %s, bytes %d to %d\n", width, "", m.Text, m.Start, m.End)
		}
	}
	fmt.Fprintf(w, "  → %s\n", t.Summary)
}
