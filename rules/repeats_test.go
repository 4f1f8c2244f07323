package rules

import (
	"testing"

	"escalator/rules/text"
)

// How alike two messages are is Dice's coefficient of their pairs of characters.
func TestRepeats_similarityIsDice(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"怎么改地址", "怎么改地址？", 1},
		{"怎么改地址", "怎麼 改 地址", 1},
		{"怎么改地址", "怎么改电话", 0.5},
		{"night", "nacht", 0.25},
	} {
		var k fingerprints
		var set pairSet
		for _, s := range []string{c.a, c.b} {
			var m text.Message
			m.Reset(s)
			pairs, chars := m.Bigrams(nil)
			k = k.add(1, set.of(pairs), chars)
		}
		if got := k.alike(1, 1, c.want, 1); got != 2 {
			t.Errorf("%q and %q are less alike than %v", c.a, c.b, c.want)
		}
		if got := k.alike(1, 1, c.want+0.01, 1); got == 2 && c.want < 1 {
			t.Errorf("%q and %q are more alike than %v", c.a, c.b, c.want)
		}
	}
}
