package text

import "testing"

func TestNegated_followsTheClause(t *testing.T) {
	asks := []string{"转人工", "人工", "human", "talk to (a)? human", "转 .. 客服", "机器人", "robot"}
	negators := []string{"不要", "别", "不用 (了)?", "dont (want|need) (to)? (a)?", "not needed", "没有? (要|想)"}
	idioms := []string{"能不能", "why dont", "不 .. 就投诉", "要不要"}
	polite := []string{"了", "please", "吧", "thanks"}
	var b Builder
	var r Roles
	want := map[PhraseID]bool{}
	for i, list := range [][]string{asks, negators, idioms, polite} {
		for _, src := range list {
			id, err := b.Add(src, Options{})
			if err != nil {
				t.Fatal(err)
			}
			switch i {
			case 0:
				want[id] = true
			case 1:
				r.Negators.Add(id)
			case 2:
				r.Idioms.Add(id)
			case 3:
				r.Polite.Add(id)
			}
		}
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	m.SetRoles(r)
	for _, tt := range []struct {
		text    string
		negated bool
	}{
		{"不要转人工", true},
		{"别转人工", true},
		{"不要机器人，转人工", false},
		{"不要，转人工", false},
		{"不要机器人但是要转人工", false},
		{"我要转人工", false},
		{"人工就不用了", true},
		{"人工不用了吧", true},
		{"人工不用等吗", false},
		{"能不能转人工", false},
		{"i dont want a human", true},
		{"I don't want to talk to a human", true},
		{"I don't need help, human", false},
		{"I don't need help but a human", false},
		{"I don't want help I want a human", false},
		{"I don't want help give me a human", false},
		{"why dont i get a human", false},
		{"human not needed", true},
		{"human not needed please", true},
		{"human not needed for this", false},
		{"转账别找客服", true},
		{"转一下客服", false},
	} {
		var msg Message
		msg.Reset(tt.text)
		hits := m.Find(&msg, nil)
		seen, negated := false, true
		for i, h := range hits {
			if !want[h.Phrase] || m.Phrase(h.Phrase) == "机器人" || m.Phrase(h.Phrase) == "robot" {
				continue
			}
			seen = true
			by, not := Negated(&msg, hits, i, &r)
			if not != (by >= 0) || not && !r.Negators.Has(hits[by].Phrase) {
				t.Errorf("%q: Negated = %d, %v", tt.text, by, not)
			}
			negated = negated && not
		}
		if !seen || negated != tt.negated {
			t.Errorf("%q: asked %v, negated %v, want %v (hits %v)", tt.text, seen, negated, tt.negated, hits)
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
