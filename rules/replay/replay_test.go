package replay_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules"
	"escalator/rules/replay"
)

const testRules = `version: 1
lists: {magic: [abracadabra, 转人工], missed: [sorry]}
signals: {bot_missed: {says: [$missed]}}
targets: {default: {}, second: {group: 2}}
rules:
  - {id: magic, when: {says: [$magic]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: second}}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
  - {id: watcher, mode: shadow, when: {says: [treasure]}, then: {transfer: second}}
`

func load(t testing.TB, src string) *rules.Policy {
	t.Helper()
	p, report := rules.Load([]byte(src), rules.LoadOptions{})
	if p == nil {
		t.Fatalf("the rules of the test: %v", report.Errors)
	}
	return p
}

// dialogue makes turns of "role: text" lines.
func dialogue(lines ...string) []replay.Said {
	var turns []replay.Said
	for _, line := range lines {
		role, text, _ := strings.Cut(line, ": ")
		turns = append(turns, replay.Said{Role: role, Text: text})
	}
	return turns
}

// run plays dialogues; each is a conversation named by its number.
func run(p *rules.Policy, dialogues ...[]replay.Said) *replay.Result {
	r := replay.New(p)
	for i, turns := range dialogues {
		for _, e := range (&replay.Record{Turns: turns}).Events(fmt.Sprint(i), replay.DefaultTime) {
			r.Add(e)
		}
	}
	return r.Result()
}

