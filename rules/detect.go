package rules

import (
	"maps"
	"math/bits"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	"escalator/rules/packs"
	"escalator/rules/text"
)

// What it takes to change a language that is set (RULES.md 2). The first vote sets it.
const (
	charsToChange = 2 // characters of another script
	wordsToChange = 3 // words of a message in Latin letters,
	knownToChange = 2 // of which so many are of the new language, and none of the one that is set
	borrowedFrom  = 3 // known Latin words beside which Han is a borrowed word
)

// languageAfter gives the language of a conversation after a message; was is the one before, "" if there was none.
func languageAfter(msg *text.Message, was string) string {
	scripts := msg.Scripts()
	lang, chars, letters := scriptVote(&scripts, was)
	if scripts[text.Latin] > 0 {
		var words tally
		words.latinWords(msg, languageBit(was), letters == 0)
		if outvotes(&words, lang, letters) {
			if l := words.vote(); l != "" && (was == "" || words.change(l)) {
				return l
			}
			return was
		}
	}
	if lang == "" || was != "" && chars < charsToChange {
		return was
	}
	return lang
}

// scriptVote gives the language that the scripts other than Latin vote for, how many characters of scripts speak for it
// that the language before does not have, and how many Latin letters all its characters weigh.
func scriptVote(s *text.Scripts, was string) (lang string, news, letters int32) {
	for _, d := range [...]struct {
		script text.Script
		lang   string
		weight int32
	}{{text.Han, "zh", 3}, {text.Hangul, "ko", 3}, {text.Thai, "th", 1}, {text.Arabic, "ar", 1}, {text.Cyrillic, "ru", 1}, {text.Devanagari, "hi", 1}} {
		n := s[d.script]
		fresh := n
		if d.script == text.Han && s[text.Kana] > 0 {
			d.lang = "ja"
			n += s[text.Kana]
			if fresh = n; was == "zh" {
				fresh = s[text.Kana]
			}
		}
		switch w := n * d.weight; {
		case w > letters:
			lang, news, letters = d.lang, fresh, w
		case w == letters && w > 0:
			lang, news = "", 0
		}
	}
	if lang == "" && letters == 0 && s[text.Kana] > 0 {
		return "ja", s[text.Kana], 3 * s[text.Kana]
	}
	if lang == "zh" && was == "ja" {
		news = 0 // Han alone is Japanese too
	}
	return lang, news, letters
}

// A tally is what the Latin words of a message say.
type tally struct {
	words   int // all of them
	known   int // to any language
	letters int32
	of      [maxLanguages]struct{ words, share int32 }
	present bool // one of them is of the language that is set
}

const maxLanguages = 32

// latinWords counts the Latin words that the packs of each language know; a word of several languages counts for less.
// If they are alone in the message it stops at a word of the language that is set, because then nothing changes.
func (t *tally) latinWords(msg *text.Message, set uint32, alone bool) {
	lexicon := packLexicon()
	tokens := msg.Tokens()
	for i := range tokens {
		length, ok := msg.PlainWord(i)
		if !ok {
			continue
		}
		t.words++
		mask := lexicon.Of(&tokens[i])
		if mask == 0 {
			continue
		}
		t.known++
		t.letters += int32(length)
		if t.present = t.present || mask&set != 0; t.present && alone {
			return
		}
		share := int32(27720 / bits.OnesCount32(mask)) // divided by every number of languages up to 12 without rest
		for ; mask != 0; mask &= mask - 1 {
			l := &t.of[bits.TrailingZeros32(mask)]
			l.words++
			l.share += share
		}
	}
}

// vote gives the language that most of the words speak for, "" for a tie.
func (t *tally) vote() string {
	if t.known == 0 {
		return ""
	}
	best, tie := 0, true
	for i := range languages {
		switch score := t.of[i].share; {
		case score > t.of[best].share:
			best, tie = i, false
		case score == t.of[best].share && i != best:
			tie = true
		}
	}
	if tie {
		return ""
	}
	return languages[best]
}

// change reports whether the words are enough to leave the language that is set for another.
func (t *tally) change(lang string) bool {
	return t.words >= wordsToChange && t.of[slices.Index(languages, lang)].words >= knownToChange && !t.present
}

// outvotes reports whether the Latin words of a message count, and not its other characters.
func outvotes(t *tally, lang string, letters int32) bool {
	switch lang {
	case "":
		return letters == 0
	case "zh":
		return t.known >= borrowedFrom
	}
	return t.letters > letters
}

// everyday is the class of words in a pack file by which its language is known.
const everyday = "everyday"

// packWords holds the Latin words of the packs with the set of languages that use them. A word that is an everyday word
// of some languages is of no other: French is not English because thanks may be a merci.
func packWords() map[string]uint32 {
	words, everydays := map[string]uint32{}, map[string]uint32{}
	for _, f := range packs.All() {
		if _, ok := f.Words[everyday]; !ok {
			continue // a language without Latin letters: what Latin words its pack holds are borrowed
		}
		bit := languageBit(f.Lang)
		add := func(to map[string]uint32, s string) {
			for _, w := range text.Words(s) {
				if r, size := utf8.DecodeRuneInString(w); len(w) > size && unicode.Is(unicode.Latin, r) {
					to[w] |= bit
				}
			}
		}
		for _, w := range f.Words[everyday] {
			add(everydays, w)
		}
		for _, class := range f.Words {
			for _, w := range class {
				add(words, w)
			}
		}
		for _, p := range f.Packs {
			for _, ph := range p.Phrases {
				add(words, ph.Text)
			}
		}
		for _, r := range f.Roles {
			for _, ph := range r.Phrases {
				add(words, ph.Text)
			}
		}
	}
	maps.Copy(words, everydays)
	for _, w := range []string{"pro", "max", "mini", "plus", "ultra", "air", "note"} {
		delete(words, w) // names of things, in every language
	}
	return words
}

// packLexicon is packWords for those who read messages.
var packLexicon = sync.OnceValue(func() *text.Lexicon { return text.NewLexicon(packWords()) })

// languageBit is the place of a language in a set, 0 for none.
func languageBit(lang string) uint32 {
	if i := slices.Index(languages, lang); i >= 0 {
		return 1 << i
	}
	return 0
}
