package rules

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A million conversations must fit into memory, so an idle one is small.
func TestConversation_isSmall(t *testing.T) {
	if size := unsafe.Sizeof(Conversation{}); size > 96 {
		t.Errorf("a conversation takes %d bytes, at most 96 are allowed", size)
	}
	if size := unsafe.Sizeof(memory{}); size > 192 {
		t.Errorf("what is kept once something happened takes %d bytes, at most 192 are allowed", size)
	}
	k := newTalk(t, load(t, askRule))
	k.user("你好")
	k.bot("您好")
	if k.c.prints != nil || k.c.memory != nil {
		t.Error("nothing happened, but memory was taken")
	}
}

func TestConversation_eventsAndMarks_moveThePhase(t *testing.T) {
	for _, c := range []struct {
		from  Phase
		event EventKind
		to    Phase
	}{
		{PhaseBot, EventSessionBegin, PhaseBot},
		{PhaseBot, EventTransferring, PhaseQueued}, // Desk does it by itself
		{PhaseBot, EventWithHuman, PhaseHuman},
		{PhaseBot, EventAgentMessage, PhaseHuman},
		{PhaseBot, EventNoAgent, PhaseBot},
		{PhaseTransferring, EventTransferring, PhaseTransferring}, // the echo of our own transfer
		{PhaseTransferring, EventNoAgent, PhaseTransferring},      // its answer tells more
		{PhaseTransferring, EventWithHuman, PhaseHuman},
		{PhaseTransferring, EventClosed, PhaseBot},
		{PhaseQueued, EventTransferring, PhaseQueued},
		{PhaseQueued, EventWithHuman, PhaseHuman},
		{PhaseQueued, EventAgentMessage, PhaseHuman},
		{PhaseQueued, EventNoAgent, PhaseBot},
		{PhaseQueued, EventClosed, PhaseBot},
		{PhaseHuman, EventSessionBegin, PhaseBot},
		{PhaseHuman, EventClosed, PhaseBot},
		{PhaseHuman, EventNoAgent, PhaseBot},
		{PhaseHuman, EventUserMessage, PhaseHuman},
	} {
		conv := Conversation{phase: c.from}
		conv.Observe(c.event, start, time.Time{})
		if conv.Phase() != c.to {
			t.Errorf("%s on %s: %s, want %s", c.from, c.event, conv.Phase(), c.to)
		}
	}
	for mark, want := range map[string]Phase{
		"queuing": PhaseQueued, "connectingToAgent": PhaseQueued, "connectedToAgent": PhaseHuman, "welcome": PhaseBot,
	} {
		k := newTalk(t, load(t, askRule))
		k.turn(Turn{Kind: BotTurn, Text: "…", Mark: mark})
		if k.c.Phase() != want {
			t.Errorf("mark %s: %s, want %s", mark, k.c.Phase(), want)
		}
	}
}

func TestConversation_lateEvent_isIgnored(t *testing.T) {
	var c Conversation
	c.Observe(EventWithHuman, start, start)
	c.Observe(EventSessionBegin, start.Add(time.Second), start.Add(-time.Second))
	if c.Phase() != PhaseHuman {
		t.Error("an older SessionBegin took the conversation back")
	}
	c.Observe(EventClosed, start.Add(2*time.Second), start.Add(time.Second))
	if c.Phase() != PhaseBot {
		t.Error("a newer event was ignored")
	}
}

func TestConversation_results_moveThePhase(t *testing.T) {
	want := map[Result]Phase{
		ResultAssigned: PhaseHuman, ResultQueued: PhaseQueued, ResultNoAgent: PhaseBot, ResultAlreadyHuman: PhaseHuman,
		ResultAlreadyQueued: PhaseQueued, ResultSessionGone: PhaseBot, ResultFailed: PhaseBot, ResultDismissed: PhaseBot,
	}
	for result, phase := range want {
		k := newTalk(t, load(t, askRule))
		k.user("转人工")
		k.settle(result)
		if k.c.Phase() != phase {
			t.Errorf("%s: %s, want %s", result, k.c.Phase(), phase)
		}
	}
}

func TestConversation_silentForTheTimeToLive_isForgotten(t *testing.T) {
	p := load(t, "defaults: {session_ttl: 1h}\nrules: [{id: r, when: {turns: {at_least: 2}}, then: {transfer: default}}]")
	k := newTalk(t, p)
	k.user("a")
	k.wait(time.Hour)
	if until := p.Expiry(&k.c); !until.Equal(k.now) {
		t.Errorf("kept until %s, want %s", until, k.now)
	}
	k.wait(time.Millisecond)
	expect(t, "after the time to live", k.user("b"), "none")
	expect(t, "within it", k.user("c"), "transfer r")
	k.settle(ResultAssigned)
	k.wait(2 * time.Hour)
	k.turn(Turn{Text: "d", Unsure: true})
	if k.c.Phase() != PhaseHuman {
		t.Error("a conversation with a human was forgotten")
	}
}