// story is one line per decision.
func story(r *replay.Result) (lines []string) {
	for _, d := range r.Decisions {
		line := fmt.Sprintf("%s/%d %s %s", d.Session, d.Turn, d.Outcome, d.Rule)
		if d.Reason != "" {
			line += " " + string(d.Reason)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestReplay_aTransfer_endsWithAnAgent(t *testing.T) {
	r := run(load(t, testRules),
		dialogue("user: hello", "bot: hi", "user: abracadabra please", "user: abracadabra"),
		dialogue("user: one", "bot: sorry", "user: two", "bot: sorry"),
		dialogue("user: treasure"))
	want := []string{"0/3 transfer magic", "0/4 suppressed magic already_human", "1/4 transfer stuck", "2/1 shadow "}
	if diff := cmp.Diff(want, story(r)); diff != "" {
		t.Error(diff)
	}
	if r.Conversations != 3 || r.Turns != 9 {
		t.Errorf("%d conversations, %d turns", r.Conversations, r.Turns)
	}
	counts := map[string]*replay.Counts{"magic": {Called: 1, Suppressed: 1}, "stuck": {Called: 1, Near: 1}, "silent": {}, "watcher": {Shadow: 1}}
	if diff := cmp.Diff(counts, r.ByRule); diff != "" {
		t.Error(diff)
	}
}

func TestReplay_anAgentsWords_makeTheConversationAPersons(t *testing.T) {
	r := run(load(t, testRules), dialogue("user: hello", "agent: this is Li", "user: abracadabra"))
	if diff := cmp.Diff([]string{"0/3 suppressed magic already_human"}, story(r)); diff != "" {
		t.Error(diff)
	}
}

func TestReplay_aTimer_comesDueBetweenTwoTurns_andBelongsToTheOneBefore(t *testing.T) {
	late := replay.DefaultTime.Add(5 * time.Minute)
	turns := dialogue("user: hello", "user: still here?")
	turns[1].At = &late
	r := run(load(t, testRules), turns)
	if diff := cmp.Diff([]string{"0/1 transfer silent"}, story(r)); diff != "" {
		t.Fatal(diff)
	}
	if at := r.Decisions[0].At; !at.Equal(replay.DefaultTime.Add(30*time.Second)) || r.Decisions[0].Text != "" {
		t.Errorf("%+v", r.Decisions[0])
	}
}

func TestReplay_finish_firesTheTimersThatAreLeft_inTheOrderOfNames(t *testing.T) {
	r := replay.New(load(t, testRules))
	for _, session := range []string{"b", "a", "answered"} {
		r.Add(replay.Event{Session: session, At: replay.DefaultTime, Turn: &rules.Turn{Text: "hello"}})
	}
	r.Add(replay.Event{Session: "answered", At: replay.DefaultTime, Turn: &rules.Turn{Kind: rules.BotTurn, Text: "hi"}})
	r.Finish(time.Time{})
	if got := story(r.Result()); got != nil {
		t.Errorf("no time has passed: %v", got)
	}
	r.Finish(replay.DefaultTime.Add(30 * time.Second))
	r.Finish(replay.DefaultTime.Add(time.Hour))
	if diff := cmp.Diff([]string{"a/1 transfer silent", "b/1 transfer silent"}, story(r.Result())); diff != "" {
		t.Error(diff)
	}
}

func TestReplay_theBeginningOfASession_isNoTurn(t *testing.T) {
	r := replay.New(load(t, testRules))
	r.Add(replay.Event{Session: "a", At: replay.DefaultTime, Turn: &rules.Turn{Kind: rules.StartTurn}})
	r.Add(replay.Event{Session: "a", At: replay.DefaultTime, Turn: &rules.Turn{Text: "abracadabra"}})
	if diff := cmp.Diff([]string{"a/1 transfer magic"}, story(r.Result())); diff != "" || r.Result().Turns != 1 {
		t.Error(diff, r.Result().Turns)
	}
}

func TestReplay_timeNeverRunsBackwards(t *testing.T) {
	early := replay.DefaultTime.Add(-time.Hour)
	turns := dialogue("user: hello", "user: abracadabra")
	turns[1].At = &early
	r := run(load(t, testRules), turns)
	if d := r.Decisions[0]; !d.At.Equal(replay.DefaultTime) {
		t.Errorf("decided at %v", d.At)
	}
}

func TestCompare_tellsGainedLostAndChanged(t *testing.T) {
	old := load(t, testRules)
	now := load(t, strings.NewReplacer("abracadabra", "opensesame", "transfer: second", "transfer: default").Replace(testRules))
	dialogues := [][]replay.Said{
		dialogue("user: opensesame"),
		dialogue("user: abracadabra"),
		dialogue("user: one", "bot: sorry", "user: two", "bot: sorry"), // another target
		dialogue("user: 转人工"),                                          // as before
		dialogue("user: abracadabra", "user: opensesame"),              // at another turn
		dialogue("user: nothing"),
	}
	d := replay.Compare(run(old, dialogues...), run(now, dialogues...))
	sessions := func(changes []replay.Change) (s []string) {
		for _, c := range changes {
			s = append(s, c.Session)
		}
		return s
	}
	for _, c := range []struct {
		what    string
		changes []replay.Change
		want    []string
	}{{"gained", d.Gained, []string{"0"}}, {"lost", d.Lost, []string{"1"}}, {"changed", d.Changed, []string{"2", "4"}}} {
		if diff := cmp.Diff(c.want, sessions(c.changes)); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
	if d.Gained[0].Before != nil || d.Lost[0].After != nil || d.Changed[0].Before.Target != "second" || d.Changed[0].After.Target != "default" {
		t.Errorf("%+v", d)
	}
}

const talkingRules = `version: 1
targets: {default: {}}
rules:
  - {id: asks, when: {says: [refund]}, then: {offer: "A person?", transfer: default}}
  - {id: ad, when: {says: [hello]}, then: {keep: true, say: BUY NOW}}
  - {id: watcher, mode: shadow, when: {says: [treasure]}, then: {transfer: default}}
  - {id: unused, when: {says: [xyzzy]}, then: {transfer: default}}
`

func TestReplay_anOffer_isNoCall_untilItIsAccepted(t *testing.T) {
	r := run(load(t, talkingRules),
		dialogue("user: refund", "user: yes"), dialogue("user: refund", "user: no thanks"), dialogue("user: refund"))
	if got, want := *r.ByRule["asks"], (replay.Counts{Called: 1, Offered: 3, Accepted: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !r.ByRule["unused"].Never() || r.ByRule["asks"].Never() {
		t.Error("the rule that never did anything is not told apart")
	}
}

func TestReplay_words_areTakenForTheRuleThatAskedForThem(t *testing.T) {
	p := load(t, `version: 1
targets: {default: {}}
rules: [{id: leave, when: {says: [abracadabra]}, then: {take_message: {say: Leave a word.}}}]
`)
	r := run(p, dialogue("user: abracadabra", "user: my order", "user: and me"), dialogue("user: my order"))
	if diff := cmp.Diff(replay.Counts{Messages: 1, Left: 2}, *r.ByRule["leave"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var left []string
	for _, d := range r.Decisions {
		if d.Left {
			left = append(left, d.Text)
		}
	}
	if !slices.Equal(left, []string{"my order", "and me"}) {
		t.Errorf("left %q", left)
	}
}

func TestCompare_tellsWhatIsAsked_said_andWatched(t *testing.T) {
	nothing := load(t, "version: 1\ntargets: {default: {}}\nrules:\n  - {id: quiet, when: {says: [xyzzy]}, then: {transfer: default}}\n")
	dialogues := [][]replay.Said{dialogue("user: refund", "user: yes"), dialogue("user: refund", "user: no thanks"), dialogue("user: hello"), dialogue("user: treasure")}
	before, after := run(nothing, dialogues...), run(load(t, talkingRules), dialogues...)
	byKind := func(changes []replay.Change) map[replay.Kind]int {
		n := map[replay.Kind]int{}
		for _, c := range changes {
			n[c.Kind]++
		}
		return n
	}
	want := map[replay.Kind]int{replay.KindTransfer: 1, replay.KindOffer: 2, replay.KindSay: 1, replay.KindShadow: 1}
	if diff := cmp.Diff(want, byKind(replay.Compare(before, after).Gained)); diff != "" {
		t.Errorf("gained: %s", diff)
	}
	if diff := cmp.Diff(want, byKind(replay.Compare(after, before).Lost)); diff != "" {
		t.Errorf("lost: %s", diff)
	}
	other := run(load(t, strings.Replace(talkingRules, "BUY NOW", "BUY LATER", 1)), dialogues...)
	if changed := replay.Compare(after, other).Changed; len(changed) != 1 || changed[0].Kind != replay.KindSay || changed[0].After.Say != "BUY LATER" {
		t.Errorf("other words: %+v", changed)
	}
}

func TestCompare_withItself_isEmpty_andPrintsEmptyLists(t *testing.T) {
	r := run(load(t, testRules), dialogue("user: abracadabra"))
	b, err := json.Marshal(replay.Compare(r, r))
	if err != nil || string(b) != `{"gained":[],"lost":[],"changed":[]}` {
		t.Errorf("%s %v", b, err)
	}
}

// explained explains a dialogue that begins at the default time.
func explained(t *testing.T, p *rules.Policy, said []replay.Said, muted rules.Muted) replay.Explanation {
	t.Helper()
	steps, err := replay.Steps(said, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := replay.Explain(t.Context(), p, steps, replay.Setting{Begin: replay.DefaultTime, Muted: muted})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExplain_tellsOfEveryTurn_agentsAndTimersIncluded(t *testing.T) {
	late := replay.DefaultTime.Add(time.Minute)
	turns := dialogue("user: hello", "bot: hi", "user: anyone?", "agent: Li here", "user: abracadabra")
	turns[3].At = &late
	x := explained(t, load(t, testRules), turns, nil)
	var got []string
	for _, turn := range x.Turns {
		got = append(got, fmt.Sprintf("%s in %s: %s %s", turn.Role, turn.Phase, turn.Decision.Outcome, turn.Decision.Reason))
	}
	want := []string{
		"user in bot: none ", "bot in bot: none ", "user in bot: none ", "timer in bot: transfer ",
		"agent in transferring: none ", "user in human: suppressed already_human",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	agent := x.Turns[4]
	if agent.Text != "Li here" || agent.Normal != "li here" {
		t.Errorf("agent: %+v", agent)
	}
}

func TestExplain_aMute_silencesMessagesAndTimers(t *testing.T) {
	mute := rules.Mute{Until: replay.DefaultTime.Add(time.Hour), By: "li", Why: "too loud"}
	late := replay.DefaultTime.Add(time.Minute)
	turns := dialogue("user: abracadabra", "user: hello?")
	turns[1].At = &late
	x := explained(t, load(t, testRules), turns, rules.Muted{"magic": mute, "silent": mute})
	if len(x.Turns) != 3 {
		t.Fatalf("%d turns", len(x.Turns))
	}
	for _, turn := range x.Turns {
		if turn.Decision.Outcome != rules.OutcomeNone {
			t.Errorf("%s %q: %s", turn.Role, turn.Text, turn.Summary)
		}
	}
	if first := x.Turns[0]; first.Decision.Reason != rules.ReasonMuted || !strings.Contains(first.Rules[0].Why.String(), "muted by li") {
		t.Errorf("%+v", first)
	}
}

// TestExplain_asJSON_hasTheNamesThatScriptsRead is CONTRACT.md 1.
func TestExplain_asJSON_hasTheNamesThatScriptsRead(t *testing.T) {
	b, err := json.Marshal(explained(t, load(t, testRules), dialogue("user: abracadabra", "agent: hi"), nil))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "null") {
		t.Errorf("a null where scripts expect a list: %s", b)
	}
	var x struct {
		Turns []struct {
			Role, Text, Normal string
			Decision           map[string]any
			Rules              []map[string]any
		}
	}
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatal(err)
	}
	first := x.Turns[0]
	if first.Role != "user" || first.Text != "abracadabra" || first.Normal != "abracadabra" || len(first.Rules) != 4 {
		t.Errorf("%s", b)
	}
	matched := []any{map[string]any{"phrase": "abracadabra", "text": "abracadabra", "start": 0.0, "end": 11.0, "list": "magic"}}
	want := map[string]any{
		"rule": "magic", "outcome": "transfer", "target": "default", "reason": "", "matched": matched,
		"why": "says: found abracadabra ($magic)", "chain": []any{map[string]any{"target": "default"}},
	}
	if diff := cmp.Diff(want, first.Decision); diff != "" {
		t.Error(diff)
	}
}

func TestReplay_theSameEvents_giveTheSameResult(t *testing.T) {
	p := load(t, testRules)
	dialogues := [][]replay.Said{dialogue("user: abracadabra"), dialogue("user: a", "bot: sorry", "bot: sorry", "user: b", "bot: sorry")}
	if diff := cmp.Diff(run(p, dialogues...), run(p, slices.Clone(dialogues)...)); diff != "" {
		t.Error(diff)
	}
}

// A recorded customer is in a share as in live traffic; in tests and dialogues everybody is, unless somebody is named.
func TestShares_askWhomTheyKnow(t *testing.T) {
	p := load(t, "version: 1\ntargets: {default: {}}\nrules: [{id: vip, share: 55%, when: {says: [gold]}, then: {transfer: default}}]\n")
	for _, c := range []struct {
		user, session string
		want          string
	}{{"u1", "", ""}, {"u2", "", "vip"}, {"", "u1", ""}, {"", "", "vip"}} {
		turn := rules.Turn{Text: "gold", UserID: c.user, SessionID: c.session}
		steps := replay.NewPlayer(p).Play(replay.Event{Session: "s", At: replay.DefaultTime, Turn: &turn})
		if got := steps[0].Decision.Rule; got != c.want {
			t.Errorf("%q %q: %q decided", c.user, c.session, got)
		}
	}
	said, err := replay.Steps([]replay.Said{{Role: "user", Text: "gold"}}, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]string{"": "vip", "u1": "", "u2": "vip"} {
		x, err := replay.Explain(t.Context(), p, said, replay.Setting{Begin: replay.DefaultTime, User: user})
		if err != nil || x.Turns[0].Decision.Rule != want {
			t.Errorf("explained for %q: %+v, %v", user, x.Turns, err)
		}
	}
}
