package rules

import "testing"

// A key of a signal that is left out keeps its default, [] empties it.
func TestSignals_whatIsLeftOut_keepsItsDefault(t *testing.T) {
	miss := []Turn{{Text: "a"}, {Kind: BotTurn, Text: "hm", Mark: "fallback"}}
	excuse := []Turn{{Text: "a"}, {Kind: BotTurn, Text: "抱歉，我还没有学会这个问题"}}
	for _, c := range []struct {
		signals         string
		marked, excused bool
	}{
		{"", true, true},
		{"signals: {}", true, true},
		{"signals: {bot_missed: {says: [hmm]}}", true, false},
		{"signals: {bot_missed: {marks: [lost]}}", false, true},
		{"signals: {bot_missed: {marks: []}}", false, true},
		{"signals: {bot_missed: {says: []}}", true, false},
		{"signals: {bot_missed: {says: [], marks: []}}", false, false},
	} {
		p := rulesWhen(t, c.signals, "{bot_missed: {times: 1, within: 1m}}")
		if got := play(t, p, miss...); got != c.marked {
			t.Errorf("%s: a mark of the default counts: %v, want %v", c.signals, got, c.marked)
		}
		if got := play(t, p, excuse...); got != c.excused {
			t.Errorf("%s: an excuse counts: %v, want %v", c.signals, got, c.excused)
		}
	}
}
