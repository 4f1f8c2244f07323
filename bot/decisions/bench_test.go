package decisions

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"escalator/bot/history"
	"escalator/rules"
	"escalator/rules/lang"
)

// filled is a list of as many decisions as are kept.
func filled() *List {
	l := newList()
	for i := range Keep {
		l.Add(&Record{
			At: time.Now(), Session: fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", i), User: fmt.Sprint("user-", i%500), Rule: fmt.Sprint("rule-", i%20), Event: "ChatBot.UserSendMsg",
			Outcome: rules.OutcomeTransfer, Matched: []string{"转人工"}, Why: "says: found 转人工 ($ask_human)", RulesVersion: "b25be71efbab", Target: "default",
		}, "我的快递什么时候能到，已经等了三天了 where is my parcel, I want a person")
	}
	l.settle()
	return l
}

// What a filtered list costs over all that is kept, of which nothing matches.
func BenchmarkPage_filtered(b *testing.B) {
	l := filled()
	for name, f := range map[string]Filter{
		"session": {Session: "none"}, "rule": {Rule: "none"}, "outcome": {Outcomes: []string{"offer", "near"}}, "words": {Text: "refund"}, "Chinese words": {Text: "退款"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p, _ := l.Page(b.Context(), &f, 100, ""); len(p.Decisions) > 0 {
					b.Fatal("it is found")
				}
			}
		})
	}
}

// What an escalation pays for those who watch: the 99th percentile of what Add and the
// attempt take, 1,000 a second, while nobody watches and while 200 do, each event written
// by each of them.
func BenchmarkWatchers_200(b *testing.B) {
	for _, watchers := range []int{0, 200} {
		b.Run(fmt.Sprint("watchers=", watchers), func(b *testing.B) {
			l := newList()
			ctx, cancel := context.WithCancel(b.Context())
			var work sync.WaitGroup
			work.Go(func() { l.Run(ctx) })
			for range watchers {
				w, _ := l.Watch(ctx, &Filter{}, "")
				work.Go(func() {
					var out bytes.Buffer
					for {
						events, err := w.Next(ctx)
						if err != nil {
							return
						}
						for _, e := range events {
							out.Reset()
							out.Write(e.Text(lang.English))
							_, _ = out.WriteTo(io.Discard)
						}
					}
				})
			}
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				id := l.NewID()
				l.Add(&Record{ID: id, At: began, Session: "2baf4d84-beb4-4607-a1ea-000000000001", User: "user-1", Rule: "ask-human", Outcome: rules.OutcomeTransfer}, "我的快递什么时候能到 where is my parcel")
				l.Tried(&history.Entry{ID: id, Outcome: "assigned", At: began})
				took = append(took, time.Since(began))
				for time.Since(began) < time.Millisecond {
					runtime.Gosched()
				}
			}
			cancel()
			work.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-us")
		})
	}
}
