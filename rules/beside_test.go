package rules

import (
	"fmt"
	"testing"
	"time"
)

// calm are four messages of about 100 bytes on which nothing fires, for whoever measures.
var calm = []string{
	"请问我的订单什么时候可以发货，已经等了三天了，还没有看到物流信息更新呢",
	"Where is my package? I ordered it last week and the tracking page still shows nothing new at all today.",
	"我上周买的那件外套尺码不太合适，想问问能不能换一件大一号的，吊牌都还在",
	"Can you tell me whether the blue one is in stock, and how long does the delivery to Hangzhou usually take?",
}

// BenchmarkDecide_beside is what the rules cost beside reading a message and finding phrases in it: each message is the
// first of its conversation.
func BenchmarkDecide_beside(b *testing.B) {
	p := mustLoad(b, readFile(b, "../rules.yaml"))
	for i, text := range calm {
		for _, noted := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/noted=%v", i, noted), func(b *testing.B) {
				var c Conversation
				turn := Turn{Text: text, At: start}
				if noted {
					turn.Tried = &Tried{}
				}
				e := p.begin(&c, &turn)
				defer e.end()
				b.ReportAllocs()
				for b.Loop() {
					c = Conversation{}
					e.now += time.Second.Milliseconds()
					e.near, e.counted, e.answerRead = false, 0, false
					if noted {
						e.tried.Reset()
					}
					e.negation.Reset(&e.msg, e.hits, &p.roles)
					var d Decision
					e.decide(&d)
					e.tried.counted(e)
				}
				b.ReportMetric(float64(len(e.hits)), "hits")
			})
		}
	}
}
