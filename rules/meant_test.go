package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What people write instead of a share, a date, hours or days leads to what they meant, as it must be written.
func TestMistakes_otherWaysToWriteIt_areUnderstood(t *testing.T) {
	for _, c := range []struct{ rule, calendar, hint string }{
		{rule: "share: 10", hint: "did you mean 10%?"},
		{rule: "share: 10 %", hint: "did you mean 10%?"},
		{rule: "share: 12.34%", hint: "for example 10%"},
		{rule: "share: 0.1", hint: "for example 10%"}, // a tenth, or a tenth of a per cent?
		{rule: "share: 200", hint: "for example 10%"},
		{rule: "from: 2027-2-6", hint: "did you mean 2027-02-06?"},
		{rule: "from: 2027/2/6", hint: "did you mean 2027-02-06?"},
		{rule: "from: 20270206", hint: "did you mean 2027-02-06?"},
		{rule: "from: 2027年2月6日", hint: "did you mean 2027-02-06?"},
		{rule: "from: 2027-02-06 9:00", hint: "did you mean 2027-02-06T09:00:00+08:00?"},
		{rule: "from: 6.2.2027", hint: "for example 2027-02-06"},
		{calendar: "open: [Mon-Fri 9-18]", hint: "did you mean mon-fri 09:00-18:00?"},
		{calendar: "open: [周一至周五 9:00~18:00]", hint: "did you mean mon-fri 09:00-18:00?"},
		{calendar: "open: [星期六 10点-18点]", hint: "did you mean sat 10:00-18:00?"},
		{calendar: "open: [每天 09:00-12:00、13:00-18:00]", hint: "did you mean mon-sun 09:00-12:00 13:00-18:00?"},
		{calendar: "open: [mon-fri 09：00-18：00]", hint: "did you mean mon-fri 09:00-18:00?"},
		{calendar: "open: [weekdays 9am - 6pm]", hint: "did you mean mon-fri 09:00-18:00?"},
		{calendar: "open: [13:00-18:00]", hint: "did you mean mon-fri 13:00-18:00?"},
		{calendar: "open: [mon-fri]", hint: "for example mon-fri 09:00-21:00"},
		{calendar: "open: [mon 09:00-18:00], closed: [周日]", hint: "did you mean sun?"},
		{calendar: "open: [mon 09:00-18:00], closed: [2027-02-06-2027-02-12]", hint: "did you mean 2027-02-06..2027-02-12?"},
		{calendar: "open: [mon 09:00-18:00], closed: [2027年2月6日至2027年2月12日]", hint: "did you mean 2027-02-06..2027-02-12?"},
		{calendar: "open: [mon 09:00-18:00], closed: [02-06]", hint: "for example 2027-02-06"},
	} {
		src := fileHead + "calendars: {c: {tz: UTC, " + c.calendar + "}}\nrules: [{id: r, " + c.rule + ", when: {hours: c}, then: {keep: true}}]"
		if c.calendar == "" {
			src = fileHead + "rules: [{id: r, " + c.rule + ", when: {says: [gold]}, then: {keep: true}}]"
		}
		_, r := Load([]byte(strings.Replace(src, "r, ,", "r,", 1)), LoadOptions{})
		if len(r.Errors) != 1 || r.Errors[0].Hint.String() != c.hint {
			t.Errorf("%s%s: %+v", c.rule, c.calendar, r.Errors)
		}
	}
}

// A value with a mapping around it, or one that lacks its own, is shown as it must stand.
func TestMistakes_aMappingTooManyOrTooFew(t *testing.T) {
	for body, hint := range map[string]string{
		"when: {queued_for: {at_least: 3m}}, then: {keep: true}":                            "write it alone: 3m",
		"when: {turns: 3}, then: {keep: true}":                                              "for example {at_least: 6}",
		"when: {had_agent: 7d}, then: {keep: true}":                                         "did you mean {within: 7d}?",
		"when: {had_agent: lately}, then: {keep: true}":                                     "for example {within: 7d}",
		"when: {says: [gold]}, then: {take_message: 请留言}":                                   "did you mean {say: 请留言}?",
		"when: {says: [gold]}, then: {keep: true, say: {klingon: no}}":                      "valid: zh, en, ja, ko, id, ms, th, vi, es, pt, fr, de, ru, ar, tr, it, nl, hi",
		"when: {first_contact: {within: 7d}}, then: {keep: true}":                           "for example true",
		"about: {gold: yes}, when: {says: [gold]}, then: {keep: true}":                      "if the colon belongs to the text, put the text in quotes",
		"when: {field: {path: A.b, at_least: '100'}}, then: {keep: true}":                   "take off the quotes: 100",
		"when: {field: {path: A.b, at_least: ¥100}}, then: {keep: true}":                    "write the number alone: 100",
		"when: {agents_online: {at_most: 0, if_unknown: 'true'}}, then: {keep: true}":       "take off the quotes: true",
		"when: {says: [gold]}, then: {keep: true}, cooldown: {for: 24h, per: user}":         "did you mean customer?",
		"when: {says: [gold]}, then: {transfer: default, agents: li@x}":                     "write a list: [li@x]",
		"when: {says: [gold]}, then: {transfer: default, leave_queue: true, priority: '1'}": "take off the quotes: 1",
	} {
		_, r := Load([]byte(fileHead+"rules: [{id: r, "+body+"}]"), LoadOptions{})
		if len(r.Errors) == 0 || r.Errors[len(r.Errors)-1].Hint.String() != hint {
			t.Errorf("%s: %+v", body, r.Errors)
		}
	}
}

