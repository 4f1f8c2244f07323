package rules

import (
	"strings"

	"escalator/rules/lang"
	"escalator/rules/text"
)

// nearest finds the word that a person most likely meant, "" if none is near enough to be worth a guess.
func nearest(word string, words []string) string {
	best, bestDistance := "", len([]rune(word))/3+1
	folded := fold(word)
	for _, w := range words {
		if fold(w) == folded {
			return w
		}
		if d := text.Distance(folded, fold(w), bestDistance); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = w, d
		}
	}
	if best == "" {
		return within1(folded, words)
	}
	return best
}

// within1 finds a word that begins with, or is the beginning of, what was written.
func within1(folded string, words []string) string {
	if len(folded) < 3 {
		return ""
	}
	for _, w := range words {
		f := fold(w)
		if len(f) >= 3 && (strings.HasPrefix(f, folded) || strings.HasPrefix(folded, f)) {
			return w
		}
	}
	return ""
}

// fold makes words alike that differ only in case, - and _.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
}

// DidYouMean guesses which of the words a person meant who mistyped one, in words such as "did you mean check?"; "" if
// none is near enough.
func DidYouMean(word string, words []string) lang.Text {
	if w := nearest(word, words); w != "" {
		return lang.Say("did you mean %s?", w)
	}
	return ""
}

// orList words a list of valid words: "a, b or c".
func orList(words []string) lang.Text {
	texts := make([]lang.Text, len(words))
	for i, w := range words {
		texts[i] = lang.Raw(w)
	}
	return either(texts)
}

// either is orList for words that are said differently in each language.
func either(words []lang.Text) lang.Text {
	if len(words) < 2 {
		return lang.Join("", words...)
	}
	return lang.Say("%s or %s", lang.Join(", ", words[:len(words)-1]...), words[len(words)-1])
}
