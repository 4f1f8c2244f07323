package text

import (
	"strings"
	"testing"
)

// A negationCase is a message and the words of it that are refused, if any.
type negationCase struct {
	text string
	by   string // the words of the negator that is named, "" if the hit counts
}

// negationLists are plain lists, a role each: what is asked about here is geometry, not the words of the packs.
type negationLists struct {
	asks, negators, behind, asking, polite, masks []string
}

var plainLists = negationLists{
	asks: []string{
		"转人工", "人工", "退款", "human", "agent", "refund", "cancel", "want a refund", "talk to (a)? human", "转 .. 客服",
		"不要了", "不想要了", "别寄了", "don't want it", "wait for (an)? agent",
	},
	negators: []string{
		"不要", "不想", "(我|先) 不 (要|转)", "不转", "别", "先别", "不用", "不用了", "没有? (要|想)", "dont (want|need)", "do not (want|need)",
		"didnt (ask|want)", "not needed", "no .. needed", "dont",
	},
	behind: []string{"は不要"},
	asking: []string{"能不能", "要不要", "why dont", "不 .. 就投诉"},
	polite: []string{"了", "please", "吧", "thanks", "谢谢"},
	masks:  []string{"别人"},
}

func (l negationLists) check(t *testing.T, cases []negationCase) {
	t.Helper()
	var b Builder
	add := func(phrases []string) (s PhraseSet) {
		for _, src := range phrases {
			id, err := b.Add(src, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s.Add(id)
		}
		return s
	}
	asks, behind, masks := add(l.asks), add(l.behind), add(l.masks)
	r := Roles{
		Negators: []Group{{Phrases: add(l.negators), Masks: masks}, {Phrases: behind}},
		Behind:   behind,
		Asking:   []Group{{Phrases: add(l.asking)}},
		Polite:   []Group{{Phrases: add(l.polite)}},
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var msg Message
	var n Negation
	for _, tt := range cases {
		msg.Reset(tt.text)
		hits := m.Find(&msg, nil)
		n.Reset(&msg, hits, &r)
		best := -1
		for i, h := range hits {
			if asks.Has(h.Phrase) && (best < 0 || h.len() > hits[best].len()) {
				best = i
			}
		}
		if best < 0 {
			t.Errorf("%q: nothing is found", tt.text)
			continue
		}
		by := ""
		if j := n.Of(best); j >= 0 {
			start, end := msg.OrigSpan(int(hits[j].First), int(hits[j].Last))
			by = strings.ToLower(tt.text[start:end])
		}
		if by != tt.by {
			t.Errorf("%q: %q is refused by %q, want %q", tt.text, m.Phrase(hits[best].Phrase), by, tt.by)
		}
	}
}

func TestNegation_followsTheClause(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"不要转人工", "不要"},
		{"先别转人工", "别"}, // the shortest says best why
		{"不要，转人工", ""},
		{"不要。转人工", ""},
		{"不要\n转人工", ""},
		{"不要别的但是要转人工", ""},
		{"我要转人工", ""},
		{"转一下客服", ""},
		{"I do not need help, human", ""},
		{"I don't need help but a human", ""},
		{"I don't want to talk to a human", "don't"},
		{"你帮别人转人工", ""}, // a mask over the negator
	})
}

func TestNegation_newSentenceEndsIt(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"I do not want help I want a human", ""},
		{"I do not want help give me a human", ""},
		{"I do not want this link can you get me a human", ""},
		{"不用查了给我转人工", ""},
		{"不要机器人给我转人工", ""},
	})
}

func TestNegation_coversItsComplement(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"I do not want you to transfer me to a human", "do not want"},
		{"I do not want your silly system to connect me to an agent", "do not want"},
		{"I do not want anyone to give me a refund", "do not want"},
		{"I do not want to wait for an agent", "do not want"},
		{"don't just give me an agent", "don't"},
		{"don't transfer me or connect me to an agent", "don't"},
		{"不用你给我转人工", "不用"},
		{"不用一直给我转人工", "不用"},
		{"不要老是直接给我转人工", "不要"},
		{"别动不动就帮我转人工", "别"},
		{"不用你们再给我退款", "不用"},
	})
}

func TestNegation_behindTheHit(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"转人工就不用了", "不用"},
		{"转人工不用了吧", "不用"},
		{"退款不用了我再想想", "不用"},
		{"转人工不用等吗", ""},
		{"refund not needed", "not needed"},
		{"refund not needed please", "not needed"},
		{"refund not needed for this", ""},
		{"no refund needed", "no refund needed"},
		{"no answer yet, refund needed", ""},
		{"退款は不要", "不要"},
		{"退款は不要ですから", "は不要"},
		{"クーポンは不要です agent", ""}, // refuses what was said before
		{"不用了转人工", ""},
		{"不用等了转人工", ""},
		{"不用转人工了", "不用"},
		{"不用了解退款", "不用"},
		{"no I want a human needed", ""},
	})
}

func TestNegation_ownBeginningNeverCounts(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"不想要了", ""},
		{"我不想要了", ""},
		{"这个我不要了", ""},
		{"先别寄了", ""},
		{"I really don't want it", ""},
		{"我不转人工", "不转"}, // 转 is the hit's, 不 is not
		{"I do not want a refund", "do not want"},
		{"别说不要了", "别"},
		{"转账别找客服", "别"}, // in a gap of the phrase
	})
}

func TestNegation_askingComesFirst(t *testing.T) {
	plainLists.check(t, []negationCase{
		{"能不能转人工", ""},
		{"要不要转人工", ""},
		{"why don't I get a human", ""},
		{"不转人工就投诉", ""},
		{"能不能不要转人工", "不要"},
	})
}

func TestMasked_oneGroupWithoutMaskIsEnough(t *testing.T) {
	set := func(ids ...PhraseID) (s PhraseSet) {
		for _, id := range ids {
			s.Add(id)
		}
		return s
	}
	hits := []Hit{{Phrase: 1, First: 0, Last: 2}, {Phrase: 2, First: 1, Last: 3}}
	masking, free, other := Group{set(1), set(2)}, Group{Phrases: set(1)}, Group{set(7), set(2)}
	for _, tt := range []struct {
		groups []Group
		want   int
	}{
		{[]Group{masking}, 1}, {[]Group{free}, -1}, {[]Group{masking, free}, -1}, {[]Group{masking, other}, 1}, {nil, -1},
	} {
		if got := Masked(hits, 0, tt.groups); got != tt.want {
			t.Errorf("Masked(%v) = %d, want %d", tt.groups, got, tt.want)
		}
	}
}

func TestPhraseSet_hasWhatWasAdded(t *testing.T) {
	var s PhraseSet
	for _, id := range []PhraseID{0, 63, 64, 1000} {
		if s.Has(id) {
			t.Errorf("an empty set has %d", id)
		}
		s.Add(id)
		if !s.Has(id) || s.Has(id+1) {
			t.Errorf("after Add(%d): %v", id, s)
		}
	}
}
