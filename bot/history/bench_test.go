package history

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules"
)

func shipped(b *testing.B) *rules.Policy {
	b.Helper()
	src, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		b.Fatal(err)
	}
	policy, report := rules.Load(src, rules.LoadOptions{})
	if policy == nil {
		b.Fatal(report.Errors)
	}
	return policy
}

// What a turn costs that escalates nothing, the background included: Decide alone, and
// with the rules noted, masked, encoded and written.
func BenchmarkHistory_turn(b *testing.B) {
	policy := shipped(b)
	for _, kept := range []bool{false, true} {
		b.Run(map[bool]string{false: "decided", true: "kept too"}[kept], func(b *testing.B) {
			h, err := Open(Options{Dir: b.TempDir(), Mask: mask.Masked, For: time.Hour, Max: 1 << 28, Log: logrus.New()})
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			now := began
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(4 * time.Minute)
				var c rules.Conversation // a new one: nothing is repeated
				turn := rules.Turn{Text: "我的快递什么时候能到，已经等了三天了 where is my parcel", At: now, WithWhy: true}
				if !kept {
					policy.Decide(&c, turn)
					continue
				}
				n := h.Note()
				turn.Tried = &n.Tried
				policy.Decide(&c, turn)
				n.Entry = Entry{
					Kind: Turn, At: began, Session: "2baf4d84-beb4-4607-a1ea-000000000001", User: "user-1", Role: "user", Text: turn.Text, Event: "ChatBot.UserSendMsg",
					RequestID: "12345", Outcome: "none", RulesVersion: policy.Version(), Counters: &n.Tried.Counters, Phase: "bot",
				}
				h.Put(n)
				for h.queued() > maxQueued/2 { // what is dropped costs nothing
					runtime.Gosched()
				}
			}
			h.Close()
		})
	}
}

// What the writer does with one turn, without the disk.
func BenchmarkHistory_note(b *testing.B) {
	policy := shipped(b)
	stories := rules.NewStories(mask.Masked.Text)
	for name, text := range map[string]string{
		"Chinese": "你好，我昨天在你们店里买的那件黑色的衣服到现在还没有收到，麻烦帮我看一下到哪里了",
		"English": "Hello, I bought a pair of shoes last week and the colour is different from the picture on the site.",
	} {
		b.Run(name, func(b *testing.B) {
			n := new(Note)
			var c rules.Conversation
			policy.Decide(&c, rules.Turn{Text: text, At: time.Now(), WithWhy: true, Tried: &n.Tried})
			n.Entry = Entry{
				Kind: Turn, At: time.Now(), Session: "2baf4d84-beb4-4607-a1ea-000000000001", User: "user-1", Role: "user", Text: text, Event: "ChatBot.UserSendMsg",
				RequestID: "12345", Outcome: "none", RulesVersion: policy.Version(), CountersBefore: &n.Tried.Before, Counters: &n.Tried.Counters, Phase: "bot",
			}
			n.take()
			var buf, frames []byte
			b.ReportAllocs()
			for b.Loop() {
				n.stories = n.stories[:0]
				n.finish(mask.Masked, stories)
				buf = n.appendTo(buf[:0])
				frames = appendFrame(frames[:0], meta{session: nameHash(n.Session), user: nameHash(n.User)}, buf)
			}
			b.ReportMetric(float64(len(frames)), "bytes")
		})
	}
}

func (h *History) queued() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pending)
}
