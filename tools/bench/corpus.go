package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

// The words that made-up phrases are put together from.
var (
	han     = []rune("转接换找叫要想请给我你他们人工客服坐席专员经理投诉退款退货发票订单物流快递地址密码账号登录支付优惠会员积分活动商品质量问题解决处理回复电话在线帮助服务态度")
	english = strings.Fields(`human agent person operator representative manager supervisor customer service support talk speak chat connect transfer
	refund return cancel order delivery account password payment invoice billing address shipping product broken damaged complaint escalate somebody
	real live need want please help call phone number email ticket issue problem urgent immediately department sales technical assistance specialist`)
	cyrillic = strings.Fields(`оператор человек помощь возврат деньги заказ доставка жалоба менеджер срочно позвоните соедините специалист`)
)

// phrases makes n different phrases: half Chinese, the others English and some
// Russian, one in eight with a gap and alternatives. The same n, the same list.
func phrases(n int) []string {
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same every time is what is wanted
	seen, list := map[string]bool{}, make([]string, 0, n)
	for len(list) < n {
		p := phrase(random, len(list))
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}

func phrase(random *rand.Rand, i int) string {
	rich := random.IntN(8) == 0
	if i%2 == 0 {
		p := someHan(random, 4+random.IntN(3))
		if rich {
			p = "(" + p + "|" + someHan(random, 4) + ") .. " + someHan(random, 2)
		}
		return p
	}
	words := english
	if i%10 == 9 {
		words = cyrillic
	}
	p := pick(random, words) + " " + pick(random, words) + string(rune('a'+random.IntN(26))) + string(rune('a'+random.IntN(26)))
	if rich {
		p = pick(random, words) + " (a|the|my)? (" + pick(random, words) + "|" + pick(random, words) + ") .. " + pick(random, words) + "x"
	}
	return p
}

func pick(random *rand.Rand, words []string) string { return words[random.IntN(len(words))] }

func someHan(random *rand.Rand, n int) string {
	b := make([]rune, n)
	for i := range b {
		b[i] = han[random.IntN(len(han))]
	}
	return string(b)
}

// bigRules is a rule file with so many phrases beside the usual rules. It
// differs from another one of the same size by its variant.
func bigRules(n, variant int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# variant %d\nversion: 1\ndefaults: {cooldown: 1s}\ntargets: {default: {}}\nlists:\n  big:\n", variant)
	for _, p := range phrases(n) {
		fmt.Fprintf(&b, "    - %s\n", strconv.Quote(p))
	}
	b.WriteString(`
rules:
  - {id: ask, when: {says: [$big, 转人工]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
  - {id: again, when: {repeats: {times: 4, within: 10m}}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
`)
	return []byte(b.String())
}

// everyCondition is a rule file with every kind of condition, none of which
// holds on the quiet messages.
const everyCondition = `version: 1
targets: {default: {}}
calendars: {office: {tz: Asia/Shanghai, open: [mon-sun 00:00-00:01]}}
lists:
  refund: [退款, refund, "(send|give) .. back"]
  furious: {骗子: 3, 垃圾: 2, useless: 2, 谢谢: -2}
rules:
  - {id: ask, when: {says: [$ask_human]}, then: {transfer: default}}
  - {id: whole, when: {says: {any: [refund], negation: ignore}}, then: {transfer: default}}
  - {id: said, when: {all: [{said: {any: [$refund], within: 10m}}, {mood: {list: furious, at_least: 3, within: 10m}}]}, then: {transfer: default}}
  - {id: bot, when: {bot_says: [$bot_missed]}, then: {transfer: default}}
  - {id: missed, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
  - {id: repeats, when: {repeats: {times: 4, within: 10m, similarity: 0.85}}, then: {offer: "A person?", transfer: default}}
  - {id: rate, when: {rate: {messages: 16, within: 10s}}, then: {transfer: default}}
  - {id: turns, when: {all: [{turns: {at_least: 2}}, {sends: [image]}]}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
  - {id: language, when: {all: [{language: [fr]}, {not: {hours: office}}]}, then: {transfer: default}}
  - {id: field, when: {any: [{field: {path: CloudCustomData.level, in: [gold]}}, {field: {path: ClientUserId, equals: nobody}}]}, then: {transfer: default}}
  - {id: other, when: {all: [{rule: said}, {rule: missed}]}, then: {transfer: default}}
`

// shippedRules is the rule file that comes with the program.
func shippedRules() ([]byte, error) {
	for _, path := range []string{"rules.yaml", "../../rules.yaml"} {
		if src, err := os.ReadFile(path); err == nil { //nolint:gosec // one of two names
			return src, nil
		}
	}
	return nil, missingError("rules.yaml is not here: run this from the root of the repository")
}
