package text

import (
	"fmt"
	"slices"

	"escalator/rules/lang"
)

// Limits of one phrase. They are far above what a person writes, and keep what
// a phrase can cost within bounds.
const (
	maxPhraseTokens = 20000 // words and characters written, in all alternatives together
	maxPhraseLength = 256   // words and characters in a row that one hit can hold
	maxPhraseDepth  = 32    // groups within groups
	maxPhraseBytes  = 1 << 18
)

// A SyntaxError says what is wrong with a phrase, where, and what to write.
type SyntaxError struct {
	Offset  int // byte of the phrase as written
	Message lang.Text
	Hint    lang.Text
	Class   *Class // the error is in a phrase of this class, which is named at Offset
}

func (e *SyntaxError) Error() string {
	if e.Hint == "" {
		return fmt.Sprintf("phrase, byte %d: %s", e.Offset, e.Message)
	}
	return fmt.Sprintf("phrase, byte %d: %s (%s)", e.Offset, e.Message, e.Hint)
}

// A phrase is what the parser makes of one entry of a list.
type phrase struct {
	src     string
	options Options
	seq     sequence
	re      *pattern // instead of seq
	whole   bool
	gap     bool // it holds a gap
	role    wordRole
	frame   bool // it is a frame, and instead of words it has words of roles
}

// searched reports whether a phrase is looked for in the automaton.
func (ph *phrase) searched() bool { return ph.re == nil && !ph.frame }

// A sequence is items one after the other.
type sequence struct {
	items []item
	tail  uint8 // the break written behind the last item
	anchored
}

type itemKind uint8

const (
	itemToken itemKind = iota
	itemGroup
	itemGap
)

// An item is a token, a group of alternatives or a gap.
type item struct {
	kind     itemKind
	lead     uint8      // the break written before it
	flags    tokenFlags // of a token
	prefix   bool       // a token with any ending
	optional bool       // a group
	spaced   bool       // one space may stand before it: see markSpaced
	named    bool       // a group that a $name stands for
	offset   int32      // byte in the source
	word     int32      // of a token, in lexicon.words or lexicon.prefixes
	group    *group
}

// A group is the alternatives between two parentheses. Groups that are written
// alike, in whatever phrases, are one group.
type group struct {
	alts   []sequence
	shape  shape
	height int // how deep groups are nested in it
	uses   int // in how many places it is written
	size   int // words in it, those of the classes that it names included
	han    int // see lexicon.hanIn

	weight        int64   // see lexicon.weight; 0 if it is not known yet
	firsts, lasts []int32 // see lexicon.outerOf
}

// A lexicon holds what the phrases of a file share: words and groups.
type lexicon struct {
	words       []wordEntry
	prefixes    []wordEntry
	wordIDs     map[uint64]int32 // by hash, which is all that a table knows of a word
	prefixIDs   map[uint64]int32
	groups      map[groupSource]*group
	classes     map[*Class]*group
	left, right []int32 // working memory of beside
	items       []item  // room for those to come
	tokens      int     // that were written
}

// A groupSource is the text between two parentheses, and what the names in it mean.
type groupSource struct {
	text  string
	names Names
}

func newLexicon() *lexicon {
	return &lexicon{wordIDs: map[uint64]int32{}, prefixIDs: map[uint64]int32{}, groups: map[groupSource]*group{}, classes: map[*Class]*group{}}
}

// entry returns the entry of a token item.
func (l *lexicon) entry(it *item) *wordEntry {
	if it.prefix {
		return &l.prefixes[it.word]
	}
	return &l.words[it.word]
}

// room makes room for n items of a sequence that has none: most never have more, and they share memory.
func (l *lexicon) room(seq *sequence, n int) {
	if seq.items != nil {
		return
	}
	if len(l.items) < n {
		l.items = make([]item, max(n, 512))
	}
	seq.items, l.items = l.items[:0:n], l.items[n:]
}

// intern returns the number of a word, which is new at the end of entries if it
// is not in ids.
func intern(entries *[]wordEntry, ids map[uint64]int32, key []byte, hash uint64) int32 {
	id, ok := ids[hash]
	if !ok {
		id = int32(len(*entries))
		word := string(key)
		ids[hash] = id
		*entries = append(doubled(*entries), wordEntry{
			hash: hash, key: word, exact: -1, near: -1,
			forgivable: forgivable(word), weight: weigh(word, hash),
		})
	}
	return id
}

