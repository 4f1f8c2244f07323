package history

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/rules"
)

func drawEntry(r *rapid.T) Entry {
	text := rapid.StringN(0, 20, 60)
	texts := rapid.Custom(func(r *rapid.T) []string {
		if l := rapid.SliceOfN(text, 0, 3).Draw(r, "list"); len(l) > 0 {
			return l
		}
		return nil
	})
	e := Entry{
		Kind: rapid.SampledFrom([]Kind{Turn, Asked, Phase, Attempt, Said, Contact}).Draw(r, "kind"),
		At:   time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(r, "at")).UTC(), Session: text.Draw(r, "session"), User: text.Draw(r, "user"),
		Role: "user", Mark: text.Draw(r, "mark"), Sends: texts.Draw(r, "sends"), Text: text.Draw(r, "text"), Event: text.Draw(r, "event"), RequestID: text.Draw(r, "request"), Outcome: text.Draw(r, "outcome"),
		Rule: text.Draw(r, "rule"), Mode: "shadow", Reason: text.Draw(r, "reason"), Target: text.Draw(r, "target"), Matched: texts.Draw(r, "matched"),
		Why: text.Draw(r, "why"), Near: text.Draw(r, "near"), Shadow: texts.Draw(r, "shadow"), Tags: texts.Draw(r, "tags"), RulesVersion: "abc",
		From: "bot", Phase: "human", Group: rapid.Int64().Draw(r, "group"), Agents: texts.Draw(r, "agents"), Agent: text.Draw(r, "agent"),
		Code: text.Draw(r, "code"), Error: text.Draw(r, "error"), Attempt: rapid.Int64().Draw(r, "attempt"), Final: rapid.Bool().Draw(r, "final"),
		TookMS: rapid.Int64().Draw(r, "took"), By: text.Draw(r, "by"),
		ID: text.Draw(r, "decision"), Replica: text.Draw(r, "replica"), TookUS: rapid.Int64().Draw(r, "micros"),
	}
	if rapid.Bool().Draw(r, "shadowed") {
		e.Would = []Would{{Rule: text.Draw(r, "would"), Outcome: rules.OutcomeOffer, Matched: texts.Draw(r, "would match")}, {}}
	}
	if rapid.Bool().Draw(r, "counted") {
		e.Rating = 4
		e.CountersBefore = &rules.Counters{UserMessages: rapid.Int().Draw(r, "messages before"), Offer: text.Draw(r, "offer"), Words: text.Draw(r, "words")}
		e.Counters = &rules.Counters{UserMessages: rapid.Int().Draw(r, "messages"), MissesInARow: 2, Transfers: -1, Misses: 3, LastMinute: 5, Repeats: 2}
		for range rapid.IntRange(0, 3).Draw(r, "cooldowns") {
			e.Counters.Cooldowns = append(e.Counters.Cooldowns, rules.Cooldown{Rule: text.Draw(r, "resting"), LeftS: rapid.Int64().Draw(r, "left")})
		}
	}
	few := rapid.SampledFrom([]string{"", "no", "says: none", "negated"})
	for range rapid.IntRange(0, 5).Draw(r, "rules") {
		e.Rules = append(e.Rules, rules.RuleStory{ID: text.Draw(r, "id"), Result: few.Draw(r, "result"), Reason: rules.Reason(few.Draw(r, "reason")), Why: few.Draw(r, "why")})
	}
	return e
}

func TestEntry_encodedAndDecoded_isTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := drawEntry(r)
		back, err := decodeEntry(appendEntry([]byte("before")[:0], &e))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(e, back); diff != "" {
			r.Fatal(diff)
		}
	})
}

// A file of many rules must leave room for many turns of a conversation.
func TestEntry_ofManyRules_isShort(t *testing.T) {
	e := Entry{Kind: Turn, Session: "2baf4d84-beb4-4607-a1ea-000000000001", User: "user-1", At: time.Unix(1, 0)}
	for range 100 {
		e.Rules = append(e.Rules, rules.RuleStory{ID: strings.Repeat("r", 12), Result: "no", Why: "says: none of its phrases is there"})
	}
	if n := len(appendEntry(nil, &e)); n > 1800 {
		t.Errorf("%d bytes", n)
	}
}

func TestDecodeEntry_passesOverFieldsOfALaterVersion(t *testing.T) {
	e := Entry{Kind: Said, At: time.Unix(1, 0).UTC(), Text: "hello"}
	data := append([]byte{60, 2, 'x', 'y', 200, 1, 'z'}, appendEntry(nil, &e)...)
	back, err := decodeEntry(data)
	if diff := cmp.Diff(e, back); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	e := Entry{Kind: Turn, At: time.Unix(1, 0), Text: "转人工", Matched: []string{"a", "b"}, Counters: &rules.Counters{UserMessages: 3, Cooldowns: []rules.Cooldown{{Rule: "r", LeftS: 9}}}, Rules: []rules.RuleStory{{ID: "r", Result: "no"}, {ID: "s", Result: "no"}}}
	f.Add(appendEntry(nil, &e))
	f.Add([]byte{32, 3, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data)
		if err != nil {
			return
		}
		again, err := decodeEntry(appendEntry(nil, &e))
		if diff := cmp.Diff(e, again); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

// The reader of frames finds each frame that is there, whatever stands between them,
// and says how much of the rest is none.
func FuzzScanFrames(f *testing.F) {
	f.Add([]byte("entry"), []byte("junk"), uint8(1))
	f.Add([]byte{}, bytes.Repeat([]byte{0}, 100), uint8(3))
	f.Add([]byte("x"), appendFrame(nil, meta{session: 1}, []byte("half"))[:20], uint8(2))
	f.Fuzz(func(t *testing.T, entry, junk []byte, n uint8) {
		if len(entry) > maxFrame-metaLen || len(junk) > 1<<16 {
			return
		}
		var file []byte
		for i := range int(n % 8) {
			file = append(file, junk...)
			file = appendFrame(file, meta{prev: 7, session: uint64(i + 1), user: 9, at: 5}, entry)
		}
		var found []uint64
		_, err := scanFrames(bytes.NewReader(file), func(_ int64, m meta, frame []byte) bool {
			if _, got, ok := readFrame(frame); ok && bytes.Equal(got, entry) && m.user == 9 {
				found = append(found, m.session)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		// Junk may hold a whole frame of its own that covers the beginning of ours; a head alone must not.
		if _, _, ok := readFrame(junk); !ok && len(junk) < headLen && len(found) != int(n%8) {
			t.Errorf("found %v of %d", found, n%8)
		}
	})
}

func TestForgotten_leavesNothingButTheLengthAndThePlaceBefore(t *testing.T) {
	frame := appendFrame(nil, meta{prev: 77, session: 5, user: 6, at: 8}, []byte("secret"))
	n := len(frame)
	forgotten(frame)
	m, entry, ok := readFrame(frame)
	if !ok || len(frame) != n || m != (meta{prev: 77, at: 8}) || bytes.Contains(frame, []byte("secret")) || len(entry) != 6 {
		t.Errorf("%+v %q %t", m, entry, ok)
	}
}
