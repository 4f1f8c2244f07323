package text

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Bounds of the forgiveness for typing errors.
const (
	oneTypo       = 5   // letters of a word in which one edit is forgiven
	twoTypos      = 9   // letters of a word in which two are
	maxEdits      = 2   // edits that are ever forgiven
	maxTypoWord   = 24  // longer words must be typed right
	maxNear       = 16  // how many words one typed word can stand for
	maxVariant    = 16  // how many words one deletion variant remembers, the first ones
	perBucketBits = 2   // log2 of how many variants there are for one bucket of the index, at most
	maxBucket     = 255 // how many entries one bucket of the index holds
	maxCandidates = 64  // how many words are compared with one typed word
)

// typosIn returns how many edits a word of n letters may be away.
func typosIn(n int) int {
	switch {
	case n > maxTypoWord || n < oneTypo:
		return 0
	case n < twoTypos:
		return 1
	}
	return 2
}

// A typoIndex finds the words near a typed word by their deletion
// neighbourhoods: if two words are d edits apart, deleting at most d letters
// from each makes them equal. So each word is filed under all the words that
// deleting up to d letters leaves, a typed word is looked up by its own, and
// what is found is compared letter by letter.
type typoIndex struct {
	words   []nearWord
	letters []rune   // of all words
	filter  []uint64 // one bit for each variant: nearly every look-up ends here
	start   []uint32 // of each bucket in entries
	entries []uint32 // 1 + the number of a word, and above that a part of the variant's hash; 0 is free
	numbers uint32   // the bits of an entry that are the number
	bits    uint
	two     bool // some word forgives two edits
}

type nearWord struct {
	hash    uint64
	symbol  int32
	letters span // in typoIndex.letters
}

// addWords picks the words in which typing errors are forgiven.
func (x *typoIndex) addWords(words []wordEntry) {
	n, letters := 0, 0
	for _, e := range words {
		if e.near >= 0 {
			n, letters = n+1, letters+utf8.RuneCountInString(e.key)
		}
	}
	x.words, x.letters = make([]nearWord, 0, n), make([]rune, 0, letters)
	for _, e := range words {
		if e.near < 0 {
			continue
		}
		from := len(x.letters)
		for _, r := range e.key {
			x.letters = append(x.letters, r)
		}
		x.words = append(x.words, nearWord{e.hash, e.near, span{int32(from), int32(len(x.letters))}})
	}
}

// lettersOf are those of a word.
func (x *typoIndex) lettersOf(w *nearWord) []rune { return x.letters[w.letters.from:w.letters.to] }

// powers[k] is typoBase to the k.
var powers = func() (p [maxTypoWord + 4]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * typoBase
	}
	return p
}()

const typoBase = 0x8ebc6af09c88c6e3

// A variants makes the hashes of a word with letters deleted, each in constant
// time: the hash is a polynomial, so that it can be put together from those of
// the pieces.
type variants struct {
	word []rune
	pre  [maxTypoWord + 3]uint64 // pre[i] is the hash of word[:i]
}

func (v *variants) reset(word []rune) {
	v.word, v.pre[0] = word, 0
	for i, c := range word {
		v.pre[i+1] = v.pre[i]*typoBase + uint64(c) + 1
	}
}

// piece is the hash of word[i:j].
func (v *variants) piece(i, j int) uint64 { return v.pre[j] - v.pre[i]*powers[j-i] }

// each calls f with the hash of every variant with at most d letters deleted.
// Of a run of equal letters only the first is deleted alone.
func (v *variants) each(d int, f func(h uint64)) {
	n := len(v.word)
	f(v.pre[n])
	for i := range n {
		if i == 0 || v.word[i] != v.word[i-1] {
			f(v.pre[i]*powers[n-1-i] + v.piece(i+1, n))
		}
	}
	if d < 2 {
		return
	}
	for i := range n {
		head := v.pre[i]
		for j := i + 1; j < n; j++ {
			// head is the hash of word[:j] without letter i.
			f(head*powers[n-1-j] + v.piece(j+1, n))
			head = head*typoBase + uint64(v.word[j]) + 1
		}
	}
}

// newTypoIndex files the words in which typing errors are forgiven; nil: there are none.
func newTypoIndex(words []wordEntry) *typoIndex {
	x := &typoIndex{}
	if x.addWords(words); len(x.words) == 0 {
		return nil
	}
	most := 0
	for i := range x.words {
		n := int(x.words[i].letters.to - x.words[i].letters.from)
		if most += 1 + n; typosIn(n) == 2 {
			most += n * (n - 1) / 2
			x.two = true
		}
	}
	for x.bits = 4; most > 1<<(x.bits+perBucketBits); x.bits++ {
	}
	x.numbers = 1<<bits.Len(uint(len(x.words))) - 1
	x.filter = make([]uint64, 1<<(x.bits+perBucketBits)>>3) // 8 bits or more for each variant
	x.start = make([]uint32, 1<<x.bits+1)
	x.variants(func(h uint64, _ uint32) { x.start[h>>(64-x.bits)+1]++ })
	for i := 1; i < len(x.start); i++ {
		x.start[i] += x.start[i-1]
	}
	x.entries = make([]uint32, x.start[len(x.start)-1])
	used := make([]uint8, 1<<x.bits)
	x.variants(func(h uint64, id uint32) { x.file(h, id, used) })
	return x
}

// variants calls f with every variant of every word.
func (x *typoIndex) variants(f func(hash uint64, id uint32)) {
	var v variants
	for id := range x.words {
		letters := x.lettersOf(&x.words[id])
		v.reset(letters)
		v.each(typosIn(len(letters)), func(h uint64) { f(h*hashPrime, uint32(id)) })
	}
}