func TestConversation_closed_forgetsCountersAndCooldowns(t *testing.T) {
	k := newTalk(t, load(t, `
rules:
  - {id: stuck, when: {bot_missed: {times: 2, within: 1h}}, then: {transfer: default}}
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
`))
	k.user("a")
	k.miss()
	expect(t, "ask", k.user("转人工"), "transfer ask")
	k.settle(ResultAssigned)
	k.observe(EventClosed)
	k.user("b")
	expect(t, "the first miss of the new session", k.miss(), "none")
	expect(t, "no cooldown from the old session", k.user("转人工"), "transfer ask")
}

// drawTurns plays a random conversation, so that all parts of its memory are in use.
func drawTurns(t *rapid.T, k *talkTo) {
	words := []string{"转人工", "你好啊朋友", "骗子", "退款", "怎么办呢这个", "不用了", "好的", "Hello my friend", ""}
	for range rapid.IntRange(0, 30).Draw(t, "turns") {
		k.wait(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "wait")) * time.Millisecond)
		turn := Turn{Kind: rapid.SampledFrom([]TurnKind{UserTurn, UserTurn, BotTurn, BotTurn, TimerTurn, StartTurn, RatingTurn}).Draw(t, "kind")}
		turn.Text = rapid.SampledFrom(words).Draw(t, "text")
		turn.Mark = rapid.SampledFrom([]string{"", "", "fallback", "thinking", "queuing"}).Draw(t, "mark")
		turn.Fields = TestFields{"a.b": rapid.StringN(0, 5, 20).Draw(t, "field")}
		d := k.turn(turn)
		if d.Outcome == OutcomeOffer {
			k.p.OfferSent(&k.c, d.Rule, k.now)
		}
		if d.Take != nil {
			k.c.AwaitWords(d.Rule, d.Take, k.now)
		}
		if d.Outcome == OutcomeTransfer {
			k.settle(Result(rapid.IntRange(0, int(ResultDismissed)).Draw(t, "result")))
			k.c.WaitsFor(d.Rule, d.Chain[0])
		}
	}
}

// busyPolicy counts everything that can be counted.
func busyPolicy(t testing.TB) *Policy {
	return load(t, `
lists: {furious: {骗子: 3, 谢谢: -2}}
rules:
  - {id: q, when: {says: [怎么]}, then: {offer: 需要人工吗？, transfer: default}, cooldown: 1m}
  - {id: s, mode: shadow, when: {said: {any: [退款], within: 5m}}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}, cooldown: 1m}
  - {id: again, when: {repeats: {times: 3, within: 10m}}, then: {transfer: default}, cooldown: 1m}
  - {id: angry, when: {mood: {list: furious, at_least: 6, within: 10m}}, then: {transfer: default}, cooldown: 1m}
  - {id: fast, when: {rate: {messages: 9, within: 1m}}, then: {transfer: default}, cooldown: 1m}
  - {id: field, when: {all: [{field: {path: a.b, equals: xyz}}, {turns: {at_least: 9}}]}, then: {keep: true}}
  - {id: leave, when: {says: [不用了]}, then: {take_message: {say: 请留言}}, cooldown: 1m}
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}, cooldown: 1m}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}, cooldown: 1m}
  - {id: long, when: {queued_for: 1m}, then: {transfer: default, leave_queue: true}, cooldown: 1m}
  - {id: stars, when: {rating: {at_most: 2}}, then: {tag: [bad]}}
`)
}

var compareConversations = cmp.AllowUnexported(Conversation{}, memory{}, rareMemory{}, saidStamp{}, moodStamp{}, fieldValue{}, ruleState{}, pendingOffer{}, openMessage{}, wait{})

func TestConversation_encoding_bringsEverythingBack(t *testing.T) {
	p := busyPolicy(t)
	rapid.Check(t, func(r *rapid.T) {
		k := newTalk(t, p)
		drawTurns(r, k)
		data, err := k.c.MarshalBinary()
		if err != nil {
			r.Fatal(err)
		}
		var back Conversation
		if err := back.UnmarshalBinary(data); err != nil {
			r.Fatal(err)
		}
		again, _ := back.MarshalBinary()
		if !bytes.Equal(data, again) {
			r.Fatalf("encoded again it differs:\n%s", cmp.Diff(k.c, back, compareConversations))
		}
	})
}

func TestConversation_copy_isDeepAndEqual(t *testing.T) {
	p := busyPolicy(t)
	var reused Conversation
	rapid.Check(t, func(r *rapid.T) {
		k := newTalk(t, p)
		drawTurns(r, k)
		before, _ := k.c.MarshalBinary()
		reused.CopyFrom(&k.c)
		drawTurns(r, k)
		after, _ := reused.MarshalBinary()
		if !bytes.Equal(before, after) {
			r.Fatal("the copy changed with its original, or never was equal")
		}
		k.c.CopyFrom(&reused)
		if undone, _ := k.c.MarshalBinary(); !bytes.Equal(before, undone) {
			r.Fatal("going back to the copy does not undo the turns")
		}
	})
}

