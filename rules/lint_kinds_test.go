package rules

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"escalator/rules/lang"
)

// lintOf gives the warnings of a file of rules that has the usual head, without those on missing tests and on what is
// not used, each as its line's text from its column on, and the message.
func lintOf(t *testing.T, body string) []string {
	t.Helper()
	if !strings.Contains(body, "targets:") {
		body = "targets: {default: {}}\n" + body
	}
	src := []byte("version: 1\n" + body)
	_, r := Load(src, LoadOptions{Now: start})
	if !r.OK() {
		r.Write(t.Output(), lang.English, "rules.yaml", Files{"rules.yaml": src})
		t.Fatal("the file has errors")
	}
	var got []string
	for _, w := range r.Warnings {
		if !strings.Contains(w.Message.String(), "has no test") && !strings.Contains(w.Message.String(), "never used") {
			got = append(got, skipRunes(strings.Split(string(src), "\n")[w.Line-1], w.Column-1)+" ← "+w.Message.String())
		}
	}
	return got
}

const rest = "then: {transfer: default}}"

func TestLint_eachKindIsToldAtItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ body, at, message string }{
		"covered by a word":           {"rules: [{id: a, when: {says: [refund, get a refund]}, " + rest + "]", "get a refund]", "covered by refund"},
		"covered by a pack":           {"lists: {ask_human: {add: [转人工服务]}}\nrules: [{id: a, when: {says: [$ask_human]}, " + rest + "]", "转人工服务]", "covered by $ask_human"},
		"narrower below":              {"rules: [{id: a, when: {says: [退款]}, " + rest + ", {id: b, when: {says: [退款进度]}, " + rest + "]", "b, when", "`b` is never reached"},
		"narrower below in English":   {"rules: [{id: a, when: {says: [refund]}, " + rest + ", {id: b, when: {says: [get a refund, full refund]}, " + rest + "]", "b, when", "`b` is never reached"},
		"each of two words below one": {"rules: [{id: a, when: {says: [refund]}, " + rest + ", {id: b, when: {says: {all: [refund, card]}}, " + rest + "]", "b, when", "`b` is never reached"},
		"any character":               {"rules: [{id: a, when: {says: [/./]}, " + rest + "]", "/./]", "in nearly every message"},
		"any digit":                   {"rules: [{id: a, when: {says: [hello, '/[0-9]/']}, " + rest + "]", "'/[0-9]/'", "in nearly every message"},
		"any Chinese character":       {`rules: [{id: a, when: {says: ['/\p{Han}+/']}, ` + rest + "]", `'/\p`, "in nearly every message"},
		"twice":                       {"rules: [{id: a, when: {says: [退款, 退货, 退款]}, " + rest + "]", "退款]}", "a second time"},
		"two spellings":               {"rules: [{id: a, when: {says: [refund, Refund]}, " + rest + "]", "Refund]", "the same as refund in line 3"},
		"two scripts":                 {"rules: [{id: a, when: {says: [退货, 退貨]}, " + rest + "]", "退貨]", "the same as 退货"},
		"one character":               {"rules: [{id: a, when: {says: [人]}, " + rest + "]", "人]", "one character only"},
		"two letters":                 {"rules: [{id: a, when: {says: [QQ]}, " + rest + "]", "QQ]", "very short"},
		"a mask that is the phrase":   {"rules: [{id: a, when: {says: {any: [退款, 人工智能], not_part_of: [人工智能]}}, " + rest + "]", "人工智能], not", "never counts"},
		"added and taken away":        {"lists: {thanks: {add: [多谢啦], without: [多谢啦]}}\nrules: [{id: a, when: {says: [$thanks]}, " + rest + "]", "多谢啦], without", "never counts"},
		"a retry that is never first": {"targets: {default: {}, a: {else: b}, b: {retry_if_no_agent: {every: 1m, for: 5m}}}\nrules: [{id: a, when: {says: [退款]}, then: {transfer: a}}]", "retry_if_no_agent", "never first"},
		"closed without hours":        {"targets: {default: {say_if_closed: 已下班}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "say_if_closed", "never closed"},
		"queued without a queue":      {"targets: {default: {disable_queuing: true, say_if_queued: 请稍候}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "say_if_queued", "nobody waits"},
		"hours nobody checks":         {"targets: {default: {prompt_outside_working_hours: true}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "prompt_outside", "working hours"},
		"ended and handed on":         {"targets: {default: {}, a: {end_session_if_no_agent: true, else: default}}\nrules: [{id: a, when: {says: [退款]}, then: {transfer: a}}]", "else: default", "ends the conversation"},
		"ended and tried again":       {"targets: {default: {end_session_if_no_agent: true, retry_if_no_agent: {every: 1m, for: 5m}}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "retry_if_no_agent", "ends the conversation"},
		"words and a text":            {"targets: {default: {take_message: {say: 请留言}, say_if_no_agent: 没人}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "say_if_no_agent", "`take_message` stands in for it"},
		"words and the tip":           {"targets: {default: {take_message: {say: 请留言}, tip_if_no_agent: true}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "true}", "`take_message` stands in for it"},
		"ended and words":             {"targets: {default: {end_session_if_no_agent: true, take_message: {say: 请留言}}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "take_message", "ends the conversation"},
		"a long cooldown":             {"rules: [{id: a, when: {says: [退款]}, then: {transfer: default}, cooldown: 24h}]", "24h}", "session_ttl"},
		"a long cooldown of all":      {"defaults: {cooldown: 3h}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "3h}", "session_ttl"},
		"a group and agents":          {"targets: {default: {group: 7, agents: [li@example.com]}}\nrules: [{id: a, when: {says: [退款]}, " + rest + "]", "group: 7", "passes over `group`"},
		"a path in lower case":        {"rules: [{id: a, when: {field: {path: level, equals: gold}}, " + rest + "]", "level, equals", "no callback"},
		"a path that is misspelt":     {"rules: [{id: a, when: {field: {path: CloudCustomDate.level, equals: gold}}, " + rest + "]", "CloudCustomDate", "no callback"},
		"a path in another case":      {"rules: [{id: a, when: {field: {path: clientUserID, equals: x}}, " + rest + "]", "clientUserID", "no callback"},
	} {
		t.Run(name, func(t *testing.T) {
			got := lintOf(t, c.body)
			if len(got) != 1 || !strings.HasPrefix(got[0], c.at) || !strings.Contains(got[0], c.message) {
				t.Errorf("want one warning at %q with %q, got\n%s", c.at, c.message, strings.Join(got, "\n"))
			}
		})
	}
}

func TestLint_isSilentWhereTheFileIsRight(t *testing.T) {
	for name, body := range map[string]string{
		"an answer of one's own": "lists: {yes: {add: [嗯冲鸭]}, no: {add: [不了不了]}}\nrules: [{id: a, when: {says: [退款]}, then: {offer: 好吗？, transfer: default}}]",
		"a refusal beside it":    "rules: [{id: a, when: {says: [agent, no agent]}, " + rest + "]",
		"a refusal in Chinese":   "rules: [{id: a, when: {says: [人工, 不要人工]}, " + rest + "]",
		"the whole message":      "rules: [{id: a, when: {says: [=人, =ok, 退款]}, " + rest + "]",
		"digits of an order":     "rules: [{id: a, when: {says: ['/[0-9]{10}/']}, " + rest + "]",
		"digits with a word":     "rules: [{id: a, when: {says: {all: [order, '/[0-9]/']}}, " + rest + "]",
		"digits and misses":      "rules: [{id: a, when: {all: [{says: ['/[0-9]/']}, {turns: {at_least: 3}}]}, " + rest + "]",
		"what must be absent":    "rules: [{id: a, when: {says: [退款], not: {says: [/./]}}, " + rest + "]",
		"a sentence of the bot":  "rules: [{id: a, when: {bot_says: [抱歉，我没有理解, 对不起，请再说一遍]}, " + rest + "]",
		"a sentence in a line":   "rules:\n  - id: a\n    when:\n      says:\n        - 你好，我要退货\n    then: {transfer: default}",
		"quotes":                 `rules: [{id: a, when: {says: ["转人工，谢谢", '好的、行']}, ` + rest + "]",
		"a word of another rule": "rules: [{id: a, when: {says: [退款]}, then: {transfer: default}}, {id: b, when: {says: [退款, 退货]}, " + rest + "]",
		"first the narrow":       "rules: [{id: a, when: {says: [退款进度]}, then: {keep: true}}, {id: b, when: {says: [退款]}, " + rest + "]",
		"again while it rests":   "rules: [{id: a, when: {says: [退款]}, then: {transfer: default}}, {id: b, when: {says: [退款]}, then: {keep: true, say: 请稍候}}]",
		"a customer's cooldown":  "rules: [{id: a, when: {says: [退款]}, then: {transfer: default}, cooldown: {for: 30d, per: customer}}]",
		"a known field":          "rules: [{id: a, when: {field: {path: CloudCustomData.level, equals: gold}}, " + rest + "]",
		"a field of tomorrow":    "rules: [{id: a, when: {field: {path: Locale, equals: zh}}, " + rest + "]",
		"a reason":               "rules:\n  - id: a\n    when: {says: [QQ, 人]} # ok: our two products\n    then: {transfer: default}",
		"a retry of the first":   "targets: {default: {}, a: {else: default, retry_if_no_agent: {every: 1m, for: 5m}}}\nrules: [{id: a, when: {says: [退款]}, then: {transfer: a}}]",
	} {
		if got := lintOf(t, body); len(got) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(got, "\n"))
		}
	}
}

// Only the warnings of that line, and only with a reason.
func TestLint_okReason_silencesItsLine(t *testing.T) {
	got := lintOf(t, `rules:
  - id: a
    when:
      says:
        - QQ # ok: the messenger
        - VR
        - TV # ok:
        - UV # fine
        - "XX # ok: no comment"
        - YY # it is # ok: as said
    then: {transfer: default}
`)
	if len(got) != 3 || !strings.HasPrefix(got[0], "VR") || !strings.HasPrefix(got[1], "TV") || !strings.HasPrefix(got[2], "UV") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestTests_mayExpectTheDefaultTargetThatIsNotWritten(t *testing.T) {
	load(t, `targets: {sales: {}}
routes: {r: [{when: {language: [en]}, to: sales}]}
rules: [{id: a, when: {says: [退款]}, then: {transfer: r}}]
tests: [{name: a, say: 退款, expect: {rule: a, target: default}}]
`)
}

// The files of testdata/good are what a shop, a bank, a game or a school may write: nothing in them is to be said, but for
// the tests that they lack.
func TestLint_goodFiles_areNotComplainedAbout(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d good files, %v", len(files), err)
	}
	for _, file := range files {
		src := readFile(t, file)
		_, r := Load(src, LoadOptions{Now: start})
		r.Warnings = slices.DeleteFunc(r.Warnings, func(p Problem) bool {
			return strings.Contains(p.Message.String(), "has no test") || strings.Contains(p.Message.String(), "no test in which")
		})
		if len(r.Errors)+len(r.Warnings) > 0 {
			r.Write(t.Output(), lang.English, file, Files{filepath.Base(file): src})
			t.Error("it is complained about")
		}
	}
}
