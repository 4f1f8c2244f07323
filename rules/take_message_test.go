package rules

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const leaveWords = `
calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}}
targets:
  default: {}
  sales: {group: 7, open: office, take_message: {say: {en: Leave a word., zh: 请留言。}, for: 10m, contact_within: 2h}}
rules:
  - {id: ask, when: {says: [live agent]}, then: {transfer: sales}, cooldown: 2m}
  - {id: night, when: {says: [nobody]}, then: {take_message: {say: Please leave a message.}}, cooldown: 1m}
  - {id: weather, when: {says: [weather]}, then: {keep: true}}
  - {id: watch, mode: shadow, when: {says: [order]}, then: {transfer: default}, cooldown: 0s}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
`

// asked plays the customer who was asked for words by a rule's own action.
func asked(t *testing.T, p *Policy) *talkTo {
	t.Helper()
	k := newTalk(t, p)
	k.sent(k.user("nobody there?"))
	return k
}

// sent notes that the words of a decision reached the customer.
func (k *talkTo) sent(d Decision) {
	k.t.Helper()
	if d.Take == nil {
		k.t.Fatalf("%s by %s asks for no words", d.Outcome, d.Rule)
	}
	k.c.AwaitWords(d.Rule, d.Take, k.now)
}

func TestTakeMessage_action_asksAndKeepsWhatFollows(t *testing.T) {
	p := load(t, leaveWords)
	k := newTalk(t, p)
	d := k.user("is nobody there")
	expect(t, "the rule", d, "message night")
	want := &TakeMessage{Target: "default", Say: &Speech{[]SpeechText{{"", "Please leave a message."}}}, For: 15 * time.Minute, ContactWithin: 24 * time.Hour}
	if diff := cmp.Diff(want, d.Take); diff != "" || d.Say != d.Take.Say || d.Target != "default" || d.Left != nil {
		t.Errorf("asks otherwise: target %q, says %v (-want +got):\n%s", d.Target, d.Say, diff)
	}
	expect(t, "before it was sent", k.user("hello"), "none")
	k.sent(d)
	opened := k.now
	k.wait(time.Minute)
	d = k.user(" My parcel 1234 is broken. ")
	expect(t, "the first words", d, "message night")
	if diff := cmp.Diff(&Left{Words: "My parcel 1234 is broken.", Opened: opened, ContactWithin: 24 * time.Hour}, d.Left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if d.Take != nil || d.Say.For("en") != builtinThanks.For("en") {
		t.Errorf("the first words are acknowledged with %q", d.Say.For("en"))
	}
	if d = k.user("Call me after six"); d.Left == nil || d.Say != nil {
		t.Errorf("the second words: left %v, says %v", d.Left, d.Say)
	}
	if d = k.turn(Turn{Sends: SendsImage | SendsFile}); d.Left == nil || d.Left.Words != "[image] [file]" {
		t.Errorf("pictures leave %v", d.Left)
	}
	expect(t, "nothing at all", k.user("  "), "none")
	expect(t, "the bot's words", k.bot("hm"), "none")
}

func TestTakeMessage_builtinThanks_isThereInEveryLanguage(t *testing.T) {
	for _, lang := range languages {
		if lang != "zh" && builtinThanks.For(lang) == builtinThanks.Texts[0].Text {
			t.Errorf("no thanks in %s", lang)
		}
	}
}

func TestTakeMessage_rulesAreTriedFirst_andOneThatFiresEndsIt(t *testing.T) {
	p := load(t, leaveWords)
	k := asked(t, p)
	expect(t, "a keep", k.user("the weather"), "keep weather")
	expect(t, "after it", k.user("hello"), "none")
	k = asked(t, p)
	expect(t, "a rule at rest", k.user("nobody?"), "message night")
	if d := k.user("my order"); d.Left == nil || !cmp.Equal(d.Shadow, []string{"watch"}) {
		t.Errorf("a shadow rule: left %v, shadow %v", d.Left, d.Shadow)
	}
	expect(t, "a transfer", k.user("live agent"), "transfer ask")
	k.settle(ResultFailed)
	expect(t, "after it", k.user("hello"), "none")
	k = asked(t, p)
	k.wait(time.Minute)
	d := k.user("nobody")
	if expect(t, "asked once more", d, "message night"); d.Take == nil {
		t.Error("asked once more, and no words are asked for")
	}
	expect(t, "while that is on its way", k.user("hello"), "none")
}

func TestTakeMessage_ends(t *testing.T) {
	p := load(t, leaveWords)
	for name, end := range map[string]func(k *talkTo){
		"when its time is over":      func(k *talkTo) { k.wait(15*time.Minute + time.Millisecond) },
		"with an agent":              func(k *talkTo) { k.observe(EventWithHuman); k.observe(EventNoAgent) },
		"in the queue":               func(k *talkTo) { k.observe(EventTransferring); k.observe(EventNoAgent) },
		"with the session":           func(k *talkTo) { k.observe(EventClosed) },
		"when the transfer succeeds": func(k *talkTo) { k.settle(ResultAssigned); k.settle(ResultFailed) },
	} {
		k := asked(t, p)
		end(k)
		expect(t, name, k.user("hello"), "none")
	}
	k := asked(t, p)
	k.wait(15 * time.Minute)
	expect(t, "at the last moment", k.user("hello"), "message night")

	k = newTalk(t, p) // somebody has the customer by the time the words were sent
	d := k.user("nobody")
	k.observe(EventWithHuman)
	k.c.AwaitWords(d.Rule, d.Take, k.now)
	k.observe(EventNoAgent)
	expect(t, "asked too late", k.user("hello"), "none")
}

func TestTakeMessage_keepsTenMessagesAndTwoThousandCharacters(t *testing.T) {
	p := load(t, leaveWords)
	k := asked(t, p)
	for i := range 10 {
		if d := k.user("hello"); d.Left == nil {
			t.Fatalf("message %d is not kept", i+1)
		}
	}
	expect(t, "the eleventh", k.user("hello"), "none")
	k = asked(t, p)
	kept := 0
	for range 3 {
		d := k.user(strings.Repeat("价格", 450))
		if d.Left == nil {
			t.Fatal("not kept")
		}
		kept += utf8.RuneCountInString(d.Left.Words)
	}
	if expect(t, "beyond 2,000 characters", k.user("hello"), "none"); kept != 2000 {
		t.Errorf("%d characters are kept", kept)
	}
}

func TestTakeMessage_ofATarget_standsInForItsTexts(t *testing.T) {
	p := load(t, leaveWords)
	if p.Target("sales").TipIfNoAgent {
		t.Error("Desk's tip is asked for beside our own words")
	}
	k := newTalk(t, p)
	k.now = time.Date(2026, 1, 5, 22, 0, 0, 0, time.FixedZone("", 8*3600))
	d := k.user("live agent")
	expect(t, "closed", d, "closed ask closed")
	if d.Take == nil || d.Take.Target != "sales" || d.Say.For("en") != "Leave a word." {
		t.Errorf("closed: takes %+v, says %q", d.Take, d.Say.For("en"))
	}
	k.sent(d)
	if d = k.user("hello"); d.Left == nil || d.Target != "sales" || d.Left.ContactWithin != 2*time.Hour {
		t.Errorf("closed, then words: %+v", d)
	}

	k = newTalk(t, p)
	d = k.user("live agent")
	say, take := IfNobody(d.Chain)
	if take == nil || say.For("zh") != "请留言。" {
		t.Fatalf("nobody: says %v, takes %v", say, take)
	}
	k.c.AwaitWords(d.Rule, take, k.now) // sent before the conversation knows how the transfer ended
	k.settle(ResultNoAgent)
	expect(t, "nobody, then words", k.user("hello"), "message ask")
	k.wait(30 * time.Second)
	expect(t, "asked in own words", k.user("live agent"), "transfer ask")
}

func TestTakeMessage_ofATarget_isStoredWithIt(t *testing.T) {
	sales := load(t, leaveWords).Target("sales")
	data, err := json.Marshal(sales)
	if err != nil {
		t.Fatal(err)
	}
	var back Target
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sales, &back, cmpopts.IgnoreUnexported(Target{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIfNobody_theFirstTextOnTheWay(t *testing.T) {
	silent, says, takes := &Target{}, &Target{SayIfNoAgent: builtinFailure}, &Target{TakeMessage: &TakeMessage{Say: builtinThanks}}
	for _, c := range []struct {
		chain []*Target
		say   *Speech
		take  *TakeMessage
	}{
		{nil, nil, nil},
		{[]*Target{silent}, nil, nil},
		{[]*Target{silent, says, takes}, builtinFailure, nil},
		{[]*Target{silent, takes, says}, builtinThanks, takes.TakeMessage},
	} {
		if say, take := IfNobody(c.chain); say != c.say || take != c.take {
			t.Errorf("%d targets: says %v, takes %v", len(c.chain), say, take)
		}
	}
}

func TestTakeMessage_theBotIsNotSilentMeanwhile(t *testing.T) {
	p := load(t, leaveWords)
	k := asked(t, p)
	k.user("hello")
	if at, ok := p.NextTimer(&k.c); ok {
		t.Errorf("a turn by the clock is due at %s", at)
	}
}

func TestTakeMessage_survivesItsRule(t *testing.T) {
	k := asked(t, load(t, leaveWords))
	k.p = load(t, "rules: [{id: other, when: {says: [x]}, then: {keep: true}}]")
	d, trace := k.p.Explain(&k.c, Turn{Text: "hello", At: k.now})
	if d.Left == nil || d.Rule != "night" || trace.Rules[0].Result != "no" {
		t.Errorf("%+v, %+v", d, trace.Rules)
	}
}

func TestTakeMessage_explained(t *testing.T) {
	k := asked(t, load(t, leaveWords))
	d, trace := k.p.Explain(&k.c, Turn{Text: "hello", At: k.now, WithWhy: true})
	if trace.Summary.String() != "message by night" || plain(d) != "take_message: words kept, 1 of at most 10" {
		t.Errorf("summary %q, why %q", trace.Summary, plain(d))
	}
	for _, r := range trace.Rules {
		if r.ID == "night" && (r.Result != "fired" || r.Why.String() != "the customer leaves words, as it asked" || len(r.Say) == 0) {
			t.Errorf("%+v", r)
		}
	}
}

func TestTakeMessage_mistakes(t *testing.T) {
	for name, c := range map[string]struct{ body, message string }{
		"say beside it":        {"rules: [{id: a, when: {says: [x y]}, then: {say: Hi, take_message: {say: Leave a word}}}]", "`take_message` has a `say` of its own"},
		"beside a transfer":    {"rules: [{id: a, when: {says: [x y]}, then: {transfer: default, take_message: {say: Leave a word}}}]", "`transfer` and `take_message` exclude each other"},
		"without say":          {"rules: [{id: a, when: {says: [x y]}, then: {take_message: {for: 5m}}}]", "lacks `say`"},
		"nothing to say":       {"rules: [{id: a, when: {says: [x y]}, then: {take_message: {say: ''}}}]", "must not be empty"},
		"longer than the talk": {"targets: {default: {take_message: {say: Leave a word, for: 3h}}}\nrules: [{id: a, when: {says: [x y]}, then: {transfer: default}}]", "longer than a conversation is remembered"},
		"a short talk":         {"defaults: {session_ttl: 5m, cooldown: 1m}\nrules: [{id: a, when: {says: [x y]}, then: {take_message: {say: Leave a word}}}]", "longer than a conversation is remembered"},
		"contact in a month":   {"rules: [{id: a, when: {says: [x y]}, then: {take_message: {say: Leave a word, contact_within: 30d}}}]", "words are kept for 7d at most"},
	} {
		body := "version: 1\n" + c.body
		if !strings.Contains(body, "targets:") {
			body += "\ntargets: {default: {}}"
		}
		_, report := Load([]byte(body), LoadOptions{})
		if len(report.Errors) != 1 || !strings.Contains(report.Errors[0].Message.String(), c.message) {
			t.Errorf("%s: %v", name, report.Errors)
		}
	}
}
