package text

import "unicode/utf8"

// A vocabulary tells which symbols of the automaton a token is. A symbol is a
// word of a phrase in one of three roles: typed right, typed with errors
// forgiven, or as the beginning of a word.
type vocabulary struct {
	words    table
	prefixes table
	lengths  uint64 // bit n: some prefix has n bytes (63: or more)
	near     *typoIndex
	common   *wordSet
}

// A wordEntry is one word and its symbols, or -1.
type wordEntry struct {
	hash  uint64
	key   string
	exact int32 // the symbol of phrases that want it typed right
	near  int32 // the symbol of phrases that forgive typing errors
}

// A table is a set of words with open addressing behind a filter of one bit a
// word, which fits the first-level cache and turns most words of a message away.
type table struct {
	entries []wordEntry
	slots   []int32 // index of an entry plus 1
	filter  []uint64
	shift   uint
}

// newTable makes the table of the entries, which are distinct.
func newTable(entries []wordEntry) table {
	bits := uint(6)
	for 1<<bits < 2*len(entries) {
		bits++
	}
	t := table{entries: entries, slots: make([]int32, 1<<bits), filter: make([]uint64, 1<<bits>>4), shift: 64 - bits}
	for i := range entries {
		h := entries[i].hash
		at := h >> t.shift
		for t.slots[at] != 0 {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = int32(i + 1)
		bit := t.filterBit(h)
		t.filter[bit>>6] |= 1 << (bit & 63)
	}
	return t
}

// filterBit takes 4 times as many bits as there are slots to choose from.
func (t *table) filterBit(h uint64) uint64 { return h >> (t.shift - 2) }

// may is false for most words that are not in the table.
func (t *table) may(h uint64) bool {
	bit := t.filterBit(h)
	return t.filter[bit>>6]>>(bit&63)&1 != 0
}

// find returns the entry of a word, or nil.
func (t *table) find(h uint64, key []byte) *wordEntry {
	if !t.may(h) {
		return nil
	}
	for at := h >> t.shift; t.slots[at] != 0; at = (at + 1) & uint64(len(t.slots)-1) {
		e := &t.entries[t.slots[at]-1]
		if e.hash == h && e.key == string(key) {
			return e
		}
	}
	return nil
}

// A reading is a symbol that a token is read as, and with how many edits.
type reading struct {
	symbol int32
	typos  uint8
}

// read appends the symbols of token i to dst.
func (v *vocabulary) read(m *Message, i int, dst []reading) []reading {
	t := &m.tokens[i]
	if t.flags&drawnToken != 0 {
		return v.readDrawn(m, t, dst)
	}
	n, word := len(dst), m.word(i)
	if v.words.may(t.hash) || v.lengths != 0 {
		dst = v.readExact(t.hash, word, t.IsWord(), dst)
	}
	if len(dst) > n || v.near == nil || !t.IsWord() || len(word) < oneTypo-1 || v.common.has(t.hash) {
		return dst
	}
	q := &m.search.near
	q.reset()
	v.near.find(q, word)
	return v.readNear(q, dst)
}

// readExact appends the symbols of a word that is typed right, and of its
// beginnings.
func (v *vocabulary) readExact(hash uint64, word []byte, isWord bool, dst []reading) []reading {
	if e := v.words.find(hash, word); e != nil {
		if e.exact >= 0 {
			dst = append(dst, reading{e.exact, 0})
		}
		if e.near >= 0 {
			dst = append(dst, reading{e.near, 0})
		}
	}
	if v.lengths != 0 && isWord {
		dst = v.readPrefixes(word, dst)
	}
	return dst
}

// readPrefixes appends the symbols of the prefixes that a word has.
func (v *vocabulary) readPrefixes(word []byte, dst []reading) []reading {
	h := uint64(hashSeed)
	for k, c := range word {
		h = (h ^ uint64(c)) * hashPrime
		if v.lengths>>min(k+1, 63)&1 == 0 {
			continue
		}
		if e := v.prefixes.find(h, word[:k+1]); e != nil {
			dst = append(dst, reading{e.exact, 0})
		}
	}
	return dst
}

// readNear appends the symbols of the words that were found near.
func (v *vocabulary) readNear(q *nearest, dst []reading) []reading {
	for _, id := range q.ids[:q.n] {
		dst = append(dst, reading{v.near.words[id].symbol, uint8(q.best)})
	}
	return dst
}

// readDrawn is read for a word with letters drawn out: each such pair may also
// stand for one letter, and that is no typing error.
func (v *vocabulary) readDrawn(m *Message, t *Token, dst []reading) []reading {
	n, common := len(dst), false
	m.spellings(t, func(word []byte) {
		h := hashOn(hashSeed, word)
		dst = v.readExact(h, word, true, dst)
		common = common || v.common.has(h)
	})
	if len(dst) > n || v.near == nil || common {
		return dst
	}
	q := &m.search.near
	q.reset()
	m.spellings(t, func(word []byte) { v.near.find(q, word) })
	return v.readNear(q, dst)
}

// maxPairs is how many pairs of drawn-out letters of a word are tried as one
// letter and as two; more are one letter.
const maxPairs = 5

// spellings calls f with the spellings of a word with letters drawn out, which
// it must not keep.
func (m *Message) spellings(t *Token, f func(word []byte)) {
	var pairs []int32
	for _, at := range m.drawn {
		if at > t.key && at < t.keyEnd {
			pairs = append(pairs, at)
		}
	}
	for double := range 1 << min(len(pairs), maxPairs) {
		word, from := m.search.spelling[:0], t.key
		for k, at := range pairs {
			if k >= maxPairs || double>>k&1 == 0 {
				word = append(word, m.buf[from:at]...)
				_, size := utf8.DecodeRune(m.buf[at:])
				from = at + int32(size)
			}
		}
		m.search.spelling = append(word, m.buf[from:t.keyEnd]...)
		f(m.search.spelling)
	}
}
