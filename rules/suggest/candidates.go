package suggest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"escalator/rules/packs"
	"escalator/rules/text"
)

const (
	// maxWords and maxChars bound a candidate: in words of scripts with spaces, and in characters of the others.
	maxWords, maxChars = 4, 8
	// maxGrams bounds the n-grams that are counted, some hundred bytes each.
	maxGrams = 300_000
	// leastCases is in how many cases a candidate must be: what only one customer said is their own affair.
	leastCases = 2
)

// gram is an n-gram of tokens in normal form.
type gram struct {
	text   string
	tokens int
	words  int     // of its tokens those that are words of a script with spaces
	missed []int32 // cases that hold it, of those that were missed
	quiet  int     // cases that hold it, of those in which nobody wanted a person
	edges  int     // how often it began or ended a clause
	named  bool    // so far it was always written with a capital
	last   int32   // the quiet case that was counted last, plus 1
	score  float64
}

// whole says that the whole message has to be it.
func (g *gram) whole() bool { return g.text[0] == '=' }

// alone says that it is too little for a phrase: a word by itself says nothing of what is asked.
func (g *gram) alone() bool { return !g.whole() && g.tokens == 1 }

// smallWords are the articles, prepositions and pronouns that $ask_human knows in its languages.
var smallWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, file := range packs.All() {
		for _, role := range file.Roles {
			if role.Role != "link" && role.Role != "fill" {
				continue
			}
			for _, phrase := range role.Phrases {
				addAlternatives(words, &file, phrase.Text)
			}
		}
	}
	return words
})

// addAlternatives adds the single words of which a phrase names one, such as those of (a|an|$articles).
func addAlternatives(words map[string]bool, file *packs.File, phrase string) {
	for word := range strings.FieldsFuncSeq(phrase, func(r rune) bool { return strings.ContainsRune("(|)?", r) }) {
		name, class := strings.CutPrefix(word, "$")
		if !class {
			words[text.Normalize(word)] = true
			continue
		}
		for _, of := range file.Words[name] {
			addAlternatives(words, file, of)
		}
	}
}

// says reports whether some word of it means something by itself.
func (g *gram) says() bool {
	small := smallWords()
	return g.words == 0 || slices.ContainsFunc(strings.Fields(strings.TrimPrefix(g.text, "=")), func(word string) bool { return !small[word] })
}

// roleWord says that it may be a word of a role: one word, or a few characters.
func (g *gram) roleWord() bool {
	if g.words > 0 {
		return g.tokens == 1 && !g.whole() && len(g.text) > 2
	}
	return g.tokens > 1 && g.tokens <= maxWords && !g.whole()
}

// reader cuts messages into n-grams.
type reader struct{ msg text.Message }

// each gives the n-grams of a message, and the message itself where it is short. Words that hold a digit, or that
// masking left, are in none.
func (r *reader) each(said string, use func(key string, g *gram)) {
	m := &r.msg
	m.ResetCustomer(said)
	tokens := m.Tokens()
	seen := map[string]bool{}
	for i := range tokens {
		g := gram{named: true}
		for j := i; j < len(tokens) && m.Clause(j) == m.Clause(i); j++ {
			word := m.Word(j)
			if !proper(word) {
				break
			}
			if g.text != "" && (tokens[j].IsWord() || tokens[j-1].IsWord()) {
				g.text += " "
			}
			g.text += word
			g.tokens++
			if tokens[j].IsWord() {
				g.words++
			}
			if g.words > maxWords || g.tokens > maxChars || len(g.text) > 120 {
				break
			}
			first, _ := utf8.DecodeRuneInString(said[min(int(tokens[j].Start), len(said)):])
			g.named = g.tokens == 1 && i > 0 && unicode.IsUpper(first)
			g.edges = 0
			if i == 0 || m.Clause(i-1) != m.Clause(i) {
				g.edges++
			}
			if j+1 == len(tokens) || m.Clause(j+1) != m.Clause(j) {
				g.edges++
			}
			if !seen[g.text] {
				seen[g.text] = true
				use(g.text, &g)
			}
			if i == 0 && j+1 == len(tokens) {
				whole := g
				whole.text = "=" + g.text
				use(whole.text, &whole)
			}
		}
	}
}