// doubled makes room in a full slice. What is large and soon done with leaves less behind so than by append.
func doubled[T any](s []T) []T {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(64, len(s)))
}

// A shape is what can be said of a sequence without a message.
type shape struct {
	empty  bool // it can be nothing
	tokens int  // written
	length int  // the longest hit
	first  int  // offset of a gap that can begin it, or -1
	last   int  // offset of a gap that can end it, or -1
	gap    bool
}

func (s *sequence) shape() shape {
	total := shape{empty: true, first: -1, last: -1}
	for i := range s.items {
		total = total.then(s.items[i].shape())
	}
	return total
}

func (it *item) shape() shape {
	switch it.kind {
	case itemToken:
		return shape{tokens: 1, length: 1, first: -1, last: -1}
	case itemGap:
		return shape{empty: true, first: int(it.offset), last: int(it.offset), gap: true}
	case itemGroup:
	}
	sh := it.group.shape
	if it.named {
		sh = sh.seenFrom(int(it.offset))
	}
	sh.empty = sh.empty || it.optional
	return sh
}

// newGroup makes a group of alternatives. What is asked about a group again and
// again is found out once: groups hold groups, and classes name each other, so
// whoever walked down each time would not come to an end.
func (l *lexicon) newGroup(alts []sequence, height int) *group {
	g := &group{alts: alts, shape: newGroupShape(alts), height: height, uses: 1, han: l.leastHan(alts)}
	for i := range alts {
		for k := range alts[i].items {
			switch it := &alts[i].items[k]; it.kind {
			case itemToken:
				g.size++
			case itemGroup:
				g.size = min(g.size+it.group.size, maxPhraseTokens)
			case itemGap:
			}
		}
	}
	return g
}

// newGroupShape is the shape of the alternatives taken together.
func newGroupShape(alts []sequence) shape {
	either := shape{first: -1, last: -1}
	for i := range alts {
		alt := alts[i].shape()
		either.empty = either.empty || alt.empty
		either.tokens += alt.tokens
		either.length = max(either.length, alt.length)
		either.first = max(either.first, alt.first)
		either.last = max(either.last, alt.last)
		either.gap = either.gap || alt.gap
	}
	return either
}

// then is the shape of a followed by b.
func (a shape) then(b shape) shape {
	ab := shape{
		empty:  a.empty && b.empty,
		tokens: a.tokens + b.tokens,
		length: min(a.length+b.length, maxPhraseLength+1),
		first:  a.first,
		last:   b.last,
		gap:    a.gap || b.gap,
	}
	if a.empty {
		ab.first = max(ab.first, b.first)
	}
	if b.empty {
		ab.last = max(ab.last, a.last)
	}
	return ab
}

// check reports what is wrong with a sequence as a whole phrase.
func (a shape) check() *SyntaxError {
	switch {
	case a.tokens == 0 && a.gap:
		return &SyntaxError{Offset: a.first, Message: "there is nothing but a gap", Hint: "put a word on each side of `..`"}
	case a.tokens == 0:
		return &SyntaxError{
			Offset: 0, Message: "nothing is left of this phrase in the normal form",
			Hint: "it holds no letter or digit; for marks and emoji write a regular expression such as /[?]{3}/",
		}
	case a.first >= 0:
		return &SyntaxError{Offset: a.first, Message: "a gap at the beginning", Hint: "put a word that must be there before `..`, or leave the gap out"}
	case a.last >= 0:
		return &SyntaxError{Offset: a.last, Message: "a gap at the end", Hint: "put a word that must be there behind `..`, or leave the gap out"}
	case a.empty:
		return &SyntaxError{Offset: 0, Message: "everything in this phrase is optional", Hint: "take the `?` off one group"}
	case a.tokens > maxPhraseTokens:
		return &SyntaxError{Offset: 0, Message: "this phrase is too complex", Hint: "split it into several phrases"}
	case a.length > maxPhraseLength:
		return &SyntaxError{Offset: 0, Message: lang.Say("this phrase is longer than %d words or characters", maxPhraseLength), Hint: "keep the words that matter and put `..` between them"}
	}
	return nil
}

// plain reports whether the phrase is words and nothing else.
func (ph *phrase) plain() bool {
	return ph.re == nil && !ph.whole && !ph.frame && !slices.ContainsFunc(ph.seq.items, func(it item) bool { return it.kind != itemToken || it.prefix })
}
