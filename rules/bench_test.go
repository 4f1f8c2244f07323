package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/rules/text"
)

// quiet are messages on which nothing fires, as nine in ten are.
var quiet = []Turn{
	{Text: "请问我的订单什么时候可以发货，已经等了三天了，还没有看到物流信息更新呢"},
	{Text: "Where is my package? I ordered it last week and the tracking page still shows nothing new at all today."},
	{Kind: BotTurn, Text: "您好，订单预计会在二十四小时之内发出，请您耐心等待哦"},
}

// bigFile has many phrases besides the example's rules.
func bigFile(phrases int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\ntargets: {default: {}}\nlists:\n  big:\n")
	for i := range phrases {
		fmt.Fprintf(&b, "    - %s\n", bigPhrase(i))
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

// bigPhrase makes phrases half in Chinese and half in English that no quiet message has.
func bigPhrase(i int) string {
	if i%2 == 0 {
		r := []rune("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳")
		return string([]rune{r[i/2%16], r[i/32%16], r[i/512%16], r[i/8192%16], '号'})
	}
	return fmt.Sprintf("zq%dx kw%dy", i, i*7)
}

// Most turns decide nothing, so they must leave nothing for the garbage collector.
func TestDecide_nothingFires_allocatesNothing(t *testing.T) {
	for name, p := range map[string]*Policy{"busy": busyPolicy(t), "big": mustLoad(t, bigFile(2000))} {
		k := newTalk(t, p)
		now := start
		for range 40 { // fills the rings
			for _, turn := range quiet {
				now = now.Add(11 * time.Minute)
				turn.At = now
				p.Decide(&k.c, turn)
			}
		}
		for _, turn := range quiet {
			turn.At = now
			var d Decision
			n := testing.AllocsPerRun(100, func() {
				turn.At = turn.At.Add(11 * time.Minute) // beyond the window of repeats
				d = p.Decide(&k.c, turn)
			})
			if n > 0 && !raceDetector || d.Outcome != OutcomeNone {
				t.Errorf("%s, %s turn %q: %v allocations, decision %s", name, turn.Kind, turn.Text, n, d.words())
			}
			now = turn.At
		}
	}
}

// A customer may write one word until the message is full: all of it is one clause, each word
// may be asking or angry, and nothing ends the search early.
func TestDecide_oneWordAgainAndAgain_takesBoundedTime(t *testing.T) {
	p := mustLoad(t, readFile(t, "../rules.yaml"))
	limit := 200 * time.Millisecond
	if raceDetector {
		limit *= 10
	}
	for _, word := range []string{"转人工", "转", "人工 客服 ", "human ", "want human ", "不要人工", "有人吗", "要人", "客服要", "担当者につないで", "상담원 연결 ", "can someone help ", "需要帮您转", "would you like me to transfer you ", "抱歉", "没事", "投诉"} {
		took := time.Hour
		for range 3 { // the best of them: the machine may be busy with something else
			began := time.Now()
			p.Decide(&Conversation{}, Turn{Text: strings.Repeat(word, 2000), At: start})
			took = min(took, time.Since(began))
		}
		if took > limit {
			t.Errorf("%q: %v", word, took)
		}
	}
}

func mustLoad(t testing.TB, src []byte) *Policy {
	t.Helper()
	p, r := Load(src, LoadOptions{})
	if p == nil {
		t.Fatalf("%+v", r.Errors[0])
	}
	return p
}

func benchmarkDecide(b *testing.B, p *Policy) {
	var c Conversation
	turn := Turn{Text: quiet[1].Text[:100], At: start}
	b.ReportAllocs()
	for b.Loop() {
		turn.At = turn.At.Add(4 * time.Minute)
		p.Decide(&c, turn)
	}
}

func BenchmarkDecide_100Phrases(b *testing.B)   { benchmarkDecide(b, mustLoad(b, bigFile(100))) }
func BenchmarkDecide_10000Phrases(b *testing.B) { benchmarkDecide(b, mustLoad(b, bigFile(10_000))) }

func BenchmarkDecide_example(b *testing.B) {
	benchmarkDecide(b, mustLoad(b, readFile(b, "testdata/example.yaml")))
}

func BenchmarkLoad_10000Phrases(b *testing.B) {
	src := bigFile(10_000)
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b, src)
	}
}

func BenchmarkLoad_example(b *testing.B) {
	src := readFile(b, "testdata/example.yaml")
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b, src)
	}
}

// ordinary are customers' messages of 100 bytes in which the shipped rules find nothing.
var ordinary = []string{
	"I bought two shirts on Monday and chose the size M, can you see on which day the parcel will arrive?",
	"The invoice for my last order shows the old address, where in the app is the page to have it changed",
	"上星期买的那双鞋偏小了，打算换大一码，邮费由谁付呢，大概过几天寄到?",
	"这款外套黑色卖完了吗，我身高一米七五体重七十公斤，穿哪个尺码更合适?",
}

// The rules that are shipped, a new conversation for each message. In the cold case 32 MiB of other memory are read before
// each message, as other work does that shares the cache: read ns/message, which leaves that out.
func BenchmarkDecide_shipped(b *testing.B) {
	p := mustLoad(b, readFile(b, "../rules.yaml"))
	var msg text.Message
	for _, s := range ordinary {
		msg.ResetCustomer(s)
		if hits := p.matcher.Find(&msg, nil); len(s) != 100 || len(hits) > 0 {
			b.Fatalf("%d bytes, hits %+v: %s", len(s), hits, s)
		}
	}
	b.Run("warm", func(b *testing.B) { benchmarkShipped(b, p, nil) })
	b.Run("cold", func(b *testing.B) { benchmarkShipped(b, p, make([]byte, 32<<20)) })
}

func benchmarkShipped(b *testing.B, p *Policy, other []byte) {
	var c Conversation
	var took time.Duration
	n, sum := 0, byte(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(other); i += 64 {
			other[i]++
			sum += other[i]
		}
		began := time.Now()
		for _, s := range ordinary[n%len(ordinary):] {
			c = Conversation{}
			p.Decide(&c, Turn{Text: s, At: start})
			n++
			if other != nil {
				break // to sweep before the next one
			}
		}
		took += time.Since(began)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took)/float64(n), "ns/message")
	_ = sum
}
