package replay_test

import (
	"os"
	"testing"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// What the history keeps is English. Read back, it says in Chinese what the explanation of that moment said.
func TestRecognize_readsWhatWasWrittenDown(t *testing.T) {
	content, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, report := rules.Load(content, rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	checkRecognized(t, p, "怎么改地址", "先别转人工", "人工智能是什么", "I am in transit; says: nobody", "where is my parcel", "where is my parcel?", "WHERE is my parcel??", "this is useless!!", "转人工", "a human please", "I'd like to talk to a real perosn please", "human agnet please")
	own := `{version: 1, calendars: {shop: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}}, lists: {broken: [摔坏了, 压扁]}, targets: {default: {}},
rules: [{id: open, when: {says: [门店], hours: shop}, then: {keep: true}}, {id: a, when: {says: [投诉, $broken]}, then: {transfer: default}}, {id: b, when: {says: [改地址 (加急)]}, then: {transfer: default}}]}`
	if p, report = rules.Load([]byte(own), rules.LoadOptions{}); p == nil {
		t.Fatal(report.Errors)
	}
	checkRecognized(t, p, "我要投诉", "快递摔坏了 (真的)", "别投诉", "门店在哪")
	for _, words := range []string{"where is my parcel in transit", "agent", "now", "别转人工", "none of its phrases is there", "the service does not answer: no", ""} {
		if got := lang.Recognize("says: " + words + " is negated by no").In(lang.Chinese); words != "" && got != "says：“"+words+"”被“no”否定" {
			t.Errorf("words of a customer became %s", got)
		}
	}
}

// checkRecognized compares what explains the messages with what is read back of it.
func checkRecognized(t *testing.T, p *rules.Policy, messages ...string) {
	t.Helper()
	var steps []rules.Step
	for _, words := range messages {
		steps = append(steps, rules.Step{Kind: "user", Message: rules.TestMessage{Text: words}}, rules.Step{Kind: "bot", Message: rules.TestMessage{Text: "抱歉，我还没有学会这个问题"}})
	}
	story, err := replay.Explain(t.Context(), p, steps, replay.Setting{Begin: replay.DefaultTime})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[lang.Text]bool{}
	for _, turn := range story.Turns {
		seen[turn.Decision.Why] = true
		for _, r := range turn.Rules {
			seen[r.Why] = true
		}
	}
	for why := range seen {
		if got, want := lang.Recognize(why.String()).In(lang.Chinese), why.In(lang.Chinese); got != want {
			t.Errorf("%q reads\n%s, want\n%s", why.String(), got, want)
		}
	}
	if got := lang.Recognize("bot_missed: 3 of 3 in 15m; not said: not said so far").In(lang.Chinese); got != "bot_missed：15m 内 3/3；not said：之前没有说过" {
		t.Errorf("two conditions, one of them a negation, became %s", got)
	}
}
