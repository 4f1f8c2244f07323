package text

import (
	"unicode"
	"unicode/utf8"
)

// Breaks say what stands between a token and the one before it, from nothing
// to the end of a sentence.
const (
	breakNone     uint8 = iota // nothing, or separators of letters set apart
	breakSoft                  // white space, a hyphen, a quotation mark, …
	breakClause                // a comma or its like
	breakSentence              // a full stop or its like, or a line end
	breakBarrier               // words that are not the customer's own: nothing goes over them
)

// The costs of tokens within a gap: 4 words or 10 characters fill one, and a
// mixture fills it proportionally.
const (
	wordCost  = 5
	charCost  = 2
	gapBudget = 4 * wordCost // = 10 * charCost
)

// Token is one word of a script that uses spaces, or one character of another.
type Token struct {
	Start, End         int32 // bytes of the original text
	NormStart, NormEnd int32 // bytes of the normal form
	key, keyEnd        int32 // bytes of Message.buf that hold the word without separators
	before             int32 // the cost of all tokens before this one
	sep                rune  // what alone separates it from the token before: see separator.kind
	hash               uint64
	clause             uint16
	brk                uint8
	letters            uint8 // its letters, at most 255
	flags              tokenFlags
}

type tokenFlags uint16

const (
	charToken   tokenFlags = 1 << iota // a character of a space-less script
	clauseToken                        // a new clause begins here, whatever brk says
	softStart                          // a new clause begins here for a negator that is not next to it
	carrier                            // it says how or to whom: what is refused goes on behind it
	ender                              // what is refused ends with it
	inner                              // a part of a longer word: it begins and ends nothing
	goesOn                             // it goes on with the clause before its comma
	joiner                             // the next word belongs to it and begins no clause
	hanToken                           // a common Han character, which is a word of its own where words are counted
	drawnToken                         // letters were drawn out in it: see Message.drawn
)

// IsWord reports whether the token is a word of a script that uses spaces.
func (t *Token) IsWord() bool { return t.flags&charToken == 0 }

// space notes white space.
func (m *Message) space(r rune) {
	m.close()
	m.sep.white(r)
}

// mark takes a character that stands between tokens into the normal form.
func (m *Message) mark(r rune) {
	m.close()
	m.flush()
	m.buf = utf8.AppendRune(m.buf, r)
	m.sep.add(r)
}

// flush writes the one white-space character that stands for the run before.
// There is none at the beginning of the normal form, and for want of a flush
// none at its end.
func (m *Message) flush() {
	if m.sep.pending == 0 {
		return
	}
	if len(m.buf) > 0 {
		m.buf = append(m.buf, m.sep.pending)
	}
	m.sep.pending = 0
}

// begin starts a token at the byte from of the original text.
func (m *Message) begin(flags tokenFlags, from int, first rune) {
	m.close()
	m.flush()
	n := int32(len(m.buf))
	t := Token{Start: int32(from), NormStart: n, key: n, hash: hashSeed, flags: flags}
	switch {
	case len(m.tokens) == 0:
		t.brk, t.sep = breakSentence, sepEdge
		m.lead = m.sep
	case m.sep.barrier:
		t.brk, t.sep = breakBarrier, sepMixed
	case m.sep.marks > 0:
		m.separate(&t, first)
	case m.sep.line:
		t.brk, t.sep = breakSentence, sepMixed
	case m.sep.space:
		t.brk, t.sep = breakSoft, ' '
	}
	m.tokens = append(m.tokens, t)
	if m.sep.marks > 0 || m.sep.space || m.sep.barrier {
		m.sep = separator{}
	}
	m.open = flags&charToken == 0
}

// separate says what the marks between the last token and t, which begins with
// first, mean.
func (m *Message) separate(t *Token, first rune) {
	last := &m.tokens[len(m.tokens)-1]
	brk, flag := m.sep.level(m.edgeAfter(last), edgeOf(t.flags, first))
	t.brk, t.sep = brk, m.sep.kind()
	t.flags |= flag
	m.apos = t.sep == '\'' && !m.sep.space && m.sep.marks == 1 && t.IsWord() && last.IsWord() && m.endsLatin(last)
}