func TestConversation_otherVersion_isRefused(t *testing.T) {
	var c Conversation
	for _, data := range [][]byte{nil, {1}, {2, 0, 0, 0, 0, 0}, {1, 9, 0, 0, 0, 0}, bytes.Repeat([]byte{1}, 300)} {
		if err := c.UnmarshalBinary(data); !errors.Is(err, ErrEncoding) {
			t.Errorf("%v: error %v", data, err)
		}
	}
}

func TestConversation_versionWithLongHashes_isStillRead(t *testing.T) {
	// Nothing but one print with two hashes, of which the upper halves are kept.
	data := append([]byte{longHashes, 0, 0, 0, 0, 0}, make([]byte, 6+2+1)...)
	data = append(data, 1 /* print */, 2 /* at */, 2 /* pairs */, 2 /* kept */, 5 /* chars */)
	data = append(data, 0xff, 0xff, 0x34, 0x12, 0xff, 0xff, 0x78, 0x56)
	data = append(data, make([]byte, 5+2+3)...)
	want := []byte{0x34, 0x12, 0x78, 0x56}
	var c Conversation
	if err := c.UnmarshalBinary(data); err != nil || !bytes.Equal(c.prints.first().hashes(), want) {
		t.Fatalf("%v, %+v", err, c.prints)
	}
	again, _ := c.MarshalBinary()
	if err := c.UnmarshalBinary(again); err != nil || again[0] != encodingVersion || !bytes.Equal(c.prints.first().hashes(), want) {
		t.Errorf("written again: %v, %+v", err, c.prints)
	}
}

func TestConversation_versionWithSharedStates_isStillRead(t *testing.T) {
	// Nothing but one rule that had fired at 5, whose offer was made in phase 1 and is over, and that was in shadow at 7.
	data := append([]byte{sharedStates, 0, 0, 0, 0, 0}, make([]byte, 6+2+2+4)...)
	data = append(data, 1 /* rule */, 1, 'r', 10 /* fired */, 0, 14 /* shadow */, 2 /* shadow in */, 1 /* offered in */, 1)
	data = append(data, make([]byte, 2+3)...)
	var c Conversation
	want := []ruleState{{id: "r", shadow: true, fired: 7, awayIn: 2}, {id: "r", fired: 5, offeredIn: 1, offerOver: true}}
	for range 2 { // as it was, and written again
		if err := c.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.memory.rules, compareConversations); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", data[0], diff)
		}
		data, _ = c.MarshalBinary()
	}
}

func TestConversation_versionWithoutAWait_isStillRead(t *testing.T) {
	// Nothing but a pending offer of the rule r, made at 5.
	data := append([]byte{withoutMessage, byte(PhaseQueued), 0, 0, 0, 0}, make([]byte, 6+2+2+5+2)...)
	data = append(data, 1, 'r', 10, 2)
	for range 2 { // as it was, and written again
		var c Conversation
		if err := c.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if want := (pendingOffer{rule: "r", at: 5, left: 2}); c.memory.offer != want || c.memory.rare != nil || c.phase != PhaseQueued {
			t.Errorf("version %d: %+v", data[0], c.memory)
		}
		data, _ = c.MarshalBinary()
	}
}

func TestConversation_versionWithoutPanel_isStillRead(t *testing.T) {
	c := Conversation{phase: PhaseHuman, memory: &memory{userID: "li"}}
	data, _ := c.MarshalBinary()
	data[0] = withoutPanel
	var back Conversation
	if err := back.UnmarshalBinary(data[:len(data)-1]); err != nil || back.UserID() != "li" || back.phase != PhaseHuman { // without the count of what agents see
		t.Errorf("%v, %+v", err, back)
	}
}

func FuzzConversation_UnmarshalBinary(f *testing.F) {
	p := busyPolicy(f)
	k := newTalk(f, p)
	for _, text := range []string{"怎么办呢这个", "骗子", "转人工"} {
		k.user(text)
		k.miss()
	}
	data, _ := k.c.MarshalBinary()
	f.Add(data)
	f.Add([]byte{1, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Conversation
		if c.UnmarshalBinary(data) != nil {
			return
		}
		again, _ := c.MarshalBinary()
		var back Conversation
		if err := back.UnmarshalBinary(again); err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		p.Explain(&c, Turn{At: start, Text: "怎么转人工"})
		p.Decide(&c, Turn{Kind: BotTurn, At: start, Mark: "fallback"})
		p.NextTimer(&c)
		p.Expiry(&c)
	})
}

// A conversation is encoded with every callback.
func BenchmarkConversation_AppendBinary(b *testing.B) {
	p := mustLoad(b, readFile(b, "../rules.yaml"))
	for _, messages := range []int{1, 4} {
		var c Conversation
		for i := range messages {
			p.Decide(&c, Turn{Text: ordinary[i%len(ordinary)], At: start.Add(time.Duration(i) * time.Minute)})
		}
		var buf []byte
		b.Run(fmt.Sprintf("%d messages", messages), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = c.AppendBinary(buf[:0])
			}
		})
	}
}
