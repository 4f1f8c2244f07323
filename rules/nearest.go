package rules

import "strings"

// nearest finds the word that a person most likely meant, "" if none is near enough to be worth a guess.
func nearest(word string, words []string) string {
	best, bestDistance := "", len([]rune(word))/3+1
	folded := fold(word)
	for _, w := range words {
		if fold(w) == folded {
			return w
		}
		if d := distance([]rune(folded), []rune(fold(w))); d < bestDistance || d == bestDistance && best == "" {
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

// distance counts the inserted, deleted, replaced and swapped letters between two words.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean words a guess, "" if there is none.
func didYouMean(word string, words []string) string {
	if w := nearest(word, words); w != "" {
		return "did you mean " + w + "?"
	}
	return ""
}

// orList words a list of valid words: "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
