package rules

import (
	"math/bits"
	"sync"
	"unicode"

	"escalator/rules/packs"
	"escalator/rules/text"
)

// detectLanguage tells the language of a message: by its script, and for Latin letters by the words that it shares
// with the packs. It gives "" when nothing speaks for one language more than for the others.
func detectLanguage(msg *text.Message) string {
	s := msg.Scripts()
	// A character of these scripts says about as much as three letters.
	dense := [...]struct {
		script text.Script
		lang   string
		weight int32
	}{{text.Han, "zh", 3}, {text.Kana, "ja", 3}, {text.Hangul, "ko", 3}, {text.Thai, "th", 1}, {text.Arabic, "ar", 1}, {text.Cyrillic, "ru", 1}}
	best, lang := s[text.Latin], ""
	for _, d := range dense {
		if n := s[d.script] * d.weight; n > best {
			best, lang = n, d.lang
		}
	}
	switch {
	case lang == "zh" && s[text.Kana] > 0:
		return "ja"
	case lang != "" || best == 0:
		return lang
	}
	return latinLanguage(msg)
}

// tokensForLanguage is how many words of a message are looked at: more would not tell more.
const tokensForLanguage = 12

// latinLanguage counts the words that the packs of each language know; a word of several languages counts for less.
func latinLanguage(msg *text.Message) string {
	words := packWords()
	var score [16]int
	for i := range min(len(msg.Tokens()), tokensForLanguage) {
		mask := words[msg.Word(i)]
		if mask == 0 {
			continue
		}
		share := 720 / bits.OnesCount16(mask) // 720 is divided by every number of languages up to 6 without rest
		for ; mask != 0; mask &= mask - 1 {
			score[bits.TrailingZeros16(mask)] += share
		}
	}
	best, tie := 0, true
	for i := range languages {
		switch {
		case score[i] > score[best]:
			best, tie = i, false
		case score[i] == score[best] && i != best:
			tie = tie || score[i] == score[best]
		}
	}
	if tie || score[best] == 0 {
		return ""
	}
	return languages[best]
}

// latinLanguages are the languages that no script of their own tells apart.
var latinLanguages = map[string]bool{
	"en": true, "id": true, "ms": true, "vi": true, "es": true, "pt": true, "fr": true, "de": true, "tr": true,
}

// packWords holds the words of the packs in Latin letters with the set of languages that use them.
var packWords = sync.OnceValue(func() map[string]uint16 {
	words := map[string]uint16{}
	for _, f := range packs.All() {
		if !latinLanguages[f.Lang] {
			continue // their packs hold Latin words too, and those say nothing
		}
		bit := languageBit(f.Lang)
		add := func(s string) {
			for _, w := range text.Words(s) {
				if len(w) > 1 && unicode.Is(unicode.Latin, []rune(w)[0]) {
					words[w] |= bit
				}
			}
		}
		for _, class := range f.Words {
			for _, w := range class {
				add(w)
			}
		}
		for _, p := range f.Packs {
			for _, ph := range p.Phrases {
				add(ph.Text)
			}
			for _, m := range append(p.Match, p.Ignore...) {
				add(m)
			}
		}
	}
	return words
})

func languageBit(lang string) uint16 {
	for i, l := range languages {
		if l == lang {
			return 1 << i
		}
	}
	return 0
}
