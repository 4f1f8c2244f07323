package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSticker is how many bytes the name of a sticker may have.
const maxSticker = 32

// Sticker returns the token behind the sticker that begins with token i, such as
// [TUIEmoji_Smile] or [微笑]; i if none does.
func (m *Message) Sticker(i int) int {
	from := int(m.tokens[i].NormStart)
	if from == 0 || m.buf[from-1] != '[' {
		return i
	}
	name := m.buf[from:min(m.normLen, from+maxSticker)]
	end := slices.Index(name, ']')
	if end < 0 || slices.Contains(name[:end], ' ') || slices.Contains(name[:end], '\n') {
		return i
	}
	for i < len(m.tokens) && int(m.tokens[i].NormEnd) <= from+end {
		i++
	}
	return i
}

// ClauseEnd returns the token behind the clause of token i as punctuation and
// line ends divide the message: a conjunction may be a word of what is said, as
// in "thank you so much".
func (m *Message) ClauseEnd(i int) int {
	end := i + 1
	for end < len(m.tokens) && m.tokens[end].brk < breakClause {
		end++
	}
	return end
}

// Laughs reports whether token i only laughs, or weeps: 哈, hahaha, jaja, ㅋㅋㅋ.
func (m *Message) Laughs(i int) bool {
	word := m.word(i)
	r, _ := utf8.DecodeRune(word)
	if !m.tokens[i].IsWord() {
		return strings.ContainsRune("哈呵嘿嘻吼噗呜笑草はひふへほハヒフヘホฮาๆ", r)
	}
	return slices.ContainsFunc(laughter, func(l laugh) bool { return l.is(word) })
}

// A laugh is how a language writes laughter: words of these letters alone, so
// many or more, with at least one of the letters that make it a laugh.
type laugh struct {
	letters string
	key     string
	least   int
}

var laughter = []laugh{
	{"haeiou", "h", 3},
	{"jaei", "j", 4},
	{"k", "k", 2},
	{"w", "w", 2},
	{"wka", "k", 4},
	{"rs", "r", 4},
	{"xd", "x", 2},
	{"lo", "l", 3},
	{"lmao", "m", 4},
	{"хаеиэ", "х", 3},
	{"ه", "ه", 2},
	{"5", "5", 3}, // Thai: ha ha ha
	{"6", "6", 3}, // Chinese: well done
	{"ᄏ휴ᅮᅡᅵ", "ᄏ휴ᅮ", 2},
}

func (l laugh) is(word []byte) bool {
	n, key := 0, false
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		word = word[size:]
		if !strings.ContainsRune(l.letters, r) {
			return false
		}
		key = key || strings.ContainsRune(l.key, r)
		n++
	}
	return key && n >= l.least
}
