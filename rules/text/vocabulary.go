package text

import (
	"slices"
	"unicode/utf8"
)

// A vocabulary tells which symbols of the automaton a token is. A symbol is a
// word of a phrase in one of three roles: typed right, typed with errors
// forgiven, or as the beginning of a word.
type vocabulary struct {
	words    table
	prefixes table
	lengths  uint64 // bit n: some prefix has n bytes (63: or more)
	heads    heads
	near     *typoIndex
	common   *wordSet
	marks    []mark    // by symbol
	sets     []buckets // of marks
	pairs    pairTable
}

// A mark says of a symbol whether it is a word of a phrase that can fill a message with others, and which place the
// buckets of the anchor that it is have in vocabulary.sets: 0 if it is none.
type mark uint16

const fillsMark mark = 1 << 15

// vocabulary makes the vocabulary of all phrases.
func (c *compiler) vocabulary(fills []bool) *vocabulary {
	unused := func(e wordEntry) bool { return e.exact < 0 && e.near < 0 }
	words := slices.DeleteFunc(slices.Clone(c.lex.words), unused)
	prefixes := slices.DeleteFunc(slices.Clone(c.lex.prefixes), unused)
	v := &vocabulary{words: newTable(words), prefixes: newTable(prefixes), pairs: newPairTable(c.pairs)}
	for _, e := range prefixes {
		v.lengths |= 1 << min(len(e.key), 63)
		v.heads.add(e.key)
	}
	v.mark(slices.Concat(words, prefixes), fills)
	if v.near = newTypoIndex(words); v.near != nil {
		v.common = commonWords()
	}
	return v
}

// mark makes the marks of all symbols.
func (v *vocabulary) mark(entries []wordEntry, fills []bool) {
	v.marks, v.sets = make([]mark, len(fills)), []buckets{0, everyBucket}
	places := map[buckets]mark{0: 0, everyBucket: 1}
	for _, e := range entries {
		place, known := places[e.buckets]
		if !known {
			if place = mark(len(v.sets)); place >= fillsMark {
				place = 1 // it costs time only
			} else {
				places[e.buckets], v.sets = place, append(v.sets, e.buckets)
			}
		}
		for _, symbol := range []int32{e.exact, e.near} {
			if symbol >= 0 {
				v.marks[symbol] = place
			}
		}
	}
	for symbol, fills := range fills {
		if fills {
			v.marks[symbol] |= fillsMark
		}
	}
}

// A wordEntry is one word and its symbols, or -1.
type wordEntry struct {
	hash  uint64
	key   string
	exact int32 // the symbol of phrases that want it typed right
	near  int32 // the symbol of phrases that forgive typing errors

	weight     int32   // see weigh
	forgivable bool    // typing errors in it may be forgiven
	buckets    buckets // of the phrases that it is an anchor of
}

// A table is a set of words with open addressing behind a filter of one bit a
// word, which fits the first-level cache and turns most words of a message away.
// A word is known by its hash: of 64 bits, no two words that anybody writes
// share it. So a look touches one cache line, and no word.
type table struct {
	slots  []wordSlot
	filter []uint64
	shift  uint
}

// A wordSlot is a word and its symbols, or -1. A free one has neither.
type wordSlot struct {
	hash        uint64
	exact, near int32
}

func (s *wordSlot) free() bool { return s.exact&s.near < 0 }

