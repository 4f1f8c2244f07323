package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const triedRules = `
calendars: {never: {open: ["mon 00:00-00:01"], tz: UTC}}
targets: {default: {}, shut: {open: never}}
rules:
  - {id: off, mode: off, when: {says: [转人工]}, then: {transfer: default}}
  - {id: silenced, when: {says: [转人工]}, then: {transfer: default}}
  - {id: shut, when: {says: [晚上]}, then: {offer: 需要人工吗？, transfer: shut}}
  - {id: q, when: {says: [怎么]}, then: {offer: 需要人工吗？, transfer: default}, cooldown: 1m}
  - {id: calm, when: {all: [{not: {says: [怎么]}}, {not: {mood: {list: furious, at_least: 3, within: 10m}}}, {turns: {at_least: 5}}]}, then: {keep: true}}
  - {id: gold, mode: shadow, when: {any: [{field: {path: a.b, equals: xyz}}, {said: {any: [退款], within: 5m}}]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: default}, cooldown: 1m}
  - {id: ask, when: {rule: bare}, then: {transfer: default}, cooldown: 1m}
  - {id: bare, when: {says: [人工]}, then: {keep: true}}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}, cooldown: 1m}
lists: {furious: {骗子: 3, 谢谢: -2}}
`

// What is noted in passing says of every rule what the full story says.
func TestTried_saysWhatTheStorySays_ofEveryRule(t *testing.T) {
	p := load(t, triedRules)
	mutes := rapid.SampledFrom([]Muted{nil, {"silenced": {Until: start.Add(20 * time.Minute), By: "li", Why: "too often"}}})
	texts := rapid.SampledFrom([]string{"转人工", "不要转人工", "怎么退款", "好的", "不用了", "骗子", "谢谢", "晚上见", "我的订单到哪里了", ""})
	var tried Tried
	rapid.Check(t, func(r *rapid.T) {
		var c, copied Conversation
		now, muted := start, mutes.Draw(r, "muted")
		for range rapid.IntRange(1, 12).Draw(r, "turns") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(r, "wait")) * time.Second)
			turn := Turn{Kind: rapid.SampledFrom([]TurnKind{UserTurn, UserTurn, BotTurn, TimerTurn, StartTurn}).Draw(r, "kind"), At: now, Muted: muted, WithWhy: true}
			if turn.Kind != TimerTurn {
				turn.Text = texts.Draw(r, "text")
			}
			if turn.Kind == BotTurn && rapid.Bool().Draw(r, "miss") {
				turn.Text, turn.Mark = "抱歉", "fallback"
			}
			copied.CopyFrom(&c)
			want, story := p.Explain(&copied, turn)
			turn.Tried = &tried
			got := p.Decide(&c, turn)
			if got.words() != want.words() || got.Near != want.Near || got.NearReason != want.NearReason {
				r.Fatalf("passing over rules changed the decision: %s, want %s", got.words(), want.words())
			}
			if diff := cmp.Diff(want.Why, got.Why); diff != "" {
				r.Fatalf("why (-without notes +with notes):\n%s", diff)
			}
			compareStories(r, &tried, story)
			if got.Outcome == OutcomeOffer {
				p.OfferSent(&c, got.Rule, now)
			}
			if tried.Phase != c.Phase() || turn.Kind != StartTurn && numbersOf(tried.Counters) != numbersOf(*story.Counters) {
				r.Fatalf("phase %s, counters %+v", tried.Phase, tried.Counters)
			}
			if c.Phase() == PhaseTransferring {
				p.Settle(&c, nil, got.Rule, rapid.SampledFrom([]Result{ResultNoAgent, ResultAssigned, ResultQueued}).Draw(r, "result"), now)
			}
		}
	})
}

// numbersOf are the counters that a decision does not change.
func numbersOf(c Counters) [5]int {
	return [5]int{c.UserMessages, c.MissesInARow, c.Misses, c.Transfers, c.LastMinute}
}

// inFull hides nothing.
var inFull = NewStories(func(s string) string { return s })