// proper says that a token may be a part of a candidate: it has letters and no digit.
func proper(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
}

// grams counts the n-grams of what was missed, and how often they are in what is quiet. whole is false where memory or
// time did not suffice for all.
func grams(ctx context.Context, cases []Case, missed, quiet []int32) (ranked []*gram, whole bool) {
	all, r := map[string]*gram{}, &reader{}
	whole = true
	for _, i := range missed {
		for _, said := range cases[i].texts {
			r.each(said, func(key string, g *gram) {
				known := all[key]
				switch {
				case known == nil && len(all) >= maxGrams:
					whole = false
					return
				case known == nil:
					kept := *g
					known = &kept
					all[key] = known
				default:
					known.edges += g.edges
					known.named = known.named && g.named
				}
				if n := len(known.missed); n == 0 || known.missed[n-1] != i {
					known.missed = append(known.missed, i)
				}
			})
		}
		if ctx.Err() != nil {
			return nil, false
		}
	}
	for key, g := range all {
		if customers(cases, g.missed) < leastCases {
			delete(all, key)
		}
	}
	for _, i := range quiet {
		if ctx.Err() != nil {
			return nil, false
		}
		for _, said := range cases[i].texts {
			r.each(said, func(key string, g *gram) {
				if known := all[key]; known != nil {
					known.named = known.named && g.named
					if known.last != i+1 {
						known.last = i + 1
						known.quiet++
					}
				}
			})
		}
	}
	for _, g := range all {
		if g.named && g.alone() || !g.says() { // it looks like a name, or says nothing
			continue
		}
		g.score = logOdds(len(g.missed), g.quiet, len(missed), len(quiet))
		ranked = append(ranked, g)
	}
	slices.SortFunc(ranked, better)
	return ranked, whole
}

// customers counts of how many customers the cases are; a case without a customer counts for one.
func customers(cases []Case, of []int32) (n int) {
	seen := map[string]bool{}
	for _, i := range of {
		if user := cases[i].user; user != "" {
			seen[user] = true
		} else {
			n++
		}
	}
	return n + len(seen)
}

// logOdds is how much more likely a word is in missed cases than in quiet ones: the logarithm of the ratio of the odds, with
// the counts of both together as the Dirichlet prior, divided by its standard deviation (Monroe, Colaresi, Quinn 2008).
// The prior weighs as much as the data. With less a word that is in no quiet case would come behind one that is in a
// single one, because the deviation of nothing is large.
func logOdds(missed, quiet, ofMissed, ofQuiet int) float64 {
	prior, priors := float64(missed+quiet), float64(ofMissed+ofQuiet)
	odds := func(n, of int) float64 {
		with := float64(n) + prior
		return math.Log(with / max(float64(of)+priors-with, 0.5))
	}
	deviation := math.Sqrt(1/(float64(missed)+prior) + 1/(float64(quiet)+prior))
	return (odds(missed, ofMissed) - odds(quiet, ofQuiet)) / deviation
}

// better orders candidates: by score; those that are in the same number of cases by how often they are a clause's beginning or
// end, then the one of the more usual length for a phrase.
func better(a, b *gram) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.edges, a.edges), cmp.Compare(a.oddLength(), b.oddLength()), strings.Compare(a.text, b.text))
}

// oddLength is how far it is from three words, or four characters.
func (g *gram) oddLength() int {
	usual := 4
	if g.words > 0 {
		usual = 3
	}
	n := g.tokens
	if g.whole() { // it generalises least
		n += maxChars
	}
	return max(n-usual, usual-n)
}
