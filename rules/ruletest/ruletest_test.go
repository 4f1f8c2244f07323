package ruletest

import (
	"context"
	"errors"
	"os"
	"testing"
	_ "time/tzdata"

	"escalator/rules"
	"escalator/rules/lang"
)

// The example of RULES.md 1 is the file that people will copy from, so it must load and its own tests must pass.
func TestRun_exampleFile_passes(t *testing.T) {
	src, err := os.ReadFile("../testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, r := rules.Load(src, rules.LoadOptions{})
	if !r.OK() {
		r.Write(os.Stderr, lang.English, "example.yaml", rules.Files{"example.yaml": src})
		t.Fatal("the example has errors")
	}
	report := ran(t, p)
	for _, result := range report.Tests {
		if !result.OK {
			t.Errorf("%s: %s", result.Name, result.Message)
		}
	}
	if report.Passed != 4 {
		t.Errorf("passed %d of 4", report.Passed)
	}
}

// head is a file of rules that the tests below judge.
const head = `version: 1
targets: {default: {}, vip: {}}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default, tag: [asked]}, cooldown: 5m}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: vip}}
  - {id: silent, when: {bot_silent: 30s}, then: {offer: 需要人工吗？, transfer: default}}
  - {id: level, mode: shadow, when: {field: {path: C.level, equals: gold}}, then: {transfer: vip}}
lists: {yes: {add: [要的]}}
tests:
`

func TestRun_results(t *testing.T) {
	for _, c := range []struct {
		name, test string
		message    string // "" for a success
	}{
		{"fires", "{name: a, say: 转人工, expect: ask}", ""},
		{"all that can be asked for", "{name: a, say: 转人工, expect: {rule: ask, target: default, outcome: transfer, tag: [asked], shadow: []}}", ""},
		{"does not fire", "{name: a, say: 你好, expect: ask}", "expected rule ask, got none: says: none of its phrases is there"},
		{"fires unasked", "{name: a, say: 转人工, expect: none}", "expected rule none, got ask: says: found 转人工"},
		{"another target", "{name: a, say: 转人工, expect: {target: vip}}", "expected target vip, got default: says: found 转人工"},
		{"negated, with the reason", "{name: a, say: 先别转人工, expect: {rule: none, reason: negated}}", ""},
		{
			"counter too low", "{name: a, steps: [{user: x}, {bot: {marks: fallback}}, {user: y}, {bot: {text: 啊, marks: [fallback]}, expect: stuck}]}",
			"step 4: expected rule stuck, got none: bot_missed: 2 of 3 in 15m",
		},
		{"unexpected transfer", "{name: a, steps: [{user: 转人工}]}", "nothing was expected, but ask transfers to default: says: found 转人工"},
		{"suppressed while under way", "{name: a, steps: [{user: 转人工, expect: ask}, {user: 转人工, expect: {rule: ask, suppressed: already_transferring}}]}", ""},
		{"suppressed counts as none", "{name: a, steps: [{user: 转人工, expect: ask}, {user: 转人工, expect: none}]}", ""},
		{
			"suppressed is not firing", "{name: a, steps: [{user: 转人工, expect: ask}, {user: 转人工, expect: ask}]}",
			"step 2: expected rule ask, got none: the conversation is being transferred already; says: found 转人工",
		},
		{"nobody online, in the step itself", "{name: a, steps: [{user: 转人工, desk: no_agent, expect: ask}, {user: 转人工, expect: {suppressed: cooldown}}, {wait: 30s}, {user: 转人工, expect: ask}]}", ""},
		{"an agent's message means assigned", "{name: a, steps: [{user: 转人工, expect: ask}, {agent: 您好}, {user: 转人工, expect: {suppressed: already_human}}]}", ""},
		{"closed", "{name: a, steps: [{user: 转人工, expect: ask}, {event: closed}, {user: 转人工, expect: ask}]}", ""},
		{"queued", "{name: a, steps: [{user: 转人工, expect: ask}, {desk: queued}, {user: 转人工, expect: {suppressed: already_queued}}]}", ""},
		{"a timer while waiting", "{name: a, steps: [{user: x}, {wait: 31s, expect: {rule: silent, outcome: offer}}, {user: 要的, expect: {rule: silent, reason: offer_accepted}}]}", ""},
		{"not long enough", "{name: a, steps: [{user: x}, {wait: 29s, expect: silent}]}", "step 2: expected rule silent, got none: nothing came due"},
		{"fields and shadow", "{name: a, steps: [{user: {text: x, fields: {C.level: gold}}, expect: {shadow: [level], outcome: shadow}}]}", ""},
		{"shadow that is not there", "{name: a, steps: [{user: x, expect: {shadow: [level]}}]}", "expected shadow level, got none"},
		{"tags that differ", "{name: a, say: 转人工, expect: {tag: [vip]}}", "expected tags vip, got asked"},
		{"desk without a transfer", "{name: a, steps: [{desk: assigned}]}", "desk: assigned, but no transfer was made before"},
		{"a known gap", "{name: a, say: 你好, expect: ask, todo: true}", "known gap: expected rule ask, got none: says: none of its phrases is there"},
		{"a gap that is closed", "{name: a, say: 转人工, expect: ask, todo: true}", "passes now: take `todo: true` away"},
	} {
		src := []byte(head + "  - " + c.test + "\n")
		p, r := rules.Load(src, rules.LoadOptions{})
		if p == nil {
			r.Write(t.Output(), lang.English, "rules.yaml", rules.Files{"rules.yaml": src})
			t.Fatalf("%s does not load", c.name)
		}
		report := ran(t, p)
		got := report.Tests[0]
		ok := c.message == "" || got.Todo
		if got.Message.String() != c.message || got.OK != ok || (report.Passed == 1) != ok {
			t.Errorf("%s: got %v %q, want %q", c.name, got.OK, got.Message, c.message)
		}
	}
}

// The fields of a test's message are read for words as those of a callback are.
func TestRun_wordsFrom_readsTheFieldsOfAMessage(t *testing.T) {
	p, r := rules.Load([]byte(`version: 1
targets: {default: {}}
words_from: [MsgBody.*.MsgContent.Data.content]
rules: [{id: ask, when: {says: [转人工]}, then: {transfer: default}}]
tests:
  - {name: a button, steps: [{user: {sends: [custom], fields: {MsgBody.0.MsgContent.Data.content: 转人工}}, expect: ask}]}
  - {name: another button, steps: [{user: {text: 好, fields: {MsgBody.1.MsgContent.Data.content: 查订单}}, expect: none}]}
  - {name: of the bot, steps: [{bot: {fields: {MsgBody.0.MsgContent.Data.content: 转人工}}, expect: none}]}
`), rules.LoadOptions{})
	if !r.OK() {
		t.Fatalf("%+v", r.Errors)
	}
	for _, result := range ran(t, p).Tests {
		if !result.OK {
			t.Errorf("%s: %s", result.Name, result.Message)
		}
	}
}

func ran(t *testing.T, p *rules.Policy) Report {
	t.Helper()
	report, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A file may hold so many tests that nobody waits for all of them.
func TestRun_whoGivesUp_endsIt(t *testing.T) {
	p, r := rules.Load([]byte("version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]\n"+
		"tests: [{name: a, say: human, expect: ask}, {name: b, say: human, expect: ask}]\n"), rules.LoadOptions{})
	if p == nil {
		t.Fatalf("%+v", r.Errors)
	}
	why := errors.New("nobody waits")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if report, err := Run(ctx, p); !errors.Is(err, why) || len(report.Tests) != 0 {
		t.Errorf("%d tests were run, %v", len(report.Tests), err)
	}
}
