package text

import "bytes"

// The least length of a run of characters set apart. Two characters with a
// space between are a run in scripts without spaces; any other two say nothing
// ("不，转" is no, do).
const (
	minApart      = 3
	minApartSpace = 2
)

// joinApart finds runs of single characters each separated by the same kind of
// mark or space (`转 人 工`, `转-人-工`, `h.u.m.a.n`), as people write to get
// past a filter, and skips the separators: characters of scripts without spaces
// then stand next to each other, three or more letters become one word.
func (m *Message) joinApart() {
	ts, out := m.tokens, 0
	for i := 0; i < len(ts); {
		if ts[i].letters == 1 && i+1 < len(ts) && ts[i+1].sep > sepNone {
			if j := m.runEnd(i); j > i+1 {
				out = m.joinRun(out, i, j)
				i = j
				continue
			}
		}
		if out != i {
			ts[out] = ts[i]
		}
		out++
		i++
	}
	m.tokens = ts[:out]
}

// runEnd returns the end of the run that begins at token i, or i+1. The token
// is one character with a separator behind it.
func (m *Message) runEnd(i int) int {
	ts := m.tokens
	kind, j := ts[i+1].sep, i+1
	for j < len(ts) && ts[j].sep == kind && ts[j].letters == 1 && !m.glued(j) {
		j++
	}
	if kind == ' ' && j < len(ts) && ts[j].sep > sepNone && m.alone(j) {
		j-- // in `a h-u-m-a-n` the h belongs to the marks
	}
	if !m.alone(i) || j < len(ts) && ts[j].sep == kind && ts[j].letters == 1 {
		return m.runInside(i, j)
	}
	if j-i >= minApart || kind == ' ' && j-i >= minApartSpace && !ts[i].IsWord() && !ts[i+1].IsWord() {
		return j
	}
	return i + 1
}

// runInside returns the end of a run of which an end stands directly beside
// other words (请转 人 工谢谢): the tokens [i,j), and the next one if it is
// written together with what follows it. Commas and full stops make no such
// run, for people do list single characters, nor do digits.
func (m *Message) runInside(i, j int) int {
	ts := m.tokens
	kind := ts[i+1].sep
	if j < len(ts) && ts[j].sep == kind && ts[j].letters == 1 && !m.digit(j) {
		j++
	}
	if j-i < minApart || m.digit(i) || kind != ' ' && ts[i+1].brk >= breakClause {
		return i + 1
	}
	return j
}

// glued reports whether something follows token i without a separator.
func (m *Message) glued(i int) bool { return i+1 < len(m.tokens) && m.tokens[i+1].sep == sepNone }

// digit reports whether token i is a digit or begins with one.
func (m *Message) digit(i int) bool {
	c := m.buf[m.tokens[i].key]
	return '0' <= c && c <= '9'
}

// alone reports whether token i is one character with separators (or an end of
// the message) on both sides.
func (m *Message) alone(i int) bool {
	t := &m.tokens[i]
	return t.letters == 1 && t.sep != sepNone && !m.glued(i)
}

// joinRun writes the run [i,j) joined to the tokens from out on, and returns
// their end. It never writes ahead of what it reads.
func (m *Message) joinRun(out, i, j int) int {
	ts := m.tokens
	for k := i; k < j; {
		end := k + 1
		for ts[k].IsWord() && end < j && ts[end].IsWord() {
			end++
		}
		if k > i && !m.loose { // a character stands before it, or it is one
			ts[k].brk = breakNone
			ts[k].flags &^= clauseToken
		}
		if end-k >= minApart {
			m.joinWord(k, end)
			ts[out] = ts[k]
			out++
		} else {
			out += copy(ts[out:], ts[k:end])
		}
		k = end
	}
	return out
}

// joinWord makes token i the word of the letters [i,j). Its key is kept behind
// the normal form.
func (m *Message) joinWord(i, j int) {
	key := len(m.buf)
	t, last := &m.tokens[i], &m.tokens[j-1]
	for k := i; k < j; k++ {
		letter, known := m.word(k), m.buf[key:]
		if n := len(letter); len(known) >= 2*n && bytes.Equal(known[len(known)-n:], letter) &&
			bytes.Equal(known[len(known)-2*n:len(known)-n], letter) && m.tokens[k].letters == 1 && !m.digit(k) {
			m.notePair(t, len(m.buf)-n)
			continue
		}
		m.buf = append(m.buf, letter...)
	}
	t.key, t.keyEnd = int32(key), int32(len(m.buf))
	t.hash = hashOn(hashSeed, m.buf[key:])
	t.End, t.NormEnd = last.End, last.NormEnd
	t.letters = uint8(min(255, j-i))
}
