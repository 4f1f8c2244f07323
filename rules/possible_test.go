package rules

import (
	"strings"
	"testing"
)

const possibleHead = `version: 1
lists:
  calm: {谢谢: -2, 没关系: 0}
  mixed: {谢谢: -2, 骗子: 3}
calendars:
  day: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}
  night: {tz: Asia/Shanghai, open: [mon-sun 22:00-06:00]}
  late: {tz: Asia/Shanghai, open: [fri 17:00-23:00]}
  abroad: {tz: Europe/Berlin, open: [mon-fri 20:00-23:00]}
  weekend: {tz: Asia/Shanghai, open: [sun 23:00-24:00], extra: ["2027-02-14 09:00-18:00"]}
targets: {default: {}}
rules:
  - {id: refund, when: {says: [退款]}, then: {transfer: default}}
`

// loadWhen loads a rule with a condition and gives what is said about it.
func loadWhen(when string) (errors string) {
	_, r := Load([]byte(possibleHead+"  - {id: r, when: "+when+", then: {transfer: default}}\n"), LoadOptions{})
	for _, p := range r.Errors {
		errors += p.Message.String() + "\n"
	}
	return errors
}

func TestPossible_whatCanNeverHold_isAnError(t *testing.T) {
	for _, c := range []struct{ when, why string }{
		{"{all: [{language: [zh]}, {language: [en]}]}", "cannot be both zh and en"},
		{"{any: [{all: [{language: [zh, ja]}, {any: [{language: [en]}, {language: [fr]}]}]}]}", "cannot be both"},
		{"{all: [{turns: {at_least: 3}}, {not: {turns: {at_least: 3}}}]}", "`turns` must hold, and `not` rules it out"},
		{"{all: [{turns: {at_least: 5}}, {not: {turns: {at_least: 3}}}]}", "`turns` must hold"},
		{"{says: [退款], not: {says: [退款, 退货]}}", "`says` must hold"},
		{"{rule: refund, not: {says: [退款]}}", "`says` must hold"},
		{"{says: [退款], not: {rule: refund}}", "`says` must hold"},
		{"{hours: day, not: {hours: day}}", "`hours` must hold"},
		{"{all: [{hours: day}, {hours: night}]}", "day and night are never open"},
		{"{mood: {list: calm, at_least: 5, within: 1m}}", "no phrase of $calm has a weight over 0"},
		{"{says: [$calm]}", "none of its phrases has a weight over 0"},
		{"{says: {any: [人工], not_part_of: [人工]}}", "`not_part_of` holds"},
		{"{says: {any: [转人工, 找人工], not_part_of: [人工]}}", "`not_part_of` holds"},
		{"{said: {any: [转人工], not_part_of: [人工], within: 1m}}", "`not_part_of` holds"},
		{"{says: {any: [退款], all: [转人工], not_part_of: [人工]}}", "`not_part_of` holds"},
		{"{all: [{field: {path: a, equals: x}}, {field: {path: a, equals: y}}]}", "no value of a passes both tests"},
		{"{all: [{field: {path: a, in: [x, 3]}}, {field: {path: a, equals: 4}}]}", "no value of a"},
		{"{all: [{field: {path: a, equals: x}}, {field: {path: a, exists: false}}]}", "no value of a"},
		{"{all: [{field: {path: a, at_most: 3}}, {field: {path: a, at_least: 4}}]}", "no value of a"},
		{"{all: [{field: {path: a, at_most: 3}}, {field: {path: a, in: [4, x]}}]}", "no value of a"},
		{"{all: [{field: {path: a, matches: ^g}}, {field: {path: a, equals: silver}}]}", "no value of a"},
		{"{all: [{bot_silent: 10m}, {said: {any: [退款], within: 5m}}]}", "`bot_silent` waits for 10m"},
	} {
		if got := loadWhen(c.when); !strings.Contains(got, "this can never hold") || !strings.Contains(got, c.why) {
			t.Errorf("%s: %q", c.when, got)
		}
	}
}

func TestPossible_whatCanHold_isNoError(t *testing.T) {
	for _, when := range []string{
		"{any: [{language: [zh]}, {language: [en]}]}",
		"{all: [{language: [zh, en]}, {language: [en, fr]}]}",
		"{all: [{language: [zh]}, {not: {language: [en]}}]}",
		"{all: [{turns: {at_least: 3}}, {not: {turns: {at_least: 5}}}]}",
		"{says: [退款, 退货], not: {says: [退款]}}",
		"{says: {any: [退款], negation: ignore}, not: {says: [退款]}}",
		"{says: [退款], not: {says: {any: [退款], not_part_of: [退款单]}}}",
		"{all: [{hours: day}, {hours: late}]}",
		"{all: [{hours: night}, {hours: late}]}",
		"{all: [{hours: day}, {hours: abroad}]}",
		"{all: [{hours: day}, {hours: weekend}]}",
		"{mood: {list: mixed, at_least: 5, within: 1m}}",
		"{says: [$mixed]}",
		"{says: {any: [人工, 退款], not_part_of: [人工]}}",
		"{says: {any: [人工], not_part_of: [=人工]}}",
		"{says: {any: [人工], not_part_of: [人工智能]}}",
		"{says: {any: [人工], not_part_of: [/^人工/]}}",
		"{says: {any: [转 .. 人工], not_part_of: [转人工]}}",
		"{all: [{field: {path: a, equals: x}}, {field: {path: b, equals: y}}]}",
		"{all: [{field: {path: a, equals: 3}}, {field: {path: a, equals: '3.0'}}]}",
		"{all: [{field: {path: a, in: [x, y]}}, {field: {path: a, in: [y, z]}}]}",
		"{all: [{field: {path: a, exists: false}}, {not: {field: {path: a, equals: x}}}]}",
		"{all: [{field: {path: a, at_most: 3}}, {field: {path: a, at_least: 3}}]}",
		"{all: [{field: {path: a, matches: ^3}}, {field: {path: a, equals: 3}}]}",
		"{all: [{bot_silent: 5m}, {said: {any: [退款], within: 5m}}]}",
	} {
		if got := loadWhen(when); got != "" {
			t.Errorf("%s: %q", when, got)
		}
	}
}
