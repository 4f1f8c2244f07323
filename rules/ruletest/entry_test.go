package ruletest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"escalator/rules"
	"escalator/rules/replay"
)

// many has a rule for each way in which a turn may end.
const many = `version: 1
targets:
  default: {say_if_no_agent: Nobody is there.}
  sales: {group: 7, queue_timeout: 10m, else: default}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}, cooldown: 2m}
  - {id: gold, when: {field: {path: CloudCustomData.level, equals: gold}}, then: {transfer: sales, tag: [vip]}}
  - {id: again, when: {repeats: {times: 2, within: 10m}}, then: {offer: A person?, transfer: sales}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30s}, then: {keep: true, say: One moment.}}
  - {id: picture, when: {sends: [image]}, then: {keep: true}}
  - {id: crowd, mode: shadow, when: {all: [{says: [buy]}, {queue: {at_least: 5}}]}, then: {transfer: sales}}
  - {id: share, share: 0.1%, when: {says: [trial]}, then: {transfer: sales}}
  - {id: words, when: {says: [later]}, then: {take_message: {say: What is it about?, for: 15m, contact_within: 24h}}}
`

const small = "version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {says: {any: [human], negation: ignore}}, then: {transfer: default}}]\n"

const nightly = `version: 1
calendars: {day: {tz: Asia/Shanghai, open: [mon-sun 09:00-18:00]}}
targets: {default: {open: day}}
rules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]
`

// tester is a test, or one try of a property.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Context() context.Context
}

func loaded(t tester, text string) *rules.Policy {
	t.Helper()
	p, r := rules.Load([]byte(text), rules.LoadOptions{})
	if p == nil {
		t.Fatalf("%+v in\n%s", r.Errors, text)
	}
	return p
}

// made makes an entry, puts it into the file, and has it run.
func made(t tester, file, name string, begin time.Time, said ...replay.Said) string {
	t.Helper()
	p := loaded(t, file)
	steps, err := replay.Steps(said, begin)
	if err != nil {
		t.Fatalf("%v", err)
	}
	entry, err := Entry(t.Context(), p, Draft{Name: name, Steps: steps, Begin: begin})
	if err != nil {
		t.Fatalf("%+v: %v", said, err)
	}
	with := loaded(t, file+"tests:\n"+entry)
	test := with.Tests()[0]
	if result := RunTest(with, test); !result.OK || test.Name != strings.TrimSpace(name) {
		t.Fatalf("%q: %s\n%s", test.Name, result.Message, entry)
	}
	return entry
}

