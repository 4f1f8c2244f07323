package text

// Lexicon maps words to values. It takes four bytes for each of its slots, so
// that a look at an unknown word touches one line of memory. Two words share a
// value by chance once in ten million: it is for what may be wrong that rarely.
type Lexicon struct {
	slots  []uint32 // 24 bits of the word's hash, and the place of its value; 0 is free
	shift  uint
	values []uint32
}

// NewLexicon returns a lexicon of words, each a single token in normal form.
// They have at most 255 different values, none of them 0.
func NewLexicon(words map[string]uint32) *Lexicon {
	l := &Lexicon{shift: 64, values: []uint32{0}}
	size := 1
	for ; size < 2*len(words); size *= 2 {
		l.shift--
	}
	l.slots = make([]uint32, size)
	places := map[uint32]uint32{}
	for word, value := range words {
		place, known := places[value]
		if !known {
			place = uint32(len(l.values))
			places[value], l.values = place, append(l.values, value)
		}
		h := hashOn(hashSeed, []byte(word))
		i := h >> l.shift
		for l.slots[i] != 0 {
			i = (i + 1) & uint64(size-1)
		}
		l.slots[i] = lexiconTag(h) | place
	}
	return l
}

// lexiconTag is a part of the hash that is not in the place of its slot.
func lexiconTag(h uint64) uint32 { return uint32(h>>16) &^ 0xff }

// Of returns the value of a token's word, 0 if it has none.
func (l *Lexicon) Of(t *Token) uint32 {
	tag := lexiconTag(t.hash)
	for i := t.hash >> l.shift; ; i = (i + 1) & uint64(len(l.slots)-1) {
		switch s := l.slots[i]; {
		case s == 0:
			return 0
		case s&^0xff == tag:
			return l.values[s&0xff]
		}
	}
}

// PlainWord reports whether the token i is a word without digits of a script
// that uses spaces, and returns its length in bytes.
func (m *Message) PlainWord(i int) (length int, ok bool) {
	t := &m.tokens[i]
	length = int(t.keyEnd - t.key)
	if !t.IsWord() {
		return length, false
	}
	for _, c := range m.buf[t.key:t.keyEnd] {
		if c-'0' <= 9 {
			return length, false
		}
	}
	return length, true
}
