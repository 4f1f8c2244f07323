package text

import "unicode/utf8"

// A space within a long word of Han is a slip (转 人工). A piece is items of one
// sequence that are written without a space and are all of Han; in one of
// minSpaced characters or more one space is skipped, before any item but the
// first. In a shorter piece it would hide too much: 一个人 工作 holds no 人工.

const minSpaced = 3

// markSpaced marks the items that one space may stand before.
func (l *lexicon) markSpaced(seq *sequence) {
	for i := 0; i < len(seq.items); {
		end, chars := i, 0
		for end < len(seq.items) && (end == i || seq.items[end].lead == breakNone) {
			n := l.hanIn(&seq.items[end])
			if n == 0 {
				break
			}
			chars += n
			end++
		}
		for k := i + 1; k < end && chars >= minSpaced; k++ {
			seq.items[k].spaced = true
		}
		i = max(end, i+1)
	}
}

// hanIn returns the least number of Han characters that an item can hold; 0 if
// it can hold anything else, or nothing.
func (l *lexicon) hanIn(it *item) int {
	switch {
	case it.kind == itemToken && it.flags&charToken != 0:
		if r, _ := utf8.DecodeRuneInString(l.entry(it).key); scriptOf(r) == Han {
			return 1
		}
	case it.kind == itemGroup && !it.optional:
		return it.group.han
	}
	return 0
}

// leastHan is hanIn for the alternatives of a group.
func (l *lexicon) leastHan(alts []sequence) (least int) {
	for i := range alts {
		n := l.hanOf(&alts[i])
		if n == 0 {
			return 0
		}
		if least == 0 || n < least {
			least = n
		}
	}
	return least
}

// hanOf is hanIn for a sequence.
func (l *lexicon) hanOf(seq *sequence) (chars int) {
	for i := range seq.items {
		n := l.hanIn(&seq.items[i])
		if n == 0 || seq.items[i].lead != breakNone {
			return 0
		}
		chars = min(chars+n, minSpaced)
	}
	if seq.tail != breakNone {
		return 0
	}
	return chars
}

// justSpace is the break of a link over one space and nothing else.
const justSpace = breakBarrier + 1

// piece adds the states of the items of one piece that follows from, with and
// without a space in it, and returns what follows it.
func (c *compiler) piece(items []item, from []link, how manner) []link {
	var broken []link // what follows a space
	for i := range items {
		it := &items[i]
		if !it.spaced {
			from = c.item(it, raise(from, it.lead), how)
			continue
		}
		over := normalLinks(append(raise(from, justSpace), broken...))
		from, broken = c.item(it, from, how), c.item(it, over, how)
	}
	return normalLinks(append(broken, from...))
}