func TestEntry_passes_andInsistsOnWhatWasDecided(t *testing.T) {
	evening := time.Date(2026, 12, 1, 23, 0, 0, 5, time.FixedZone("", 8*3600))
	user := func(text string) replay.Said { return replay.Said{Role: "user", Text: text} }
	for _, c := range []struct {
		name, file string
		begin      time.Time
		said       []replay.Said
		want       string
	}{
		{"plain ask", many, evening, []replay.Said{user("a human please")}, "  - {name: plain ask, say: a human please, expect: {rule: ask, target: default}}\n"},
		{"no: nothing", many, evening, []replay.Said{user("hello, 你好 👋")}, "  - {name: \"no: nothing\", say: \"hello, 你好 👋\", expect: none}\n"},
		{"closed", nightly, evening, []replay.Said{user("human")}, "  - {name: closed, at: 2026-12-01T23:00:00+08:00, say: human, expect: {rule: ask, outcome: closed, reason: closed}}\n"},
		{
			"a field", many, evening,
			[]replay.Said{{Role: "user", Text: "12", Fields: map[string]string{"CloudCustomData.level": "gold", "a b": "null"}}},
			"  - name: a field\n    steps:\n      - {user: {text: \"12\", fields: {CloudCustomData.level: gold, a b: \"null\"}}, expect: {rule: gold, target: sales}}\n",
		},
		{"a talk", many, evening, []replay.Said{
			user("where is it"),
			{Role: "bot", Text: "sorry,\nwhat?", Mark: "fallback"},
			user("where"),
			{Role: "bot", Mark: "fallback"},
			{Role: "desk", Text: "no_agent"},
			{Role: "wait", Text: "1m30s"},
			user("human"),
			{Role: "desk", Text: "queued"},
			user("human!"),
			{Role: "agent", Text: "here I am"},
			{Role: "event", Text: "closed"},
		}, `  - name: a talk
    steps:
      - {user: where is it, expect: none}
      - {bot: {text: "sorry,\nwhat?", marks: fallback}}
      - {user: where, expect: none}
      - {bot: {marks: fallback}, expect: {rule: stuck, target: default}}
      - {desk: no_agent}
      - {wait: 1m30s}
      - {user: human, expect: {rule: ask, target: default}}
      - {desk: queued}
      - {user: human!, expect: {rule: ask, suppressed: already_queued}}
      - {agent: here I am}
      - {event: closed}
`},
		{"the queue", many, evening, []replay.Said{
			{Role: "desk", Text: "{agents: 3, queue: 12, groups: {2473: 4, 7: 1}}"}, user("I want to buy"), {Role: "desk", Text: "unknown"}, {Role: "desk", Text: "{agents: [li@example.com]}"}, user("buy"),
		}, `  - name: the queue
    steps:
      - {desk: {agents: 3, queue: 12, groups: {2473: 4, 7: 1}}}
      - {user: I want to buy, expect: {rule: none, shadow: [crowd]}}
      - {desk: unknown}
      - {desk: {agents: [li@example.com]}}
      - {user: buy, expect: none}
`},
		{"an offer", many, evening, []replay.Said{user("where is my parcel"), user("where is my parcel"), user("yes")}, `  - name: an offer
    steps:
      - {user: where is my parcel, expect: none}
      - {user: where is my parcel, expect: {rule: again, outcome: offer}}
      - {user: "yes", expect: {rule: again, target: sales, reason: offer_accepted}}
`},
		{"declined", many, evening, []replay.Said{user("where is my parcel"), user("where is my parcel"), user("no")}, `  - name: declined
    steps:
      - {user: where is my parcel, expect: none}
      - {user: where is my parcel, expect: {rule: again, outcome: offer}}
      - {user: "no", expect: {rule: again, reason: offer_declined}}
`},
		{"silence", many, evening, []replay.Said{user("where is it"), {Role: "bot", Text: "here", Wait: "40s", Desk: "{queue: 2}"}}, `  - name: silence
    steps:
      - {user: where is it, expect: none}
      - {wait: 40s, expect: {rule: silent, outcome: keep}}
      - {bot: here, desk: {queue: 2}}
`},
		{"everybody", many, evening, []replay.Said{user("trial")}, "  - {name: everybody, say: trial, expect: {rule: share, target: sales}}\n"},
		{"words left", many, evening, []replay.Said{user("later"), user("my order 12")}, `  - name: words left
    steps:
      - {user: later, expect: {rule: words, outcome: message}}
      - {user: my order 12, expect: {rule: words, outcome: message}}
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, made(t, c.file, c.name, c.begin, c.said...)); d != "" {
				t.Error(d)
			}
		})
	}
}

// The time that lies between two turns because some must is left out, unless something comes of it.
func TestEntry_gapsStayWhereTheyMatter(t *testing.T) {
	at := func(s int) *time.Time { at := replay.DefaultTime.Add(time.Duration(s) * time.Second); return &at }
	got := made(t, many, "gap", replay.DefaultTime, replay.Said{Role: "user", Text: "where is it", At: at(0)}, replay.Said{Role: "user", Text: "hm", At: at(45)})
	if want := "      - {wait: 45s, expect: {rule: silent, outcome: keep}}\n"; !strings.Contains(got, want) {
		t.Error(got)
	}
}

func TestEntry_wordsThatYAMLTakesForSomethingElse(t *testing.T) {
	var said []replay.Said
	texts := []string{
		"null", "~", "*a", "&a", "yes", "12315", "0x1F", "- x", "a: b", "a #b", "，、：“”", "\u00a0", "\ufeff", "\u2028", "\x00\x1b", "\r\n", "  a  ", "",
		"👨‍👩‍👧", "{", "]", "'", "\"", "\\n", "!tag", "%", "@", "`", "<<", "=", "2026-01-05", "1:30", "\U000E0001", "\uFFFE", "转人工。", "a\tb", "人工 now?",
	}
	for _, text := range texts {
		said = append(said, replay.Said{Role: "user", Text: text}, replay.Said{Role: "user", Text: "x", Fields: map[string]string{text: text}})
	}
	for _, name := range texts {
		if strings.TrimSpace(name) != "" && strings.TrimSpace(name) == name {
			said = append(said, replay.Said{Role: "bot", Text: name, Mark: "fallback"})
		}
	}
	steps := loaded(t, small+"tests:\n"+made(t, small, "null", replay.DefaultTime, said...)).Tests()[0].Steps
	for i, text := range texts {
		if got := steps[2*i].Message.Text; got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if got, ok := steps[2*i+1].Message.Fields[text]; got != text || !ok {
			t.Errorf("the field %q is read as %q", text, got)
		}
	}
}

func TestScalar_isReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, form := range []string{"- %s", "- {a: %s}", "- {%s: 1}", "- [%s, 2]"} {
			var doc yaml.Node
			if err := yaml.Unmarshal([]byte(fmt.Sprintf(form, scalar(text))), &doc); err != nil {
				t.Fatalf("%q as %s: %v", text, scalar(text), err)
			}
			n := doc.Content[0].Content[0]
			for len(n.Content) > 0 {
				n = n.Content[map[bool]int{true: 1}[form == "- {a: %s}"]]
			}
			if n.Value != text || n.Kind != yaml.ScalarNode || n.Anchor != "" {
				t.Fatalf("%q is read as %q", text, n.Value)
			}
		}
	})
}

func TestEntry_ofWhatNoTestCanBe_isRefused(t *testing.T) {
	p := loaded(t, many+"tests: [{name: taken, say: human, expect: ask}]\n")
	far := replay.DefaultTime.Add(500 * 24 * time.Hour)
	for _, c := range []struct {
		name, why string
		said      []replay.Said
	}{
		{" ", "needs a name", nil},
		{"taken", "already", nil},
		{strings.Repeat("长", 201), "longer than 200", nil},
		{"far", "it waits for", []replay.Said{{Role: "user", Text: "a"}, {Role: "user", Text: "b", At: &far}}},
		{"mark", `the mark "a b"`, []replay.Said{{Role: "bot", Mark: "a b"}}},
		{"desk", "no transfer was made", []replay.Said{{Role: "desk", Text: "queued"}}},
	} {
		steps, err := replay.Steps(c.said, replay.DefaultTime)
		if err != nil {
			t.Fatal(err)
		}
		if entry, err := Entry(t.Context(), p, Draft{Name: c.name, Steps: steps, Begin: replay.DefaultTime}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v %s", c.name, err, entry)
		}
	}
}
