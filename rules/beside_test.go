package rules

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkDecide_beside is what the rules cost beside reading a message and finding phrases in it: each message is the
// first of its conversation.
func BenchmarkDecide_beside(b *testing.B) {
	p := mustLoad(b, readFile(b, "../rules.yaml"))
	for i, text := range ordinary {
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