// One mistake is one error: what follows from it is not told.
func TestMistakes_areToldOnce(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"lists: [gold]\nrules: [{id: r, when: {says: [$gold, a $gold]}, then: {keep: true}}]", "3:8 `lists` must be a mapping of phrases by name, not a list"},
		{"calendars: [office]\nrules: [{id: r, when: {hours: office}, then: {keep: true}}]", "3:12 `calendars` must be a mapping of calendars by name, not a list"},
		{"routes: [desk]\nrules: [{id: r, when: {says: [gold]}, then: {transfer: desk}}]", "3:9 `routes` must be a mapping of lists of lines of a route by name, not a list"},
		{"notify: [ops]\nrules: [{id: r, when: {says: [gold]}, then: {notify: [ops]}}]", "3:9 `notify` must be a mapping of teams by name, not a list"},
		{"rules: {r: {when: {says: [gold]}}}\ntests: [{name: t, say: gold, expect: r}]", "3:8 `rules` must be a list of rules, not a mapping"},
		{"rules: [{id: r, when: {says: [gold]}, then: {say: hello}}]", "3:45 `then` needs transfer, keep, take_message, tag or notify"},
		{"rules: [{id: r, when: {says: [gold]}, then: {priority: 1}}]", "3:46 `priority` needs `transfer` beside it"},
		{"rules: [{id: r, when: {queued_for: 3m}, then: {transfer: default, leave_queue: false}}]", "3:80 `leave_queue` must be true, not false"},
		{"rules: [{id: r, when: {rating: {at_most: 2}}, then: {keep: true, say: sorry}}]", "3:54 a rule that holds by `rating` may only notify and tag: the customer may be with an agent, or gone"},
		{"lists: {m: {$yes: 2, gold: 3}}\nrules: [{id: r, when: {mood: {list: m, at_least: 3, within: 10m}}, then: {keep: true}}]", "3:13 `$yes` cannot stand in a list with weights"},
		{"lists: {gold: {files: gold.csv}}\nrules: [{id: r, when: {says: [$gold]}, then: {keep: true}}]", "3:16 unknown key `files` in `gold`"},
		{"lists: {gold: {from: gold.csv}}\nrules: [{id: r, when: {says: [$gold]}, then: {keep: true}}]", "3:16 unknown key `from` in `gold`"},
	} {
		_, r := Load([]byte(fileHead+c.body), LoadOptions{})
		var got []string
		for _, p := range r.Errors {
			got = append(got, itoa(p.Line)+":"+itoa(p.Column)+" "+p.Message.String())
		}
		if diff := cmp.Diff([]string{c.want}, got); diff != "" {
			t.Errorf("%s: %s", c.body, diff)
		}
	}
}

// What can never be is an error by itself, not only beside another condition.
func TestImpossible_byItself(t *testing.T) {
	for body, want := range map[string]string{
		"when: {says: {all: [$yes, $no]}}":                                                                                                 "this can never hold: a message that is $yes and $no is neither",
		"when: {all: [{says: [$yes]}, {says: [$no]}]}":                                                                                     "this can never hold: a message that is $yes and $no is neither",
		"when: {all: [{says: [$yes, gold]}, {says: [$no]}]}":                                                                               "",
		"when: {all: [{says: [$yes, $no]}, {says: [$no]}]}":                                                                                "",
		"when: {agents_online: {at_least: 3, agents: [li@x, wu@x, li@x]}}":                                                                 "this can never hold: 3 or more free agents of the 2 that `agents` names",
		"when: {agents_online: {at_least: 3, agents: [li@x, wu@x], if_unknown: true}}":                                                     "",
		"when: {agents_online: {at_least: 2, agents: [li@x, wu@x]}}":                                                                       "",
		"when: {hours: c}}]\ncalendars: {c: {tz: UTC, open: [sun 09:00-18:00], closed: [sun]":                                              "the calendar is never open: `closed` takes every day of `open` away",
		"when: {hours: c}}]\ncalendars: {c: {tz: UTC, open: [sun 09:00-18:00], closed: [sun], extra: [2027-02-14 09:00-12:00 13:00-18:00]": "",
	} {
		src := fileHead + "rules: [{id: r, then: {transfer: default}, " + body + "}]"
		if head, tail, split := strings.Cut(body, "}]\n"); split {
			src = fileHead + tail + "}}\nrules: [{id: r, then: {transfer: default}, " + head + "}]"
		}
		_, r := Load([]byte(src), LoadOptions{})
		if want == "" && !r.OK() || want != "" && (len(r.Errors) != 1 || r.Errors[0].Message.String() != want) {
			t.Errorf("%s: %+v", body, r.Errors)
		}
	}
}