func compareStories(r *rapid.T, tried *Tried, story Trace) {
	rules := inFull.Of(tried, nil)
	if story.Role == "start" || story.Rules == nil {
		if len(rules) > 0 {
			r.Fatalf("a start tries no rule: %+v", rules)
		}
		return
	}
	if len(rules) != len(story.Rules) {
		r.Fatalf("%d rules, want %d", len(rules), len(story.Rules))
	}
	for i, want := range story.Rules {
		got := rules[i]
		if got.ID != want.ID || got.Result != want.Result || got.Reason != want.Reason {
			r.Fatalf("%+v, want %s %s %s (%s)", got, want.ID, want.Result, want.Reason, want.Why)
		}
		if got.Result == "no" && got.Why == "" {
			r.Fatalf("%s: nothing says why not", got.ID)
		}
		for part := range strings.SplitSeq(got.Why, "; ") {
			if !strings.Contains(want.Why.String(), strings.TrimPrefix(part, "not ")) && got.ID != "ask" { // whose story is that of the rule it refers to
				r.Fatalf("%s: %q is not in the story %q", got.ID, part, want.Why)
			}
		}
	}
}

func TestTried_tellsWhyNot(t *testing.T) {
	k := newTalk(t, load(t, triedRules))
	var tried Tried
	k.turn(Turn{Text: "我的订单到哪里了", Tried: &tried})
	k.turn(Turn{Text: "别转人工，我的订单到哪里了", Tried: &tried, Muted: Muted{"silenced": {Until: start.Add(time.Hour), By: "li"}}})
	want := map[string]string{
		"off":      "off ",
		"silenced": "muted muted by li until 11:00",
		"q":        "no says: none of its phrases is there",
		"calm":     "no turns: 2 of 5",
		"gold":     "no field: a.b is not there; said: not said so far",
		"stuck":    "no bot_missed: 0 of 2 in 15m",
		"bare":     "no says: 人工 is negated by 别",
		"silent":   "no bot_silent: applies to a timer only",
	}
	all := inFull.Of(&tried, nil)
	for _, r := range all {
		got := r.Result + " " + r.Why
		if w, ok := want[r.ID]; ok && got != w {
			t.Errorf("%s: %q, want %q", r.ID, got, w)
		}
	}
	if len(all) != len(k.p.rules) {
		t.Errorf("%d rules", len(all))
	}
	for _, r := range NewStories(func(string) string { return "" }).Of(&tried, nil) {
		if r.ID == "bare" && r.Why != "says" {
			t.Errorf("words that may not be shown: %q", r.Why)
		}
	}
}

// Nearly every turn decides nothing: to note why, and to tell it, must leave nothing for the garbage collector either.
func TestTried_nothingFires_allocatesNothing(t *testing.T) {
	p := mustLoad(t, readFile(t, "../rules.yaml"))
	var c Conversation
	var tried Tried
	var told []RuleStory
	now := start
	decide := func() {
		now = now.Add(11 * time.Minute)
		p.Decide(&c, Turn{Text: quiet[0].Text, At: now, WithWhy: true, Tried: &tried})
		told = inFull.Of(&tried, told[:0])
	}
	for range 40 { // fills the rings
		decide()
	}
	if n := testing.AllocsPerRun(100, decide); n > 0 && !raceDetector {
		t.Errorf("%v allocations", n)
	}
	stuck := slices.IndexFunc(p.rules, func(r *rule) bool { return r.id == "bot-stuck" })
	if len(told) != len(p.rules) || told[stuck].Why != "bot_missed: 0 of 3 in 15m" {
		t.Errorf("%+v", told)
	}
}

// The same as BenchmarkDecide_shipped, with notes.
func BenchmarkDecide_shippedTried(b *testing.B) {
	p := mustLoad(b, readFile(b, "../rules.yaml"))
	var c Conversation
	var tried Tried
	now := start
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		turn := quiet[i%2]
		now = now.Add(4 * time.Minute)
		turn.At, turn.Tried = now, &tried
		p.Decide(&c, turn)
	}
}

// What sleeping rules say is told once, however many there are: each turn of a long file would else be told anew.
func TestStories_ofALongFile_areToldOnce(t *testing.T) {
	var file strings.Builder
	file.WriteString("rules:\n")
	for i := range maxStories/2 + 1 {
		fmt.Fprintf(&file, "  - {id: r%d, when: {says: [parcel %d]}, then: {keep: true}}\n", i, i)
	}
	p := load(t, file.String())
	told := 0
	stories := NewStories(func(s string) string { told++; return s })
	for i := range 3 {
		var c Conversation
		var tried Tried
		p.Decide(&c, Turn{Text: "Where is the page with my invoices?", At: start, Tried: &tried})
		if all := stories.Of(&tried, nil); len(all) != len(p.rules) || all[7].Why != all[8].Why || all[7].Result != "no" {
			t.Fatalf("%d stories, %+v", len(all), all[7])
		}
		if i > 0 && told > 0 {
			t.Fatalf("turn %d: %d were told again", i, told)
		}
		told = 0
	}
}
