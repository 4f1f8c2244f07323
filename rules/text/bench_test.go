package text

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The synthetic lists: half Chinese of 2 to 6 characters, half English of 1 to
// 3 words, with a group, a gap or an option in some.

const benchHan = "转接换找叫要想请给我你他们人工客服坐席专员经理投诉退款退货发票订单物流快递地址密码账号登录支付优惠会员积分活动商品质量问题解决处理回复电话在线帮助服务态度"

var benchEnglish = strings.Fields(`human agent person operator representative manager supervisor customer service support talk speak chat connect transfer
	refund return cancel order delivery account password payment invoice billing address shipping product broken damaged complaint escalate somebody someone
	real live need want please help call phone number email ticket issue problem urgent immediately department sales technical assistance specialist
	consultant advisor colleague director administrator coordinator correspondence subscription warranty replacement exchange technician`)

func benchPhrases(n int) []string {
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	han := []rune(benchHan)
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		var p string
		if len(out)%2 == 0 {
			for range 2 + rng.IntN(5) {
				p += string(han[rng.IntN(len(han))])
			}
			if rng.IntN(8) == 0 {
				p = "(" + p + "|" + string(han[rng.IntN(len(han))]) + p + ") .. " + string(han[rng.IntN(len(han))]) + "单"
			}
		} else {
			var ws []string
			for range 1 + rng.IntN(3) {
				w := benchEnglish[rng.IntN(len(benchEnglish))]
				if rng.IntN(3) == 0 {
					w += fmt.Sprintf("%c%c", 'a'+rng.IntN(26), 'a'+rng.IntN(26))
				}
				ws = append(ws, w)
			}
			if len(ws) == 1 {
				ws = append(ws, benchEnglish[rng.IntN(len(benchEnglish))])
			}
			p = strings.Join(ws, " ")
			if rng.IntN(8) == 0 {
				p = ws[0] + " (a|the|my)? (" + strings.Join(ws[1:], "|") + ") .. " + benchEnglish[rng.IntN(len(benchEnglish))] + "x"
			}
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// benchMessages are about 100 bytes each; with a hit in one of ten.
func benchMessages(phrases []string) []string {
	base := []string{
		"你好，我昨天在你们店里买的那件黑色的衣服到现在还没有收到，麻烦帮我看一下到哪里了",
		"Hello, I bought a pair of shoes last week and the colour is different from the picture on the site.",
		"请问这个型号的充电器能不能给去年的手机用，充满一次大概需要多长时间，有没有保修呢",
		"what are your opening hours on the weekend and do you also ship to the islands up in the north?",
		"我想改一下收货的时间，周末家里没有人，能不能等到下周一的下午再送过来，谢谢你啦",
		"The app keeps crashing whenever I open the setings page, I have allready tried to instal it again",
		"这个颜色还有货吗？我看网站上写着三天之内发出，但是我着急要用，可以加钱发空运的么",
		"Can you tell me how much it costs to add another line to my plan, and is there a dicount for studnets",
		"嗯嗯好的，那我就先等等看吧，如果明天早上还是没有消息的话我再过来问一下，辛苦了哦",
	}
	var out []string
	for i := range 100 {
		s := base[i%len(base)]
		if i%10 == 9 {
			for _, p := range phrases[i%len(phrases):] {
				if !strings.ContainsAny(p, "(.") {
					s = string([]rune(s)[:20]) + " " + p
					break
				}
			}
		}
		out = append(out, s)
	}
	return out
}

func benchMatcher(tb testing.TB, phrases []string) *Matcher {
	tb.Helper()
	var b Builder
	for _, p := range phrases {
		if _, err := b.Add(p, Options{}); err != nil {
			tb.Fatal(err)
		}
	}
	m, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func BenchmarkReset(b *testing.B) {
	for _, tt := range []struct{ name, text string }{
		{"english", benchMessages([]string{"x"})[1]},
		{"chinese", benchMessages([]string{"x"})[0]},
		{"russian", "Здравствуйте, я хочу поговорить с живым оператором, пожалуйста"},
		{"thai", "ขอคุยกับเจ้าหน้าที่หน่อยครับ ไม่อยากคุยกับบอท"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var m Message
			b.ReportAllocs()
			b.SetBytes(int64(len(tt.text)))
			for b.Loop() {
				m.Reset(tt.text)
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		phrases := benchPhrases(n)
		m := benchMatcher(b, phrases)
		for _, mix := range []string{"mixed", "english", "chinese", "no hit"} {
			b.Run(fmt.Sprintf("%d phrases/%s", n, mix), func(b *testing.B) {
				messages := benchMessages(phrases)
				switch mix {
				case "english":
					messages = []string{messages[1], messages[3], messages[5], messages[7]}
				case "chinese":
					messages = []string{messages[0], messages[2], messages[4], messages[6], messages[8]}
				case "no hit":
					messages = messages[:9]
				}
				var msg Message
				var hits []Hit
				b.ReportAllocs()
				i, found, bytes := 0, 0, 0
				for b.Loop() {
					s := messages[i%len(messages)]
					msg.Reset(s)
					hits = m.Find(&msg, hits[:0])
					found += min(1, len(hits))
					bytes += len(s)
					i++
				}
				b.ReportMetric(float64(found)/float64(i), "hit/msg")
				b.ReportMetric(float64(bytes)/float64(i), "B/msg")
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		phrases := benchPhrases(n)
		benchMatcher(b, phrases) // reads the word list
		b.Run(fmt.Sprintf("%d phrases", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchMatcher(b, phrases)
			}
			b.StopTimer()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			m := benchMatcher(b, phrases)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-live")
			runtime.KeepAlive(m)
		})
	}
}

// nasty are lists that want to be slow, with the message that does it.
func nasty() map[string]struct {
	phrases []string
	message string
} {
	many := func(n int, f func(i int) string) (out []string) {
		for i := range n {
			out = append(out, f(i))
		}
		return out
	}
	type list = struct {
		phrases []string
		message string
	}
	letters := func(i int) string { return fmt.Sprintf("%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26) }
	return map[string]list{
		"same first words":  {many(10000, func(i int) string { return "i want to talk to " + letters(i) }), strings.Repeat("i want to talk to ", 120)},
		"other first group": {many(10000, func(i int) string { return "(ii|" + letters(i) + ") ii ii (ii|" + letters(i) + ") " + letters(i) }), strings.Repeat("ii ", 660)},
		"nested gaps": {many(1000, func(i int) string {
			return "一 .. (一 .. 一)? .. 一 .. (一|二) .. 一 .. " + string(rune(0x4e8c+i))
		}), strings.Repeat("一", 2000)},
		"many gaps":        {many(200, func(i int) string { return strings.Repeat("一 .. ", 40+i) + "一" }), strings.Repeat("一", 2000)},
		"options":          {many(200, func(i int) string { return strings.Repeat("(一)? ", 60) + "一" + string(rune(0x4e8c+i)) }), strings.Repeat("一", 2000)},
		"one character":    {many(250, func(i int) string { return strings.Repeat("一", i+1) }), strings.Repeat("一", 2000)},
		"one word for all": {many(10000, func(i int) string { return "(aa|" + letters(i) + letters(i) + ")" }), strings.Repeat("aa ", 660)},
		"near words":       {many(10000, func(i int) string { return "aaaaaaa" + letters(i) }), strings.Repeat("aaaaaaaq ", 220)},
		"expressions":      {many(500, func(i int) string { return fmt.Sprintf("/(a|aa)+%s/", letters(i)) }), strings.Repeat("a", 2000)},
	}
}

func BenchmarkNasty(b *testing.B) {
	for name, list := range nasty() {
		m := benchMatcher(b, list.phrases)
		b.Run(name, func(b *testing.B) {
			var msg Message
			var hits []Hit
			for b.Loop() {
				msg.Reset(list.message)
				hits = m.Find(&msg, hits[:0])
			}
			b.ReportMetric(float64(len(hits)), "hits")
		})
	}
}

func TestFind_nastyLists_takeBoundedTime(t *testing.T) {
	for name, list := range nasty() {
		m := benchMatcher(t, list.phrases)
		var msg Message
		start := time.Now()
		msg.Reset(list.message)
		m.Find(&msg, nil)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestReset_nastyMessages_takeBoundedTime(t *testing.T) {
	m := benchMatcher(t, benchPhrases(1000))
	for _, unit := range []string{"a", "一", "\u200d", "\u0301", "e\u0301", "👨‍👩‍👧", "\x00", "\xff", "שלום ", "ﷺ", "a b c! ", "'s", "don't", "aaaaaaaaaaab ", "ㅋ"} {
		s := strings.Repeat(unit, 1<<20/len(unit))
		var msg Message
		start := time.Now()
		msg.Reset(s)
		m.Find(&msg, nil)
		if d := time.Since(start); d > time.Second {
			t.Errorf("1 MB of %q: %v", unit, d)
		}
		checkMessage(t, &msg, s)
	}
}

func TestFind_warm_allocatesNothing(t *testing.T) {
	phrases := benchPhrases(1000)
	m := benchMatcher(t, phrases)
	messages := benchMessages(phrases)
	var msg Message
	var hits []Hit
	for _, s := range messages {
		msg.Reset(s)
		hits = m.Find(&msg, hits[:0])
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range messages {
			msg.Reset(s)
			hits = m.Find(&msg, hits[:0])
		}
	}); n != 0 {
		t.Errorf("%v allocations for 100 warm messages", n)
	}
}
