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

func (h *History) queued() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pending)
}