// extend adds a character to the last token.
func (m *Message) extend(r rune, to int) {
	t := &m.tokens[len(m.tokens)-1]
	t.End = int32(to)
	n := len(m.buf)
	m.buf = utf8.AppendRune(m.buf, r)
	if n > int(t.key) && m.buf[n-1] == m.buf[len(m.buf)-1] && m.drawnOut(r, n) {
		m.buf = m.buf[:n]
		return
	}
	t.hash = hashOn(t.hash, m.buf[n:])
	t.NormEnd, t.keyEnd = int32(len(m.buf)), int32(len(m.buf))
}

// drawnOut reports whether a letter is the third or a later one of its kind in
// a row, which the normal form leaves out, and notes the pair that stays. The
// last token ends with it, at byte at of buf.
func (m *Message) drawnOut(r rune, at int) bool {
	t := &m.tokens[len(m.tokens)-1]
	word := m.buf[t.key:at]
	last, size := utf8.DecodeLastRune(word)
	if last != r || !stretches(r) {
		return false
	}
	if before, _ := utf8.DecodeLastRune(word[:len(word)-size]); before != r {
		return false
	}
	m.notePair(t, at-size)
	return true
}

// notePair notes that the letter at byte at of buf ends a pair that was drawn
// out in the token t.
func (m *Message) notePair(t *Token, at int) {
	t.flags |= drawnToken
	if n := len(m.drawn); n == 0 || m.drawn[n-1] != int32(at) {
		m.drawn = append(m.drawn, int32(at))
	}
}

// addLetter counts a letter of the last token.
func (m *Message) addLetter(r rune) {
	t := &m.tokens[len(m.tokens)-1]
	if t.letters < 255 {
		t.letters++
	}
	switch {
	case r >= utf8.RuneSelf:
		m.scripts[scriptOf(r)]++
	case r >= 'a':
		m.scripts[Latin]++
	}
}

// close ends the word that is open. If the word is the ending of an English
// contraction (don't, we'll), it is joined with the word before, so that
// the spelling without the apostrophe is the same word. Every other apostrophe
// separates, as in l'agent.
func (m *Message) close() {
	if m.apos && m.open {
		m.contract()
	}
	m.open = false
}

// contract joins the last word with the one before if it ends a contraction.
func (m *Message) contract() {
	m.apos = false
	n := len(m.tokens)
	last, prev := &m.tokens[n-1], &m.tokens[n-2]
	ending := m.buf[last.key:last.keyEnd]
	if !contraction(ending) || string(ending) == "ll" && string(m.word(n-2)) == "l" { // which would be an ending itself
		return
	}
	letters := [2]byte{}
	n = copy(letters[:], ending)
	to := int(last.End)
	m.buf = m.buf[:prev.NormEnd]
	for k := len(m.drawn); k > 0 && m.drawn[k-1] >= prev.NormEnd; k-- {
		m.drawn = m.drawn[:k-1]
	}
	m.tokens = m.tokens[:len(m.tokens)-1]
	for _, c := range letters[:n] {
		m.extend(rune(c), to)
	}
	prev.letters = min(prev.letters, 250) + uint8(n)
}

// contraction reports whether b is what follows the apostrophe of an English
// contraction or possessive.
func contraction(b []byte) bool {
	switch string(b) {
	case "t", "s", "d", "m", "ll", "re", "ve":
		return true
	}
	return false
}

// endsLatin reports whether a token ends in a Latin letter.
func (m *Message) endsLatin(t *Token) bool {
	r, _ := utf8.DecodeLastRune(m.buf[t.key:t.keyEnd])
	return unicode.Is(unicode.Latin, r)
}

// The hash of a word goes on byte by byte, so that the hash of each prefix is
// there on the way. The multiplier is odd and dense, for the high bits count.
const (
	hashSeed  = 0x243f6a8885a308d3
	hashPrime = 0x9e3779b97f4a7c15
)

func hashOn(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * hashPrime
	}
	return h
}