// file puts one variant of a word into its bucket.
func (x *typoIndex) file(hash uint64, id uint32, used []uint8) {
	b := hash >> (64 - x.bits)
	entry, start := uint32(hash)&^x.numbers|(id+1), x.start[b]
	same := 0
	for _, e := range x.entries[start : start+uint32(used[b])] {
		if (e^entry)&^x.numbers == 0 {
			if same++; same == maxVariant || e == entry {
				return
			}
		}
	}
	if used[b] == maxBucket {
		return
	}
	x.entries[start+uint32(used[b])] = entry
	used[b]++
	bit := x.filterBit(hash)
	x.filter[bit>>6] |= 1 << (bit & 63)
}

func (x *typoIndex) filterBit(hash uint64) uint64 { return hash >> (64 - x.bits - perBucketBits - 3) }

// A nearest collects the nearest words to a typed one.
type nearest struct {
	typed   []rune
	letters [maxTypoWord + 3]rune // of typed
	v       variants
	seen    [maxCandidates]uint32
	tried   int
	best    int
	ids     [maxNear]uint32
	n       int
}

func (q *nearest) reset() { q.n, q.best = 0, maxEdits+1 }

// find leaves in q the words that are nearest to the typed one, of those that
// it is near enough to, and of those that were there.
func (x *typoIndex) find(q *nearest, typed []byte) {
	q.tried = 0
	if !q.read(typed) {
		return
	}
	n, d := len(q.typed), 1
	if x.two && n >= twoTypos-2 {
		d = 2
	}
	q.v.reset(q.typed)
	q.v.each(d, func(h uint64) { x.probe(q, h) })
}

// read takes a typed word apart. It is false for one that is too short or too
// long, or holds what is no letter of a script whose typing errors are forgiven,
// except for digits among letters.
func (q *nearest) read(typed []byte) bool {
	n, digits := 0, 0
	for len(typed) > 0 {
		r, size := rune(typed[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(typed)
		}
		if n == maxTypoWord+maxEdits {
			return false
		}
		switch {
		case 'a' <= r && r <= 'z':
		case '0' <= r && r <= '9':
			digits++
		case !forgiven(r):
			return false
		}
		q.letters[n] = r
		n++
		typed = typed[size:]
	}
	q.typed = q.letters[:n]
	return n >= oneTypo-1 && digits < n
}

// forgiven reports whether r is a letter, or a sign that is written with one,
// of a script in whose words typing errors are forgiven.
func forgiven(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return 'a' <= r && r <= 'z'
	case r >= 0x660 && r <= 0x669, r >= 0x6f0 && r <= 0x6f9, r >= 0x966 && r <= 0x96f: // digits
		return false
	}
	s := scriptOf(r)
	return s == Latin || s == Cyrillic || s == Greek || s == Arabic || s == Devanagari
}

// forgivable reports whether typing errors in a word of a phrase may be
// forgiven: it is of such letters and long enough.
func forgivable(word string) bool {
	n := 0
	for _, r := range word {
		if !forgiven(r) {
			return false
		}
		n++
	}
	return typosIn(n) > 0
}

// probe compares the words of one variant.
func (x *typoIndex) probe(q *nearest, h uint64) {
	h *= hashPrime
	if bit := x.filterBit(h); x.filter[bit>>6]>>(bit&63)&1 == 0 {
		return
	}
	b := h >> (64 - x.bits)
	for _, e := range x.entries[x.start[b]:x.start[b+1]] {
		if e == 0 {
			break
		}
		if (e^uint32(h))&^x.numbers == 0 {
			q.try(x, e&x.numbers-1)
		}
	}
}

func (q *nearest) try(x *typoIndex, id uint32) {
	if q.tried == maxCandidates {
		return
	}
	if slices.Contains(q.seen[:q.tried], id) {
		return
	}
	q.seen[q.tried] = id
	q.tried++
	word := x.lettersOf(&x.words[id])
	limit := min(typosIn(len(word)), q.best)
	d := editDistance(word, q.typed, limit)
	switch {
	case d > limit || d == 0:
		return
	case d < q.best:
		q.best, q.n = d, 0
	}
	if q.n < maxNear && !slices.Contains(q.ids[:q.n], id) {
		q.ids[q.n] = id
		q.n++
	}
}

// Distance counts the edits between two words: inserted, deleted, replaced
// letters and swapped neighbours, none edited twice. It is for hints about
// misspelt names, and some number above limit if the distance is.
func Distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if max(len(x), len(y)) > 250 { // nobody misspells a word so long
		return limit + 1
	}
	return editDistance(x, y, limit)
}

// editDistance is the optimal string alignment distance of two words: inserted,
// deleted, replaced letters and swapped neighbours, none edited twice. It is
// some number above limit if the distance is.
func editDistance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var rows [3][maxTypoWord + 3]uint8
	before, last, row := rows[0][:], rows[1][:], rows[2][:]
	if len(b) >= len(row) { // of a message no word is so long
		before, last, row = make([]uint8, len(b)+1), make([]uint8, len(b)+1), make([]uint8, len(b)+1)
	}
	for j := range len(b) + 1 {
		last[j] = uint8(j)
	}
	for i := range len(a) {
		row[0] = uint8(i + 1)
		least := row[0]
		for j := range len(b) {
			cost := uint8(1)
			if a[i] == b[j] {
				cost = 0
			}
			d := min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
			least = min(least, d)
		}
		if int(least) > limit+1 {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return int(last[len(b)])
}
