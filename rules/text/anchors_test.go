package text

import "testing"

// What a phrase is asked by is the rarest that each of its hits holds, so that common words alone start no search.
func TestAnchors_areTheRarestThatEveryHitHolds(t *testing.T) {
	for _, tt := range []struct {
		phrase  string
		without []string // messages with other words of it
		with    []string
	}{
		{"i want a refund", []string{"i want a new one", "want a", "refund"}, []string{"a refund", "a refnud", "a, refund"}},
		{"转人工", []string{"我要转账", "人工", "人，转"}, []string{"转人", "转，人"}},
		{"i .. (speak|talk) (to|with) you", []string{"i go to you", "with you"}, []string{"i speak", "talk"}},
		{"(can|could)? you (please)? help* .. me", []string{"could you please tell me"}, []string{"helpful"}},
		{"do you", []string{"do it", "you do"}, []string{"do you"}},
		{"=(splendid|great) please", []string{"please"}, []string{"great please", "splendid pleese"}},
		{"hello", []string{"good day"}, []string{"helloooo", "a looong day"}}, // drawn out: it may be anything
	} {
		var b Builder
		if _, err := b.Add(tt.phrase, Options{}); err != nil {
			t.Fatal(err)
		}
		m, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		var msg Message
		has := func(s string) bool {
			msg.Reset(s)
			m.vocabulary.readAll(&msg)
			return msg.search.has != 0
		}
		for _, s := range tt.without {
			if has(s) {
				t.Errorf("%s: %q has an anchor", tt.phrase, s)
			}
		}
		for _, s := range tt.with {
			if !has(s) {
				t.Errorf("%s: %q has no anchor", tt.phrase, s)
			}
		}
	}
}