// newTable makes the table of the entries, which are distinct.
func newTable(entries []wordEntry) table {
	bits := uint(6)
	for 3<<bits < 4*len(entries) {
		bits++
	}
	t := table{slots: make([]wordSlot, 1<<bits), filter: make([]uint64, 1<<bits>>3), shift: 64 - bits}
	for i := range t.slots {
		t.slots[i] = wordSlot{exact: -1, near: -1}
	}
	for _, e := range entries {
		at := e.hash >> t.shift
		for !t.slots[at].free() {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = wordSlot{e.hash, e.exact, e.near}
		bit := t.filterBit(e.hash)
		t.filter[bit>>6] |= 1 << (bit & 63)
	}
	return t
}

// filterBit takes 8 times as many bits as there are slots to choose from.
func (t *table) filterBit(h uint64) uint64 { return h >> (t.shift - 3) }

// find returns the slot of a word, or nil. For most words that are not in the
// table it looks at the filter only.
func (t *table) find(h uint64) *wordSlot {
	if bit := t.filterBit(h); t.filter[bit>>6]>>(bit&63)&1 == 0 {
		return nil
	}
	for at := h >> t.shift; ; at = (at + 1) & uint64(len(t.slots)-1) {
		switch s := &t.slots[at]; {
		case s.free():
			return nil
		case s.hash == h:
			return s
		}
	}
}

// A reading is a symbol that a token is read as, and with how many edits.
type reading struct {
	symbol int32
	typos  uint8
}

// readAll reads all tokens, and notes the buckets of their anchors, and whether phrases may fill the message.
func (v *vocabulary) readAll(m *Message) {
	s := &m.search
	readings, ends, has, filled := s.readings[:0], s.ends[:0], buckets(0), true
	last, near := uint64(0), s.meant[:0] // the last token, and the words that it is read as if it was typed wrong
	for i := range m.tokens {
		t, known := &m.tokens[i], len(readings)
		if t.flags&drawnToken == 0 {
			readings = v.read(m, t, readings)
		} else {
			readings, has = v.readDrawn(m, t, readings), everyBucket // of its spellings the pairs are not known
		}
		marks := mark(0)
		for _, r := range readings[known:] {
			k := v.marks[r.symbol]
			marks |= k
			has |= v.sets[k&^fillsMark]
		}
		filled = filled && marks&fillsMark != 0
		ends = append(ends, int32(len(readings)))
		if n := len(readings); len(near) > 0 || n > known && readings[n-1].typos > 0 {
			now := s.near.ids[:0]
			if n > known && readings[n-1].typos > 0 {
				now = s.near.ids[:s.near.n]
			}
			has |= v.pairsOf(last, near, t.hash, now)
			near = append(near[:0], now...)
		} else {
			has |= v.pairs.buckets(last, t.hash)
		}
		last = t.hash
	}
	s.readings, s.ends, s.has, s.filled, s.meant = readings, ends, has, filled, near
}

// pairsOf is the buckets of the anchors that two tokens side by side are, each of which may be read as other words.
func (v *vocabulary) pairsOf(a uint64, readAs []uint32, b uint64, orAs []uint32) (has buckets) {
	with := func(a uint64) {
		has |= v.pairs.buckets(a, b)
		for _, id := range orAs {
			has |= v.pairs.buckets(a, v.near.words[id].hash)
		}
	}
	with(a)
	for _, id := range readAs {
		with(v.near.words[id].hash)
	}
	return has
}

// readAt appends the symbols of token i to dst.
func (v *vocabulary) readAt(m *Message, i int32, dst []reading) []reading {
	t := &m.tokens[i]
	if t.flags&drawnToken != 0 {
		return v.readDrawn(m, t, dst)
	}
	return v.read(m, t, dst)
}

// read appends the symbols of a token without letters drawn out to dst.
func (v *vocabulary) read(m *Message, t *Token, dst []reading) []reading {
	if !t.IsWord() {
		return v.readWhole(t.hash, dst)
	}
	n, word := len(dst), m.buf[t.key:t.keyEnd]
	dst = v.readPrefixes(word, v.readWhole(t.hash, dst))
	if len(dst) > n || v.near == nil || len(word) < oneTypo-1 || v.common.has(t.hash) {
		return dst
	}
	q := &m.search.near
	q.reset()
	v.near.find(q, word)
	return v.readNear(q, dst)
}

// readWhole appends the symbols of a word that is typed right.
func (v *vocabulary) readWhole(hash uint64, dst []reading) []reading {
	if e := v.words.find(hash); e != nil {
		if e.exact >= 0 {
			dst = append(dst, reading{e.exact, 0})
		}
		if e.near >= 0 {
			dst = append(dst, reading{e.near, 0})
		}
	}
	return dst
}

// readPrefixes appends the symbols of the prefixes that a word has.
func (v *vocabulary) readPrefixes(word []byte, dst []reading) []reading {
	if v.lengths == 0 || len(word) >= headBytes && !v.heads.has(word) {
		return dst
	}
	h := uint64(hashSeed)
	for k, c := range word {
		h = (h ^ uint64(c)) * hashPrime
		if v.lengths>>min(k+1, 63)&1 == 0 {
			continue
		}
		if e := v.prefixes.find(h); e != nil {
			dst = append(dst, reading{e.exact, 0})
		}
	}
	return dst
}

// heads is a set of the first bytes of prefixes, which turns most words away
// before they are hashed letter by letter.
type heads [1 << headBits / 64]uint64

const (
	headBytes = 3
	headBits  = 12
)

// add adds the first bytes of a prefix, whatever they are where it is shorter.
func (h *heads) add(prefix string) {
	if len(prefix) < headBytes {
		for c := range 256 {
			h.add(prefix + string([]byte{byte(c)}))
		}
		return
	}
	at := headHash([]byte(prefix), headBits)
	h[at>>6] |= 1 << (at & 63)
}

func (h *heads) has(word []byte) bool {
	at := headHash(word, headBits)
	return h[at>>6]>>(at&63)&1 != 0
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
		dst = v.readPrefixes(word, v.readWhole(h, dst))
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
